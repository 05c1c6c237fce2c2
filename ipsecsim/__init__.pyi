from ipsecsim.lab import Lab as Lab
from ipsecsim.lab import LabError as LabError
from ipsecsim.lab import Lesson as Lesson
from ipsecsim.lab import NoSuchThing as NoSuchThing
from ipsecsim.lab import Topology as Topology

__version__: str
