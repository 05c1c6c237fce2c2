"""Who is joined to whom: interfaces, paths, and what lies behind which gateway."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ipsecsim.base.address import Prefix
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.nat_sides import outside_link, translates
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.swanctl.values import items
from ipsecsim.scenario.tree import Map, Seq, Text

ENDS = ("host", "laptop", "attacker")
"""Kinds that do not forward."""

VERSIONS = {"4": (4,), "6": (6,), "both": (4, 6)}
"""IP versions by what `ip:` says. The first one is meant where nobody says which."""

Ends = frozenset[tuple[str, str]]
"""Ends of links: (node, link)."""

NOTHING: Ends = frozenset()


@dataclass(slots=True)
class Wire:
    """A link: its ends in the file's order, and for each IP version its network and each node's address on it."""

    name: str
    number: int
    node: Map
    ends: list[tuple[str, str]]
    nets: dict[int, Prefix] = field(default_factory=dict)
    addresses: dict[int, dict[str, bytes]] = field(default_factory=dict)

    def address(self, node: str, version: int) -> bytes | None:
        """A node's address on it."""
        return self.addresses.get(version, {}).get(node)


class Network:
    """The graph of a topology whose counts are worked out. Nodes and links keep the file's order."""

    def __init__(self, root: Map, names: Names, problems: Problems) -> None:
        self.place = root.place
        said = root.text("ip")
        self.versions: tuple[int, ...] = VERSIONS["4" if said is None else said.value]
        self.kinds: dict[str, str] = {name: _kind(node) for name, node in names.nodes.items()}
        self.wires: dict[str, Wire] = {}
        self.wires_of: dict[str, list[Wire]] = {name: [] for name in self.kinds}
        self.interfaces: dict[str, dict[str, str]] = {name: {} for name in self.kinds}
        for name, link in (root.map("links") or Map(root.place)).maps():
            self._add(name, link, problems)
        for name, node in names.nodes.items():
            self._check_connected(root, name, node, problems)
        self._neighbours: dict[str, dict[str, Wire]] = {name: {} for name in self.kinds}
        for wire in self.wires.values():
            for name, _ in wire.ends:
                for other, _ in wire.ends:
                    self._neighbours[name].setdefault(other, wire)
        self.peers = _peers(root, names)
        self.outside_of_nat = {
            name: outside
            for name, node in names.nodes.items()
            if translates(self.kinds[name], node)
            and (outside := outside_link(self, name, node, problems)) is not None
        }
        self._outside: dict[str, frozenset[str]] = {}
        self._behind: dict[str, list[Wire]] = {}
        self._hidden: set[str] | None = None  # by NATs; worked out when first asked for

    def _add(self, name: str, link: Map, problems: Problems) -> None:
        wire = Wire(name, len(self.wires), link, [])
        ends = link.get("endpoints")
        for text in ends.items if isinstance(ends, Seq) else []:
            if not isinstance(text, Text):
                continue
            node, _, interface = text.value.partition(":")
            interface = interface or name
            known = self.interfaces[node].get(interface)
            if known is not None:
                problems.add(
                    f"{node} has interface '{interface}' on link '{known}' already; "
                    f"write {node}:another_name",
                    text.place,
                )
            self.interfaces[node][interface] = name
            wire.ends.append((node, interface))
            self.wires_of[node].append(wire)
        self.wires[name] = wire

    def _check_connected(self, root: Map, name: str, node: Map, problems: Problems) -> None:
        nodes = root.map("nodes")
        place = root.place if nodes is None else nodes.entries[name].key.place
        if not self.wires_of[name] and self.kinds[name] != "attacker":
            problems.add(f"'{name}' is on no link; add it under links", place)
        declared = node.map("interfaces")
        for interface, entry in [] if declared is None else declared.entries.items():
            if interface not in self.interfaces[name]:
                problems.remark(f"interface '{interface}' of {name} is on no link", entry.key.place)

    def forwards(self, node: str) -> bool:
        """True when packets may pass through the node."""
        return self.kinds[node] not in ENDS

    def interface(self, node: str, wire: Wire) -> str:
        """The node's interface on a link."""
        return next(interface for name, interface in wire.ends if name == node)

    def addresses_of(self, node: str) -> list[bytes] | None:
        """Every address of a node; None for what is no node's name."""
        if node not in self.kinds:
            return None
        wires = self.wires_of[node]
        found = (wire.address(node, version) for wire in wires for version in self.versions)
        return [address for address in found if address is not None]

    def next_hops(self, node: str, out: Ends = NOTHING) -> list[tuple[str, Wire]]:
        """The neighbours a packet could be given to, but for ends of links that are out."""
        return [
            (name, wire)
            for wire in self.wires_of[node]
            if (node, wire.name) not in out
            for name, _ in wire.ends
            if name != node and self.forwards(name) and (name, wire.name) not in out
        ]

    # What lies where

    def outside(self, gateway: str) -> frozenset[str]:
        """The links on a gateway's unprotected side: those towards its peers.

        A gateway without a peer looks for other gateways. Where every way leads to a peer, or none does,
        links that touch hosts are inside.
        """
        known = self._outside.get(gateway)
        if known is None:
            wanted = self.peers.get(gateway) or {
                name for name, kind in self.kinds.items() if kind == "gateway" and name != gateway
            }
            wires = self.wires_of[gateway]
            towards = {wire.name for wire in wires if self._leads_to(wire, gateway, wanted)}
            if len(towards) in (0, len(wires)):
                towards = {wire.name for wire in wires if not self.touches_hosts(wire)}
            known = self._outside[gateway] = frozenset(towards)
        return known

    def is_protected(self, node: str, wire: Wire) -> bool:
        """True when the link is on the inside of this gateway."""
        return self.kinds[node] == "gateway" and wire.name not in self.outside(node)

    def hides(self, node: str, wire: Wire) -> bool:
        """True when nobody on the node's other side knows what is on this link: it is behind a gateway or a NAT."""
        outside = self.outside_of_nat.get(node)
        return self.is_protected(node, wire) or (outside is not None and wire.name != outside)

    def crosses_nat(self, source: str, to: str) -> bool:
        """True when a NAT on the way from `source` hides it from `to`."""
        way = (self.path(source, to) or []) if self.outside_of_nat else []
        wires = [wire for _, wire in way]
        nodes = [node for node, _ in way][1:]
        return any(
            self.outside_of_nat.get(node) == after.name and before.name != after.name
            for node, before, after in zip(nodes, wires, wires[1:], strict=False)
        )

    def is_behind_nat(self, wire: Wire) -> bool:
        """True when a NAT hides the link, however deep."""
        if self._hidden is None:
            self._hidden = {each.name for node in self.outside_of_nat for each in self.behind(node)}
        return wire.name in self._hidden

    def touches_hosts(self, wire: Wire) -> bool:
        """True when a host or laptop is on the link."""
        return any(self.kinds[node] in ("host", "laptop") for node, _ in wire.ends)

    def behind(self, gateway: str) -> list[Wire]:
        """The links behind a gateway or a NAT, however deep, in the file's order."""
        if gateway not in self._behind:
            inside: dict[str, Wire] = {}
            for wire in self.wires_of[gateway]:
                if self.hides(gateway, wire):
                    inside |= {found.name: found for found in self._inner(wire, gateway)}
            self._behind[gateway] = sorted(inside.values(), key=lambda wire: wire.number)
        return self._behind[gateway]

    def _inner(self, start: Wire, gateway: str) -> Iterator[Wire]:
        seen = {start.name}
        todo = deque([start])
        while todo:
            wire = todo.popleft()
            yield wire
            for node, _ in wire.ends:
                if node == gateway or self.kinds[node] == "gateway" or not self.forwards(node):
                    continue
                for other in self.wires_of[node]:
                    if other.name not in seen:
                        seen.add(other.name)
                        todo.append(other)

    def _leads_to(self, start: Wire, without: str, wanted: set[str]) -> bool:
        """True when one of `wanted` can be reached by this link without passing the node `without`."""
        seen = {without}
        todo = deque(node for node, _ in start.ends if node != without)
        while todo:
            node = todo.popleft()
            if node in seen:
                continue
            seen.add(node)
            if node in wanted:
                return True
            if not self.forwards(node):
                continue
            # Asking the neighbours at once keeps a star of thousands from being walked for each of its rays.
            near = self._neighbours[node].keys()
            few, many = (wanted, near) if len(wanted) < len(near) else (near, wanted)
            if any(name in many and name != without for name in few):
                return True
            todo.extend(name for wire in self.wires_of[node] for name, _ in wire.ends if name not in seen)
        return False

    def path(self, source: str, to: str, out: Ends = NOTHING) -> list[tuple[str, Wire]] | None:
        """The shortest way as (node, link it leaves by), from `source`; None when there is none."""
        came: dict[str, tuple[str, Wire] | None] = {source: None}
        todo = deque([source])
        while todo:
            node = todo.popleft()
            if node != source and not self.forwards(node):
                continue
            last = self._link_between(node, to, out)
            if last is not None:
                return [*_steps_back(came, node), (node, last)]
            for wire in self.wires_of[node]:
                if (node, wire.name) in out:
                    continue
                for name, _ in wire.ends:
                    if name not in came and (name, wire.name) not in out:
                        came[name] = (node, wire)
                        todo.append(name)
        return None

    def _link_between(self, node: str, to: str, out: Ends) -> Wire | None:
        """The first link that joins two nodes."""
        first = self._neighbours[node].get(to)
        if first is None or not out:
            return first
        ends = (
            wire
            for wire in self.wires_of[node]
            if any(name == to for name, _ in wire.ends)
            and out.isdisjoint(((node, wire.name), (to, wire.name)))
        )
        return next(ends, None)


def _steps_back(came: Mapping[str, tuple[str, Wire] | None], node: str) -> list[tuple[str, Wire]]:
    steps: list[tuple[str, Wire]] = []
    step = came[node]
    while step is not None:
        steps.append(step)
        step = came[step[0]]
    return steps[::-1]


def _kind(node: Map) -> str:
    kind = node.text("kind")
    return "host" if kind is None else kind.value


def _peers(root: Map, names: Names) -> dict[str, set[str]]:
    """For each node the nodes its tunnels and connections lead to."""
    peers: dict[str, set[str]] = {}
    owners = _pinned(root)
    for _, tunnel in (root.map("tunnels") or Map(root.place)).maps():
        ends = tunnel.get("ends")
        members = (
            [text.value for text in ends.items if isinstance(text, Text)] if isinstance(ends, Seq) else []
        )
        for node in members:
            peers.setdefault(node, set()).update(other for other in members if other != node)
    for name, settings in names.nodes.items():
        ipsec = settings.map("ipsec")
        connections = None if ipsec is None else ipsec.map("connections")
        for connection in [] if connections is None else [each for _, each in connections.maps()]:
            for text in items(connection.get("remote_addrs")):
                pinned = owners.get(text.value)
                for peer in names.find_nodes(text.value) or ([] if pinned is None else [pinned]):
                    peers.setdefault(name, set()).add(peer)
                    peers.setdefault(peer, set()).add(name)  # who waits for anybody names nobody
    return peers


def _pinned(root: Map) -> dict[str, str]:
    """Whose an address is, where the file says so on a link."""
    return {
        text.value: node
        for _, link in (root.map("links") or Map(root.place)).maps()
        for node, entry in (link.map("addrs") or Map(root.place)).entries.items()
        for text in items(entry.node)
    }
