"""The ways of a node: those that its routes name, and others out of it, for when the first one is lost, or left."""

from collections.abc import Mapping

from ipsecsim.net.nodes import KINDS
from ipsecsim.scenario.model import NodeSpec, RouteSpec, Topology
from ipsecsim.scenario.routes import Routes
from ipsecsim.scenario.ways import EVERYTHING
from ipsecsim.stack.routes import Learned, Route

Moved = Mapping[bytes, bytes]
"""Addresses that nodes had, and those that they have in their place."""
NOBODY: Moved = {}


def to_route(spec: RouteSpec, moved: Moved = NOBODY) -> Route:
    """As the stack wants it."""
    via = spec.via
    return Route(spec.prefix, None if via is None else moved.get(via, via), spec.interface)


def learned(routes: Routes, moved: Moved = NOBODY) -> Learned:
    """What the stack asks about addresses that it has no route of its own for."""
    return lambda address: (to_route(each, moved) for each in routes.learned(address))


def other_ways_out(topology: Topology, node: NodeSpec) -> list[Route]:
    """A default route by each further interface that leads outside, the last one first."""
    ways: list[Route] = []
    for version, everything in EVERYTHING.items():
        size = 4 if version == 4 else 16
        default = next((each for each in node.routes.given if each.prefix == everything), None)
        if default is None:
            continue
        for interface in node.interfaces:
            if interface.name == default.interface or interface.protected:
                continue
            hop = _router_on(topology, node, interface.link, size)
            if hop is not None:
                ways.append(Route(everything, hop, interface.name))
    return ways[::-1]


def _router_on(topology: Topology, node: NodeSpec, link: str, size: int) -> bytes | None:
    """The address of the first neighbour on a link that forwards."""
    for name, _ in topology.links[link].endpoints:
        other = topology.nodes[name]
        if other is node or not KINDS[other.kind].forwards:
            continue
        for interface in other.interfaces:
            for address, _ in interface.addresses if interface.link == link else ():
                if len(address) == size:
                    return address
    return None
