"""Who translates addresses, and which of its links is outside."""

from collections import deque
from typing import TYPE_CHECKING

from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Map

if TYPE_CHECKING:
    from ipsecsim.scenario.network import Network, Wire

_PATHS = ("router", "firewall", "nat")
_CALLED = "outside"


def translates(kind: str, settings: Map) -> bool:
    """Does this node translate addresses?"""
    nat = settings.map("nat")
    said = None if nat is None else nat.text("preset")
    if said is not None:
        return said.value != "none"
    return kind == "nat" or nat is not None


def outside_link(network: "Network", node: str, settings: Map, problems: Problems) -> str | None:
    """The link outside: as said, or the one called so, or the one towards the nearest router."""
    wires = network.wires_of[node]
    nat = settings.map("nat") or Map(settings.place)
    said = nat.text("outside")
    if said is not None:
        if said.value not in {wire.name for wire in wires}:
            names = " and ".join(wire.name for wire in wires)
            problems.add(f"{node} is on {names}, not on '{said.value}'", said.place)
            return None
        return said.value
    if any(wire.name == _CALLED for wire in wires):
        return _CALLED
    far = {wire.name: _distance(network, node, wire) for wire in wires}
    nearest = min(far.values(), default=None)
    found = [name for name, distance in far.items() if distance == nearest]
    if len(found) == 1:
        return found[0]
    if found:
        same = " and ".join(found)
        problems.add(
            f"which link of {node} is outside? {same} look the same; write  nat: {{outside: {found[-1]}}}",
            nat.place,
        )
    return None


def _distance(network: "Network", node: str, start: "Wire") -> int:
    """How many links lie between the node and the nearest router on that side."""
    seen = {node}
    todo = deque([(start, 1)])
    while todo:
        wire, distance = todo.popleft()
        for name, _ in wire.ends:
            if name in seen:
                continue
            seen.add(name)
            if network.kinds[name] in _PATHS:
                return distance
            if network.forwards(name):
                todo.extend((other, distance + 1) for other in network.wires_of[name] if other is not wire)
    return len(network.wires) + 1
