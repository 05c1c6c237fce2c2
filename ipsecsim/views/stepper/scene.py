"""What does not change from turn to turn: nodes and links with their places, and which pairs belong together."""

from collections import deque
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.tunnel_life import ups
from ipsecsim.experiment.tunnels import rules_of
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.scenario.model import NodeSpec, Topology, TunnelSpec
from ipsecsim.views.topology_layout import Bar, icon, layout, zones
from ipsecsim.wire.layout import AUTHENTICATED, SEALED

Span = tuple[int, int, str]
"""From which turn to which, and how bytes are protected there."""


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
    """For each link on a tunnel's way from when to when it was up, and whether it hides what it carries."""
    found: dict[str, list[Span]] = {}
    for name, tunnel in run.topology.tunnels.items():
        spans: list[Span] = []
        protection = _protection(run, tunnel)
        for turn, is_up in ups(run.world, run.recorder, name):
            if is_up:
                spans.append((turn.number, run.turns, protection))
            elif spans:
                spans[-1] = (spans[-1][0], turn.number, protection)
        if spans and len(tunnel.ends) == 2:
            for link in _way(run.topology, *(end.node for end in tunnel.ends)):
                found[link] = sorted([*found.get(link, []), *spans])
    return found


def _protection(run: Run, tunnel: TunnelSpec) -> str:
    """'auth' where no SA of a tunnel hides anything, as with AH and ESP-NULL."""
    rules = {
        (end.node, rule)
        for end in tunnel.ends
        for rule in rules_of(run.topology.nodes[end.node], tunnel, end)
    }
    installed = [event for row, event in run.recorder.of(SaInstalled) if (row.node, event.policy) in rules]
    hides = any(event.protocol == "ESP" and not _only_signs(event.suite) for event in installed)
    return SEALED if hides or not installed else AUTHENTICATED


def _only_signs(suite: str) -> bool:
    return suite.startswith("null") or "gmac" in suite


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
