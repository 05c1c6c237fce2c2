"""Routing tables: shortest paths, with what lies behind a gateway unknown outside it.

Were it known, a packet that leaks in clear would look like success. A node with one way out has a default
route in place of a list.
"""

from collections import deque

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario.addresses import missing_version
from ipsecsim.scenario.model import RouteSpec
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network, Wire
from ipsecsim.scenario.problems import Mistake, Problems, did_you_mean
from ipsecsim.scenario.sentence import parse
from ipsecsim.scenario.swanctl.values import address, prefix
from ipsecsim.scenario.tree import Seq, Text

MOST = 2_000_000
"""Routes that a topology may need in all."""

EVERYTHING = {4: Prefix(bytes(4), 0), 6: Prefix(bytes(16), 0)}
_Table = dict[Prefix, RouteSpec]


def tables(network: Network, names: Names, problems: Problems) -> dict[str, tuple[RouteSpec, ...]]:
    """Each node's routes, IPv4 before IPv6: its own links first, then the longest prefixes first."""
    made = [_tables(network, names, problems, version) for version in network.versions]
    return {node: tuple(route for table in made for route in table[node]) for node in network.kinds}


def _tables(
    network: Network, names: Names, problems: Problems, version: int
) -> dict[str, tuple[RouteSpec, ...]]:
    defaults = {node: _default(network, node, version) for node in network.kinds}
    lone = {
        node for node in network.kinds if defaults[node] is not None and len(_next_hops(network, node)) == 1
    }
    told = sum(network.forwards(node) and node not in lone for node in network.kinds)
    if told * len(network.wires) > MOST:
        message = f"{told} routers and {len(network.wires)} links make more than {MOST} routes"
        raise ConfigError(f"{message}; put parts behind gateways, or links on a LAN", network.place)
    made: dict[str, _Table] = {node: {} for node in network.kinds}
    for wire in network.wires.values():
        _spread(network, wire, made, lone, version)
    for node, table in made.items():
        default = defaults[node]
        if default is not None:
            made[node] = {net: route for net, route in table.items() if route.via != default.via}
            made[node][EVERYTHING[version]] = default
        made[node] |= _own(network, names, node, problems, version)
    return {node: (*_connected(network, node, version), *_sorted(table)) for node, table in made.items()}


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


def _connected(network: Network, node: str, version: int) -> list[RouteSpec]:
    return [
        RouteSpec(wire.nets[version], None, network.interface(node, wire))
        for wire in network.wires_of[node]
        if version in wire.nets
    ]


def _sorted(table: _Table) -> list[RouteSpec]:
    return sorted(table.values(), key=lambda route: (-route.prefix.length, route.prefix.network))


def _next_hops(network: Network, node: str) -> list[tuple[str, Wire]]:
    """The neighbours a packet could be given to."""
    return [
        (name, wire)
        for wire in network.wires_of[node]
        for name, _ in wire.ends
        if name != node and network.forwards(name)
    ]


def _default(network: Network, node: str, version: int) -> RouteSpec | None:
    """The one way out: a host's first router; a gateway's way to its peer; an inner router's gateway."""
    kind = network.kinds[node]
    hops = _next_hops(network, node)
    if kind == "gateway":
        outside = [(name, wire) for name, wire in hops if not network.is_protected(node, wire)]
        peers = network.peers.get(node, set())
        for peer in (name for name in network.kinds if name in peers):
            way = network.path(node, peer)
            if way is not None and not network.is_protected(node, way[0][1]):
                hop = way[1][0] if len(way) > 1 else peer
                outside = [(hop, way[0][1]), *outside] if network.forwards(hop) else outside
                break
        hops = outside
    elif node in network.outside_of_nat:
        hops = [(name, wire) for name, wire in hops if not network.hides(node, wire)]
    elif network.forwards(node):
        hops = _towards_hider(network, node)
    if not hops:
        return None
    name, wire = hops[0]
    return RouteSpec(EVERYTHING[version], wire.address(name, version), network.interface(node, wire))


def _towards_hider(network: Network, router: str) -> list[tuple[str, Wire]]:
    """For a router behind a gateway or a NAT: the way to it."""
    for gateway, kind in network.kinds.items():
        hides = kind == "gateway" or gateway in network.outside_of_nat
        if not hides or not any(router in dict(wire.ends) for wire in network.behind(gateway)):
            continue
        way = network.path(router, gateway)
        if way is not None:
            return [(way[1][0] if len(way) > 1 else gateway, way[0][1])]
    return []


def _spread(network: Network, wire: Wire, made: dict[str, _Table], lone: set[str], version: int) -> None:
    """Tell the nodes that may know it the way to a link's network; a single way out needs no telling."""
    net = wire.nets.get(version)
    if net is None:
        return
    seen = {node for node, _ in wire.ends}
    todo = deque((node, wire) for node, _ in wire.ends)
    while todo:
        node, learned = todo.popleft()
        if not network.forwards(node):
            continue
        inside = network.hides(node, learned)
        for other in network.wires_of[node]:
            if other is learned or (inside and not network.hides(node, other)):
                continue
            for name, interface in other.ends:
                if name in seen:
                    continue
                seen.add(name)
                if name in lone:
                    continue
                made[name].setdefault(net, RouteSpec(net, other.address(node, version), interface))
                todo.append((name, other))


def _own(network: Network, names: Names, node: str, problems: Problems, version: int) -> _Table:
    """The routes of one IP version that the file gives a node."""
    made: _Table = {}
    listed = names.nodes[node].get("routes")
    for text in listed.items if isinstance(listed, Seq) else []:
        if not isinstance(text, Text):
            continue
        sentence = parse(text)
        net = prefix(sentence.words[0].text)
        if net.version not in network.versions:
            problems.add(missing_version(net.version), text.place)
            continue
        if net.version != version:
            continue
        via = sentence.pairs[0].value
        found = _neighbour(network, names, node, via.text, version)
        if found is None:
            problems.add(
                f"'{via.text}' is no neighbour of {node}: a route goes via a node on one of its links",
                text.at(via.offset),
            )
            continue
        hop, wire = found
        if net.length > 0 and hop in net and net.length >= wire.nets[version].length:
            problems.add(f"{unpack(hop)} is inside {net}, so it can't be the way there", text.at(via.offset))
            continue
        made[net] = RouteSpec(net, hop, network.interface(node, wire))
    return made


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
