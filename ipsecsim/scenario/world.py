"""A topology brought to life."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ipsecsim.net.application import Result
from ipsecsim.net.node import Node
from ipsecsim.net.simulator import Simulator
from ipsecsim.scenario.model import NodeSpec, Topology


@dataclass(slots=True)
class World:
    """The simulator, and what its traffic finds out.

    `make_node` puts a node onto its links, in the place of one of the same name that is there already. `moved` has
    the addresses that nodes have no more, and those in their place.
    """

    topology: Topology
    simulator: Simulator
    make_node: Callable[[NodeSpec], Node]
    moved: dict[bytes, bytes] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    traffic: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # name: verb, from, to

    @property
    def pings(self) -> dict[str, Result]:
        """What the pings found out."""
        return {name: self.results[name] for name, (verb, _, _) in self.traffic.items() if verb == "ping"}
