"""Where the nodes of a topology stand in a picture: from left to right along the traffic, branches fanned out.

The longest way that traffic takes is the spine. What hangs from it goes on to the left or to the right, like a
tree; a second way between two points of the spine runs beside it. Nothing is left to chance, nor to the order of
the file: where two things are alike the names decide, and 'pc10' comes after 'pc9'.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from ipsecsim.scenario.model import NodeSpec, Topology
from ipsecsim.scenario.model_script import Traffic

ICONS = {
    "host": "host",
    "laptop": "laptop",
    "router": "router",
    "gateway": "gateway",
    "nat": "nat",
    "firewall": "firewall",
    "attacker": "attacker",
}
"""The picture of each kind of node; `host` where a kind has none of its own."""

_Vertex = tuple[str, str]
"""("node" or "link", name). Links are vertices too, since a LAN has more than two ends."""

_Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A LAN drawn as an upright bar: at `x`, from `top` to `bottom`."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Zone:
    """Nodes that belong together, as 'behind home' or 'internet'."""

    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All places: nodes and bars from 0 to 1, `y` downwards; `columns` and `rows` say how fine the grid is."""

    nodes: Mapping[str, _Place]
    bars: Mapping[str, Bar]
    columns: float
    rows: float


def icon(kind: str) -> str:
    """The name of the picture for a kind of node."""
    return ICONS.get(kind, "host")


def positions(topology: Topology) -> dict[str, _Place]:
    """Where each node stands, from 0 to 1, `y` downwards. No two stand in one cell of the grid."""
    return dict(layout(topology).nodes)


def layout(topology: Topology) -> Layout:
    """The places of nodes and LANs. Parts of a topology that nothing joins stand below each other."""
    graph = _graph(topology)
    found: dict[_Vertex, tuple[float, float]] = {}
    bottom = 0.0
    for part in sorted(nx.connected_components(graph), key=lambda each: min(map(_natural, each))):
        placed = _Part(topology, graph.subgraph(part)).places()
        top = min(row for _, row in placed.values())
        for vertex, (column, row) in placed.items():
            found[vertex] = (column, row - top + bottom)
        bottom = max(row for _, row in found.values()) + 1
    nodes = {vertex: place for vertex, place in found.items() if vertex[0] == "node"}
    first = min((column for column, _ in nodes.values()), default=0)
    columns = (max((column for column, _ in nodes.values()), default=0) - first) / 2 + 1
    rows = max(bottom, 1.0)

    def cell(place: _Place) -> _Place:
        return ((place[0] - first) / 2 + 0.5) / columns, (place[1] + 0.5) / rows

    bars = {}
    for link in topology.links.values():
        if len(link.endpoints) > 2:
            ends = [found["node", node][1] for node, _ in link.endpoints]
            x, top = cell((found["link", link.name][0], min(ends)))
            bars[link.name] = Bar(x, top, cell((0, max(ends)))[1])
    return Layout({name: cell(nodes["node", name]) for name in topology.nodes}, bars, columns, rows)


def _graph(topology: Topology) -> "nx.Graph[_Vertex]":
    """Nodes and links as vertices, in the order of their names."""
    graph: nx.Graph[_Vertex] = nx.Graph()
    nodes: list[_Vertex] = [("node", name) for name in topology.nodes]
    nodes.sort(key=_natural)
    graph.add_nodes_from(nodes)
    edges: list[tuple[_Vertex, _Vertex]] = [
        (("node", node), ("link", link.name))
        for link in topology.links.values()
        for node, _ in link.endpoints
    ]
    edges += [(("node", node.name), ("link", tap)) for node in topology.nodes.values() for tap in node.taps]
    edges.sort(key=lambda edge: (_natural(edge[0]), _natural(edge[1])))
    graph.add_edges_from(edges)
    return graph


def _natural(vertex: _Vertex) -> tuple[object, ...]:
    """A key by which 'pc9' comes before 'pc10'."""
    parts = re.split(r"([0-9]+)", vertex[1])
    return (
        vertex[0] != "node",
        [(int(part), "") if part.isdecimal() else (-1, part) for part in parts],
        vertex[1],
    )


class _Part:
    """One connected part: columns first, then rows. A node's column is even, a link's lies between."""

    def __init__(self, topology: Topology, graph: "nx.Graph[_Vertex]"):
        self.topology = topology
        self.graph = graph
        pairs = list(_traffic(topology)) or [
            (each.ends[0].node, each.ends[-1].node) for each in topology.tunnels.values()
        ]
        self.pairs = [pair for pair in pairs if ("node", pair[0]) in graph and ("node", pair[1]) in graph]
        self.sources = {source for source, _ in self.pairs}
        self.targets = {target for _, target in self.pairs}
        self.spine = self._spine()
        self.columns = {vertex: at for at, vertex in enumerate(self.spine)}
        self.minor: set[_Vertex] = set()

    def places(self) -> dict[_Vertex, _Place]:
        """Column and row of every vertex, in a grid of its own."""
        self._place_columns()
        return self._rows()

    def _spine(self) -> list[_Vertex]:
        """The longest of the ways that traffic takes; without traffic, the longest way there is."""
        ways = [self._way(("node", source), ("node", target)) for source, target in self.pairs]
        if not ways:
            nodes = sorted((each for each in self.graph if each[0] == "node"), key=_natural)
            start = self._farthest(nodes[0])
            ways = [self._way(*sorted((start, self._farthest(start)), key=_natural))]
        return max(ways, key=len)

    def _way(self, source: _Vertex, target: _Vertex) -> list[_Vertex]:
        """The first of the shortest ways, by the names on it."""
        distances = nx.single_source_shortest_path_length(self.graph, target)
        way = [source]
        while way[-1] != target:
            nearer = (each for each in self.graph[way[-1]] if distances[each] < distances[way[-1]])
            way.append(min(nearer, key=_natural))
        return way

    def _farthest(self, start: _Vertex) -> _Vertex:
        distances = nx.single_source_shortest_path_length(self.graph, start)
        nodes = [vertex for vertex in distances if vertex[0] == "node"]
        farthest: _Vertex = min(nodes, key=lambda vertex: (-distances[vertex], _natural(vertex)))
        return farthest

    # Columns

    def _place_columns(self) -> None:
        rest = self.graph.subgraph([vertex for vertex in self.graph if vertex not in self.columns])
        branches = sorted(nx.connected_components(rest), key=lambda each: min(map(_natural, each)))
        balance = 0
        for branch in branches:
            roots = sorted(
                {near for vertex in branch for near in self.graph[vertex] if near in self.columns},
                key=self.columns.__getitem__,
            )
            from_first = self._distances(branch, roots[0])
            if len(roots) > 1:
                self._beside(branch, roots[0], roots[-1], from_first)
                continue
            side = self._side(branch, roots[0], balance)
            balance += side
            if not side:
                self.minor |= branch
            start = self.columns[roots[0]]
            for vertex in branch:
                self.columns[vertex] = start + side * from_first[vertex]

    def _distances(self, branch: set[_Vertex], root: _Vertex) -> dict[_Vertex, int]:
        return nx.single_source_shortest_path_length(self.graph.subgraph([*branch, root]), root)

    def _beside(
        self, branch: set[_Vertex], first: _Vertex, last: _Vertex, from_first: Mapping[_Vertex, int]
    ) -> None:
        """A second way: its vertices share the width between both ends."""
        from_last = self._distances(branch, last)
        start, width = self.columns[first], self.columns[last] - self.columns[first]
        for vertex in branch:
            share = from_first[vertex] / (from_first[vertex] + from_last[vertex])
            column = start + width * share
            self.columns[vertex] = 2 * round(column / 2) if vertex[0] == "node" else round(column)

    def _side(self, branch: set[_Vertex], root: _Vertex, balance: int) -> int:
        """-1 to grow to the left, 1 to the right, 0 to stand below: a node that nobody talks to."""
        names = {name for kind, name in branch if kind == "node"}
        column, last = self.columns[root], len(self.spine) - 1
        outward = -1 if 2 * column < last else 1
        sends, receives = bool(names & self.sources), bool(names & self.targets)
        if not sends and not receives and len(names) == 1 and column not in (0, last):
            return 0
        if column in (0, last) or self._is_inside(branch, root):
            return outward
        if sends != receives:
            return -1 if sends else 1
        return -1 if balance > 0 or (balance == 0 and not sends) else 1

    def _is_inside(self, branch: set[_Vertex], root: _Vertex) -> bool:
        """Does the branch hang from the protected side of a gateway, or from a NAT's inside?"""
        links = {root[1]} if root[0] == "link" else {name for kind, name in branch if kind == "link"}
        return any(
            interface.link in links
            and (interface.protected if node.nat is None else interface.name != node.nat.outside)
            for node in self.topology.nodes.values()
            if node.kind == "gateway" or node.nat is not None
            for interface in node.interfaces
            if root in (("link", interface.link), ("node", node.name))
        )

    # Rows

    def _rows(self) -> dict[_Vertex, _Place]:
        """Each leaf has a row of its own, whoever has branches stands in the middle of them."""
        root = self._root()
        tree = nx.bfs_tree(self.graph, root)
        rows: dict[_Vertex, float] = {root: 0.0}
        for is_left in (True, False):
            children = [
                child
                for child in self._children(tree, root)
                if (self.columns[child] < self.columns[root]) is is_left and child not in self.minor
            ]
            side: dict[_Vertex, float] = {}
            for child in children:
                self._place_below(tree, child, side)
            middle = sum(side[child] for child in children) / max(len(children), 1)
            rows.update({vertex: row - middle for vertex, row in side.items()})
        for vertex in nx.topological_sort(tree):
            if vertex in self.minor:
                parent = next(iter(tree.predecessors(vertex)))
                rows[vertex] = rows[parent] + (vertex[0] == "node")
        return self._apart(rows)

    def _root(self) -> _Vertex:
        """The vertex of the spine from which most hangs, nearest to its middle."""
        middle = (len(self.spine) - 1) / 2
        return min(
            self.spine, key=lambda each: (-self.graph.degree(each), abs(self.columns[each] - middle), each[1])
        )

    def _children(self, tree: "nx.DiGraph[_Vertex]", vertex: _Vertex) -> list[_Vertex]:
        def first(child: _Vertex) -> tuple[object, ...]:
            below = [child, *nx.descendants(tree, child)]
            return min(map(_natural, below))

        return sorted(tree.successors(vertex), key=first)

    def _place_below(self, tree: "nx.DiGraph[_Vertex]", top: _Vertex, rows: dict[_Vertex, float]) -> None:
        children = [child for child in self._children(tree, top) if child not in self.minor]
        for child in children:
            self._place_below(tree, child, rows)
        if children:
            rows[top] = sum(rows[child] for child in children) / len(children)
        else:
            rows[top] = max((int(row) for row in rows.values()), default=-1) + 1.0

    def _apart(self, rows: Mapping[_Vertex, float]) -> dict[_Vertex, _Place]:
        """Whoever would stand on another moves down."""
        places: dict[_Vertex, _Place] = {}
        taken: list[_Place] = []
        order = sorted(rows, key=lambda each: (each in self.minor, each not in self.spine, _natural(each)))
        for vertex in order:
            column, row = self.columns[vertex], rows[vertex]
            while vertex[0] == "node" and any(abs(x - column) < 2 and abs(y - row) < 1 for x, y in taken):
                row += 0.5
            places[vertex] = (column, row)
            if vertex[0] == "node":
                taken.append((column, row))
        return places


def _traffic(topology: Topology) -> Iterator[tuple[str, str]]:
    """Who sends to whom, in the order of the script."""
    for entry in topology.script:
        for action in entry.do:
            if isinstance(action, Traffic):
                yield action.source, action.to


# Zones


def zones(topology: Topology) -> tuple[Zone, ...]:
    """Who stands behind the same NAT or gateway, and the internet between them; empty when that divides nothing.

    Each is a block of the picture: a zone whose frame would hold somebody else is left out.
    """
    places = positions(topology)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(topology.nodes)
    for link in topology.links.values():
        inner = [node for node, interface in link.endpoints if not _faces_out(topology, node, interface)]
        nx.add_path(graph, inner)
    parts = sorted(nx.connected_components(graph), key=lambda part: min(places[name] for name in part))
    found = [Zone(_zone_name(topology, part), _in_order(part, places)) for part in parts]
    found = [zone for zone in found if zone.name and _is_alone(zone, places)]
    return tuple(found) if len(found) > 1 else ()


def _faces_out(topology: Topology, node: str, interface: str) -> bool:
    """Does something begin here: a NAT's outside, or a gateway's side towards a network that nobody hides?"""
    spec = topology.nodes[node]
    link = next(each.link for each in spec.interfaces if each.name == interface)
    if spec.nat is not None:
        return spec.nat.outside == interface
    if not _is_site(spec):
        return False
    if spec.kind == "gateway" and any(each.protected for each in spec.interfaces if each.link == link):
        return False
    others = [(topology.nodes[name], end) for name, end in topology.links[link].endpoints if name != node]
    return not any(other.nat is not None and other.nat.outside != end for other, end in others)


def _is_site(spec: NodeSpec) -> bool:
    return spec.nat is not None or spec.ipsec is not None


def _zone_name(topology: Topology, part: Iterable[str]) -> str:
    """'behind home', 'behind west', 'internet'; '' for nodes of which nothing more is to be said."""
    specs = [topology.nodes[name] for name in part]
    for kind in ("nat", "gateway"):
        names = sorted(
            spec.name for spec in specs if (spec.nat is not None if kind == "nat" else spec.kind == kind)
        )
        if names and len(specs) > 1:
            return "behind " + " and ".join(names)
    kinds = {spec.kind for spec in specs}
    if [spec.name for spec in specs] == ["internet"]:
        return ""
    return "internet" if "router" in kinds and "firewall" not in kinds else ""


def _in_order(part: Iterable[str], places: Mapping[str, _Place]) -> tuple[str, ...]:
    return tuple(sorted(part, key=lambda name: (*places[name], name)))


def _is_alone(zone: Zone, places: Mapping[str, _Place]) -> bool:
    xs, ys = zip(*(places[name] for name in zone.nodes), strict=True)
    others: Sequence[_Place] = [place for name, place in places.items() if name not in zone.nodes]
    return not any(min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys) for x, y in others)
