"""The map of a topology: nodes, links and LANs, who stands behind whom, and the tunnels over it."""

from typing import TYPE_CHECKING

from ipsecsim.base.address import unpack
from ipsecsim.scenario.model import LinkSpec, NodeSpec, Topology
from ipsecsim.views.figures.figure import WIDTH, Figure, fit, sheet, shown, style, wrapped
from ipsecsim.views.figures.marks import SHADES
from ipsecsim.views.palette import PROTECTION, colour
from ipsecsim.views.topology_layout import Layout, Zone, layout, zones

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL = 1.36  # inches of a column, once there are many
_ROW = 1.3
_TOP = 0.3
_TUNNEL_ROOM = 0.5
_BOX = (1.08, 0.5)
_MANY = 4  # tunnels: so many are not named in the picture
_KINDS = {"nat": "NAT", "gateway": "VPN gateway"}


def topology_map(topology: Topology) -> Figure:
    """Where everything is. Needs no run."""
    laid, found = layout(topology), zones(topology)
    title = _title(topology)
    with style():
        width = max(WIDTH, laid.columns * _CELL + 0.2)
        over = _TUNNEL_ROOM if 0 < len(_pairs(topology)) < _MANY else 0.15
        drawing, axes = sheet(width, _TOP + over + laid.rows * _ROW)
        axes.text(0.12, 0.12, wrapped(title, width), va="top", fontweight="bold")
        places = {
            name: (x * width, _TOP + over + y * laid.rows * _ROW) for name, (x, y) in laid.nodes.items()
        }
        for zone in found:
            _zone(axes, zone, places, width / laid.columns)
        for link in topology.links.values():
            _link(axes, link, places, laid, (width, _TOP + over, laid.rows * _ROW))
        for node in topology.nodes.values():
            _node(axes, node, places[node.name], min(_BOX[0], width / laid.columns - 0.25))
            for tap in node.taps:
                _tap(axes, topology.links[tap], places, node.name)
        _tunnels(axes, topology, places)
    return Figure("topology", title, _text(topology, title, found), _alt(topology, title), drawing)


def _title(topology: Topology) -> str:
    nodes, tunnels = len(topology.nodes), len(topology.tunnels)
    over = f" and {tunnels} tunnel{'s' * (tunnels != 1)} over them" if tunnels else ""
    return f"{shown(topology.name, 40)}: {nodes} nodes on {len(topology.links)} links{over}"


def _kind(node: NodeSpec) -> str:
    return _KINDS.get(node.kind, node.kind)


def _addresses(node: NodeSpec) -> list[str]:
    return [unpack(packed) for interface in node.interfaces for packed, _ in interface.addresses]


def _zone(axes: "Axes", zone: Zone, places: dict[str, tuple[float, float]], column: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    xs, ys = zip(*(places[name] for name in zone.nodes), strict=True)
    left, top = min(xs) - column / 2 + 0.05, min(ys) - 0.5
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            max(xs) - min(xs) + column - 0.1,
            max(ys) - min(ys) + 1.1,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour("sunken"),
            edgecolor=colour("hairline"),
            zorder=0,
        )
    )
    bottom = max(ys) + 0.58
    words = axes.text(left + 0.07, bottom, shown(zone.name), va="bottom", fontsize=9, color=colour("ink-2"))
    fit(words, max(xs) - min(xs) + column - 0.2)


def _link(
    axes: "Axes",
    link: LinkSpec,
    places: dict[str, tuple[float, float]],
    laid: Layout,
    frame: tuple[float, float, float],
) -> None:
    """A line of two ends, or a bar with a line to each node."""
    width, top, height = frame
    line = {"color": colour("ink-2"), "linewidth": 1.6, "zorder": 1, "solid_capstyle": "round"}
    ends = [places[node] for node, _ in link.endpoints]
    bar = laid.bars.get(link.name)
    if bar is None:
        (x, y), (to_x, to_y) = ends[0], ends[-1]
        axes.plot([x, to_x], [y, to_y], **line)  # type: ignore[arg-type]  # one mapping for several calls
        middle, room = ((x + to_x) / 2, (y + to_y) / 2), max(0.5, abs(to_x - x) - _BOX[0] + 0.5)
    else:
        x, high, low = bar.x * width, top + bar.top * height, top + bar.bottom * height
        axes.plot([x, x], [high - 0.2, low + 0.2], **{**line, "linewidth": 4})  # type: ignore[arg-type]
        for to_x, to_y in ends:
            axes.plot([x, to_x], [to_y, to_y], **line)  # type: ignore[arg-type]
        middle, room = (x, low + 0.42), 1.0
    words = axes.text(
        middle[0],
        middle[1] + 0.48 if bar is None else middle[1],
        shown(link.name),
        ha="center",
        va="center",
        fontsize=8.5,
        color=colour("ink-2"),
        zorder=4,
        bbox={"facecolor": colour("surface"), "edgecolor": "none", "pad": 1, "alpha": 0.85},
    )
    fit(words, room)


def _tap(axes: "Axes", link: LinkSpec, places: dict[str, tuple[float, float]], node: str) -> None:
    """Who listens at a link hangs from its middle by a dotted line."""
    ends = [places[name] for name, _ in link.endpoints]
    x, y = (sum(each) / len(ends) for each in zip(*ends, strict=True))
    to_x, to_y = places[node]
    axes.plot([x, to_x], [y, to_y], color=colour("drop"), linestyle=":", linewidth=1.6, zorder=1)


def _node(axes: "Axes", node: NodeSpec, place: tuple[float, float], width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    shade = SHADES["drop" if node.kind == "attacker" else "rewritten" if node.kind == "nat" else "clear"]
    is_end = node.ipsec is not None
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - _BOX[1] / 2),
            width,
            _BOX[1],
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=colour("surface"),
            edgecolor=colour("ink") if is_end else shade.stroke,
            linewidth=2.2 if is_end else 1.2,
            zorder=3,
        )
    )
    centred = {"ha": "center", "va": "center", "zorder": 4}
    name = axes.text(x, y - 0.09, shown(node.name), fontsize=10.5, fontweight="bold", **centred)  # type: ignore[arg-type]
    fit(name, width - 0.1)
    kind = axes.text(x, y + 0.12, _kind(node), fontsize=8.5, color=colour("ink-2"), **centred)  # type: ignore[arg-type]
    fit(kind, width - 0.1)
    addresses = _addresses(node)
    if addresses:
        several = addresses[0] + (f" +{len(addresses) - 1}" if len(addresses) > 1 else "")
        words = axes.text(x, y + _BOX[1] / 2 + 0.05, several, fontsize=7.5, ha="center", va="top", zorder=4)
        fit(words, width + 0.2)


def _tunnels(axes: "Axes", topology: Topology, places: dict[str, tuple[float, float]]) -> None:
    """A tube over the nodes for the tunnels of two ends; of many, the first few by name and the rest in a word."""
    from matplotlib.patches import FancyArrowPatch

    pairs, shade = _pairs(topology), SHADES["both"]
    half = _BOX[0] / 2
    for name, one, other in pairs:
        (x, y), (to_x, to_y) = sorted((places[one], places[other]))
        is_upright = abs(x - to_x) < 0.1
        start, end = (x - half, y), (to_x - half, to_y)
        if not is_upright:
            start, end = (x, y - _BOX[1] / 2 - 0.04), (to_x, to_y - _BOX[1] / 2 - 0.04)
        bend = 0.3 if is_upright else -0.16 if abs(y - to_y) < 0.1 else -0.05
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle="<->",
                mutation_scale=9,
                color=shade.stroke,
                linewidth=2.6 if len(pairs) < _MANY else 1.4,
                zorder=2,
            )
        )
        if len(pairs) < _MANY:
            height = min(y, to_y) - _BOX[1] / 2 - 0.12 - 0.08 * (to_x - x)
            words = axes.text(
                (x + to_x) / 2,
                height,
                f"tunnel {shown(name)}",
                ha="center",
                va="bottom",
                fontsize=9,
                color=shade.word,
                zorder=4,
            )
            fit(words, max(1.0, to_x - x))


def _pairs(topology: Topology) -> list[tuple[str, str, str]]:
    """Tunnels with two known ends: name, and both."""
    return [
        (tunnel.name, tunnel.ends[0].node, tunnel.ends[-1].node)
        for tunnel in topology.tunnels.values()
        if len(tunnel.ends) > 1
    ]


def _text(topology: Topology, title: str, found: tuple[Zone, ...]) -> str:
    lines = [title]
    for node in topology.nodes.values():
        lines.append(f"  {shown(node.name)}   {_kind(node)}   {', '.join(_addresses(node)) or 'no address'}")
    for link in topology.links.values():
        ends = " - ".join(shown(node) for node, _ in link.endpoints)
        lines.append(f"  link {shown(link.name)}: {ends}")
    lines += [f"  {shown(zone.name)}: {', '.join(map(shown, zone.nodes))}" for zone in found]
    for tunnel in topology.tunnels.values():
        ends = " = ".join(shown(end.node) for end in tunnel.ends) + " and whoever comes" * (
            len(tunnel.ends) < 2
        )
        lines.append(f"  tunnel {shown(tunnel.name)}: {ends}   ({PROTECTION['both'].word})")
    return "\n".join(lines)


def _alt(topology: Topology, title: str) -> str:
    return f"A map. {title}. From left to right: {', '.join(map(shown, topology.nodes))}."
