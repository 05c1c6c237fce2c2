"""A topology brought to life."""

from dataclasses import dataclass, field

from ipsecsim.net.apps.ping import PingResult
from ipsecsim.net.simulator import Simulator
from ipsecsim.scenario.model import Topology


@dataclass(slots=True)
class World:
    """The simulator, and what its traffic finds out."""

    topology: Topology
    simulator: Simulator
    pings: dict[str, PingResult] = field(default_factory=dict)
    traffic: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # name: verb, from, to
