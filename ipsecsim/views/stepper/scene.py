"""What does not change from turn to turn: nodes and links with their places, and which pairs belong together."""

from collections import deque
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.tunnel_life import ups
from ipsecsim.scenario.model import NodeSpec, Topology
from ipsecsim.views.topology_layout import Bar, icon, layout, zones

Span = list[int]


def scene(run: Run) -> dict[str, Any]:
    """Nodes, zones, links, the lifelines of the ladder, and the pairs that 'both ends' shows."""
    topology = run.topology
    places = layout(topology)
    areas = zones(topology)
    zone_of = {node: zone.name for zone in areas for node in zone.nodes}
    spans = secured(run)
    return {
        "nodes": [
            _node(spec, places.nodes[name], zone_of.get(name, "")) for name, spec in topology.nodes.items()
        ],
        "grid": [places.columns, places.rows],
        "zones": [{"name": zone.name, "nodes": list(zone.nodes)} for zone in areas],
        "links": [
            {
                "name": name,
                "nodes": [node for node, _ in link.endpoints],
                "secured": spans.get(name, []),
                **_bar(places.bars.get(name)),
            }
            for name, link in topology.links.items()
        ],
        "ladder_nodes": sorted(places.nodes, key=lambda name: places.nodes[name]),
        "ends": [[end.node for end in tunnel.ends] for tunnel in topology.tunnels.values()],
    }


def secured(run: Run) -> dict[str, list[Span]]:
    """For each link on a tunnel's way the turns from and to which the tunnel was up."""
    found: dict[str, list[Span]] = {}
    for name, tunnel in run.topology.tunnels.items():
        spans: list[Span] = []
        for turn, is_up in ups(run.world, run.recorder, name):
            if is_up:
                spans.append([turn.number, run.turns])
            elif spans:
                spans[-1][1] = turn.number
        if spans and len(tunnel.ends) == 2:
            for link in _way(run.topology, *(end.node for end in tunnel.ends)):
                found[link] = sorted([*found.get(link, []), *spans])
    return found


def _node(spec: NodeSpec, place: tuple[float, float], zone: str) -> dict[str, Any]:
    own = [unpack(address) for interface in spec.interfaces for address, _ in interface.addresses]
    x, y = place
    return {
        "id": spec.name,
        "kind": spec.kind,
        "icon": icon(spec.kind),
        "zone": zone,
        "x": round(x, 4),
        "y": round(y, 4),
        "addresses": list(dict.fromkeys(own)),
        "taps": list(spec.taps),
    }


def _bar(bar: Bar | None) -> dict[str, float]:
    """Where a LAN of more than two ends is drawn."""
    if bar is None:
        return {}
    return {"x": round(bar.x, 4), "top": round(bar.top, 4), "bottom": round(bar.bottom, 4)}


def _way(topology: Topology, source: str, to: str) -> list[str]:
    """The links of a shortest way between two nodes; none when there is no way."""
    came: dict[str, tuple[str, str]] = {source: ("", "")}
    todo = deque([source])
    while todo:
        node = todo.popleft()
        for name, link in topology.links.items():
            ends = [each for each, _ in link.endpoints]
            if node not in ends:
                continue
            for other in ends:
                if other not in came:
                    came[other] = (node, name)
                    todo.append(other)
    links: list[str] = []
    while to != source and to in came:
        to, by = came[to]
        links.append(by)
    return links
