"""Who learns which way to a link's networks: shortest paths backwards from there, found when first asked for.

What lies behind a gateway or a NAT is unknown outside it: were it known, a packet that leaks in clear would look
like success. A node with one way out has a default route and learns nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import networkx

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario.model import RouteSpec
from ipsecsim.scenario.network import NOTHING, Ends, Network, Wire

MOST = 2_000_000
"""Routes that may be listed, of all nodes together; what is only looked up has no such end."""

EVERYTHING = {4: Prefix(bytes(4), 0), 6: Prefix(bytes(16), 0)}
"""What a default route is for, by IP version."""

_Vertex = int | str
"""A node by its name; a link by its number n, and what is on it by ~n."""


class Ways:
    """The ways through a network, but for the ends of links that are `out`: (node, link).

    One search for each link serves all nodes; its result is kept. Of ways of the same length the first in the order
    of the file counts.
    """

    def __init__(self, network: Network, out: Ends = NOTHING) -> None:
        self._network = network
        self._out = out
        self._wires = list(network.wires.values())
        self._on: dict[Prefix, list[Wire]] = {}
        for wire in self._wires:
            for net in wire.nets.values():
                self._on.setdefault(net, []).append(wire)
        self._lengths = sorted({(net.version, net.length) for net in self._on}, reverse=True)
        hiders = _hiders(network)
        self._way_out = {node: _way_out(network, node, hiders.get(node, ()), out) for node in network.kinds}
        self._lone = {
            node
            for node, way in self._way_out.items()
            if way is not None and len(network.next_hops(node, out)) == 1
        }
        self._hidden: dict[_Vertex, set[_Vertex]] = {}  # of a node: the links that it keeps to itself
        self._listeners: dict[_Vertex, list[_Vertex]] = networkx.to_dict_of_lists(self._told())
        self._searches: dict[int, dict[_Vertex, _Vertex]] = {}

    def without(self, out: Ends) -> "Ways":
        """The ways when other ends of links are out than now."""
        return Ways(self._network, out)

    def defaults(self, node: str) -> list[RouteSpec]:
        """A node's way out, in each IP version."""
        way = self._way_out[node]
        if way is None:
            return []
        name, wire = way
        interface = self._network.interface(node, wire)
        hops = ((version, wire.address(name, version)) for version in self._network.versions)
        return [RouteSpec(EVERYTHING[version], hop, interface) for version, hop in hops if hop is not None]

    def towards(self, node: str, address: bytes) -> Iterator[RouteSpec]:
        """What a node learns about an address, the longest prefix first."""
        if node in self._lone:
            return
        number, bits = int.from_bytes(address, "big"), 8 * len(address)
        for version, length in self._lengths:
            if len(address) != (4 if version == 4 else 16):
                continue
            host_bits = bits - length
            net = Prefix((number >> host_bits << host_bits).to_bytes(len(address), "big"), length)
            if net in self._on:
                found = self._route(node, net)
                if found is not None:
                    yield found

    def all(self, node: str) -> Iterator[RouteSpec]:
        """All that a node learns. Raises ConfigError in a network where that is too much to be listed."""
        if node in self._lone:
            return
        told = sum(self._network.forwards(each) and each not in self._lone for each in self._way_out)
        if told * len(self._wires) > MOST:
            message = f"{told} routers and {len(self._wires)} links make more than {MOST} routes to list"
            raise ConfigError(f"{message}; put parts behind gateways, or links on a LAN", self._network.place)
        for net in self._on:
            found = self._route(node, net)
            if found is not None:
                yield found

    def _route(self, node: str, net: Prefix) -> RouteSpec | None:
        for wire in self._on[net]:
            hop = self._next_hop(node, wire)
            if hop is not None:
                teller, by = hop
                via = by.address(teller, net.version)
                return RouteSpec(net, via, self._network.interface(node, by))
        return None

    def _next_hop(self, node: str, towards: Wire) -> tuple[str, Wire] | None:
        """Who told a node of a link, and on which link; None when it is on that link, or nobody told it."""
        came_by = self._search(~towards.number)
        by = came_by.get(node)
        if not isinstance(by, int) or by < 0:
            return None
        teller = came_by[by]
        assert isinstance(teller, str)  # noqa: S101  # of a node always a link, of a link always a node
        return teller, self._wires[by]

    def _search(self, start: int) -> Mapping[_Vertex, _Vertex]:
        """Whoever hears of what is on a link, in that order, and by whom or by which link."""
        came_by = self._searches.get(start)
        if came_by is None:
            came_by = self._searches[start] = {start: start}
            todo: deque[_Vertex] = deque(
                [start]
            )  # networkx's own search takes twice as long, and knows no secrets
            while todo:
                teller = todo.popleft()
                hidden = self._hidden.get(teller, ())
                is_secret = came_by[teller] in hidden
                for told in self._listeners[teller]:
                    if told not in came_by and (not is_secret or told in hidden):
                        came_by[told] = teller
                        todo.append(told)
        return came_by

    def _told(self) -> "networkx.DiGraph[_Vertex]":
        """Which link's news comes to which node, and to which links that node hands them on.

        Who has one way out tells of its own links, and hands nothing on.
        """
        graph: networkx.DiGraph[_Vertex] = networkx.DiGraph()
        network = self._network
        for wire in self._wires:
            graph.add_node(~wire.number)
            for node, _ in wire.ends:
                if (node, wire.name) in self._out or (node in self._lone and not network.forwards(node)):
                    continue
                graph.add_edge(~wire.number, node)
                if node not in self._lone:
                    graph.add_edge(wire.number, node)
        for node in filter(network.forwards, self._way_out):
            wires = [wire for wire in network.wires_of[node] if (node, wire.name) not in self._out]
            graph.add_edges_from((node, wire.number) for wire in wires)
            hidden = [wire.number for wire in wires if network.hides(node, wire)]
            if hidden:
                self._hidden[node] = {*hidden, *(~number for number in hidden)}
        return graph


def _hiders(network: Network) -> dict[str, list[str]]:
    """For each router the gateways and NATs that it is behind."""
    found: dict[str, list[str]] = {}
    for gateway, kind in network.kinds.items():
        if kind == "gateway" or gateway in network.outside_of_nat:
            inside = dict.fromkeys(node for wire in network.behind(gateway) for node, _ in wire.ends)
            for node in inside:
                found.setdefault(node, []).append(gateway)
    return found


def _way_out(network: Network, node: str, hiders: Iterable[str], out: Ends) -> tuple[str, Wire] | None:
    """The one way out: a host's first router; a gateway's way to its peer; an inner router's gateway."""
    kind = network.kinds[node]
    hops = network.next_hops(node, out)
    if kind == "gateway":
        outside = [(name, wire) for name, wire in hops if not network.is_protected(node, wire)]
        peers = network.peers.get(node, set())
        for peer in (name for name in network.kinds if name in peers):
            way = network.path(node, peer, out)
            if way is not None and not network.is_protected(node, way[0][1]):
                hop = way[1][0] if len(way) > 1 else peer
                outside = [(hop, way[0][1]), *outside] if network.forwards(hop) else outside
                break
        hops = outside
    elif node in network.outside_of_nat:
        hops = [(name, wire) for name, wire in hops if not network.hides(node, wire)]
    elif network.forwards(node):
        hops = _towards_hider(network, node, hiders, out)
    return hops[0] if hops else None


def _towards_hider(network: Network, router: str, hiders: Iterable[str], out: Ends) -> list[tuple[str, Wire]]:
    """For a router behind a gateway or a NAT: the way to it."""
    for gateway in hiders:
        way = network.path(router, gateway, out)
        if way is not None:
            return [(way[1][0] if len(way) > 1 else gateway, way[0][1])]
    return []
