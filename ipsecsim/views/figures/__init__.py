"""Figures of a run for print and notebooks."""

from ipsecsim.views.figures.figure import Figure
from ipsecsim.views.figures.kinds import FIGURES, draw

__all__ = ["FIGURES", "Figure", "draw"]
