"""ipsecsim: IPsec in a simulated network, with real bytes, seen step by step."""

from ipsecsim.base.later import later

__version__ = "0.1.0"
_IN_LAB = ("Lab", "LabError", "Lesson", "NoSuchThing", "Topology")  # their types stand in __init__.pyi
__all__ = [*_IN_LAB, "__version__"]

__getattr__ = later(__name__, "ipsecsim.lab", _IN_LAB)
