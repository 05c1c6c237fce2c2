"""The stepper: a run in a browser or a notebook, turn by turn."""

from ipsecsim.views.stepper.showing import Page, show

__all__ = ["Page", "show"]
