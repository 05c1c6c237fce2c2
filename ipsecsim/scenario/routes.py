"""Routing tables: what a node knows by itself, what the file says, and what it learns."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.scenario.addresses import missing_version
from ipsecsim.scenario.model import RouteSpec
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network, Wire
from ipsecsim.scenario.problems import Mistake, Problems, did_you_mean
from ipsecsim.scenario.sentence import parse
from ipsecsim.scenario.swanctl.values import address, prefix
from ipsecsim.scenario.tree import Seq, Text
from ipsecsim.scenario.ways import Ways


class Routes(Sequence[RouteSpec]):
    """All routes of one node, IPv4 before IPv6: its own links first, then the longest prefixes first.

    `given` it has from the start: its links, its way out, what the file says, and what was `added`. The others it
    learns; nobody works them out before they are asked for.
    """

    def __init__(
        self,
        node: str,
        ways: Ways,
        connected: tuple[RouteSpec, ...],
        written: tuple[RouteSpec, ...],
        added: tuple[RouteSpec, ...] = (),
    ) -> None:
        self._node = node
        self.ways = ways
        self._connected = connected
        self._written = written
        self._added = added
        self._known = {route.prefix for route in (*connected, *written)}
        self.way_out = tuple(each for each in ways.defaults(node) if each.prefix not in self._known)
        self._all: tuple[RouteSpec, ...] | None = None

    @property
    def given(self) -> tuple[RouteSpec, ...]:
        """What the node knows without asking anybody."""
        return (*self._connected, *self._written, *self.way_out, *self._added)

    def plus(self, added: Iterable[RouteSpec]) -> "Routes":
        """These routes and others, which come last."""
        return Routes(self._node, self.ways, self._connected, self._written, (*self._added, *added))

    def by(self, ways: Ways) -> "Routes":
        """What becomes of these routes when the ways are others."""
        return Routes(self._node, ways, self._connected, self._written, self._added)

    def learned(self, address: bytes) -> list[RouteSpec]:
        """What the node learns about an address, the longest prefix first."""
        return [each for each in self.ways.towards(self._node, address) if self._is_news(each)]

    def knows(self, address: bytes) -> bool:
        """Is there a way to an address?"""
        return any(address in route.prefix for route in self.given) or bool(self.learned(address))

    def _is_news(self, route: RouteSpec) -> bool:
        """Does it say more than what the node knows anyway?"""
        return route.prefix not in self._known and all(
            route.via != each.via for each in self.ways.defaults(self._node)
        )

    def _everything(self) -> tuple[RouteSpec, ...]:
        if self._all is None:
            learned = [each for each in self.ways.all(self._node) if self._is_news(each)]
            others = [*self._written, *self.way_out, *learned]
            others.sort(key=lambda route: (-route.prefix.length, route.prefix.network))
            parts = [
                route
                for version in (4, 6)
                for routes in (self._connected, others)
                for route in routes
                if route.prefix.version == version
            ]
            self._all = (*parts, *self._added)
        return self._all

    def __iter__(self) -> Iterator[RouteSpec]:
        return iter(self._everything())

    def __len__(self) -> int:
        return len(self._everything())

    @overload
    def __getitem__(self, index: int) -> RouteSpec: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RouteSpec, ...]: ...
    def __getitem__(self, index: int | slice) -> RouteSpec | tuple[RouteSpec, ...]:
        return self._everything()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Routes) and self._everything() == other._everything()

    def __repr__(self) -> str:
        return f"Routes({self._node!r}, given={self.given!r})"


def tables(network: Network, names: Names, problems: Problems) -> dict[str, Routes]:
    """Each node's routes."""
    ways = Ways(network)
    return {
        node: Routes(node, ways, _connected(network, node), _written(network, names, node, problems))
        for node in network.kinds
    }


def _connected(network: Network, node: str) -> tuple[RouteSpec, ...]:
    return tuple(
        RouteSpec(wire.nets[version], None, network.interface(node, wire))
        for version in network.versions
        for wire in network.wires_of[node]
        if version in wire.nets
    )


def check_route(source: Text, names: Names) -> None:
    """A route as written: a network and via=. Raises Mistake."""
    sentence = parse(source)
    if len(sentence.words) != 1 or len(sentence.pairs) != 1 or sentence.pairs[0].key.text != "via":
        for pair in sentence.pairs:
            if pair.key.text != "via":
                hint = did_you_mean(pair.key.text, ["via"])
                raise Mistake(f"a route has no '{pair.key.text}'{hint}", pair.key.offset)
        raise Mistake("a route is a network and via=; write for example  10.7.0.0/16 via=alice")
    if sentence.words[0].text == "default":
        raise Mistake("the default route is written 0.0.0.0/0 via=... (IPv6: ::/0)")
    prefix(sentence.words[0].text)
    via = sentence.pairs[0].value
    if via.text[:1].isdigit() or ":" in via.text:
        try:
            address(via.text)
        except Mistake as mistake:
            raise Mistake(mistake.message, via.offset) from mistake
    else:
        names.node(via)


def _written(network: Network, names: Names, node: str, problems: Problems) -> tuple[RouteSpec, ...]:
    """The routes that the file gives a node."""
    made: dict[Prefix, RouteSpec] = {}
    listed = names.nodes[node].get("routes")
    for text in listed.items if isinstance(listed, Seq) else []:
        if not isinstance(text, Text):
            continue
        sentence = parse(text)
        net = prefix(sentence.words[0].text)
        if net.version not in network.versions:
            problems.add(missing_version(net.version), text.place)
            continue
        via = sentence.pairs[0].value
        found = _neighbour(network, names, node, via.text, net.version)
        if found is None:
            problems.add(
                f"'{via.text}' is no neighbour of {node}: a route goes via a node on one of its links",
                text.at(via.offset),
            )
            continue
        hop, wire = found
        if net.length > 0 and hop in net and net.length >= wire.nets[net.version].length:
            problems.add(f"{unpack(hop)} is inside {net}, so it can't be the way there", text.at(via.offset))
            continue
        made[net] = RouteSpec(net, hop, network.interface(node, wire))
    return tuple(made.values())


def _neighbour(
    network: Network, names: Names, node: str, via: str, version: int
) -> tuple[bytes, Wire] | None:
    members = names.find_nodes(via)
    for wire in network.wires_of[node]:
        if members and members[0] != node:
            hop = wire.address(members[0], version)
            if hop is not None:
                return hop, wire
        if not members and version in wire.nets:
            hop = address(via)
            if hop in wire.nets[version]:
                return hop, wire
    return None
