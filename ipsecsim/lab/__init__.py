"""What a notebook holds in its hand: one run, looked at from anywhere, acted on at its end, asked why."""

from ipsecsim.experiment.packets import NoSuchThing
from ipsecsim.lab.builder import Topology
from ipsecsim.lab.errors import LabError
from ipsecsim.lab.lab import Lab
from ipsecsim.lab.lessons import Lesson

__all__ = ["Lab", "LabError", "Lesson", "NoSuchThing", "Topology"]
