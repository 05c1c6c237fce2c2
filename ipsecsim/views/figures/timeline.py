"""When packets crossed each link: a lane a link, a mark a packet, losses where they happened."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.experiment.run import Run
from ipsecsim.observe.telling.shape import count
from ipsecsim.views.figures.figure import Figure, chart, shown, style
from ipsecsim.views.figures.marks import kind_of, mark, time_unit
from ipsecsim.views.palette import EVENTS, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LANES = 14


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame on a link, at so many nanoseconds. `kind` is a word of `EVENTS`, `is_back`: from its last node."""

    link: str
    turn: int
    at: int
    kind: str
    is_back: bool
    is_lost: bool


def seen(run: Run) -> list[Seen]:
    """Every frame, in order of its link and its number."""
    found: list[tuple[str, int, Seen]] = []
    for life in run.lives.all:
        for hop in life.hops:
            spec = run.topology.links.get(hop.link)
            is_back = spec is not None and hop.source == spec.endpoints[-1][0]
            is_lost = hop.reason is not None
            each = Seen(hop.link, hop.left, hop.at, kind_of(hop.packet), is_back, is_lost)
            found.append((hop.link, hop.frame, each))
    return [each for _, _, each in sorted(found, key=lambda one: one[:2])]


def timeline(run: Run, link: str = "", *, until: int | None = None) -> Figure:
    """All frames by link and time, or those of one link, or up to a turn. Of many links those that carried most."""
    every = [
        each
        for each in seen(run)
        if (not link or each.link == link) and (until is None or each.turn <= until)
    ]
    counts = Counter(each.link for each in every)
    busiest = {link for link, _ in counts.most_common(_LANES)}
    lanes = [link for link in run.topology.links if link in busiest]
    shown_frames = [each for each in every if each.link in busiest]
    lost = sum(each.is_lost for each in every)
    title = (
        f"{shown(run.topology.name, 40)}: {count(len(every), 'packet')} on {count(len(counts), 'link')}, "
        f"{lost or 'none'} of them lost or dropped"
    )
    unit, word = time_unit(max((each.at for each in every), default=0))
    with style():
        drawing, axes = chart(title, height=max(2.2, 1.3 + 0.55 * len(lanes)))
        for at in range(len(lanes)):
            axes.axhline(-at, color=colour("hairline"), linewidth=1, zorder=1)
        for kind in dict.fromkeys(each.kind for each in shown_frames):
            _marks(axes, kind, [each for each in shown_frames if each.kind == kind], lanes, unit)
        gone = [each for each in shown_frames if each.is_lost]
        axes.plot(
            [each.at / unit for each in gone],
            [_height(each, lanes) for each in gone],
            EVENTS["drop"].marker,
            color=colour("drop"),
            markeredgecolor=colour("surface"),  # else it is lost on the mark of its packet, in grey
            markersize=11,
            zorder=5,
        )
        axes.set_yticks([-at for at in range(len(lanes))], [_lane(run, link) for link in lanes])
        axes.tick_params(axis="y", length=0, labelsize=9)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-len(lanes) + 0.4, 0.6)
        axes.set_xlabel(f"time in {word}; above a line: from its first node, below: back")
        _key(axes, [*dict.fromkeys(each.kind for each in shown_frames), *(["drop"] if gone else [])])
    return Figure("packets", title, _text(run, title, every), f"A chart of dots over time. {title}.", drawing)


def _height(each: Seen, lanes: Sequence[str]) -> float:
    return -lanes.index(each.link) + (-0.2 if each.is_back else 0.2)


def _marks(axes: "Axes", kind: str, frames: Sequence[Seen], lanes: Sequence[str], unit: int) -> None:
    look = mark(kind)
    axes.plot(
        [each.at / unit for each in frames],
        [_height(each, lanes) for each in frames],
        look.marker,
        markersize=6,
        markerfacecolor=look.face,
        markeredgecolor=look.edge,
        markeredgewidth=1.3,
        zorder=3,
    )


def _key(axes: "Axes", kinds: Sequence[str]) -> None:
    """Marks with their words, in one line over the lanes."""
    from matplotlib.lines import Line2D

    handles = []
    for kind in kinds:
        look = mark(kind)
        word = "lost or dropped" if kind == "drop" else "in clear" if kind == "forward" else look.word
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker=look.marker,
                color=look.edge,
                markerfacecolor=look.face,
                label=word,
            )
        )
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=6,
        frameon=False,
        fontsize=9,
        handletextpad=0.1,
    )


def _lane(run: Run, link: str) -> str:
    ends = run.topology.links[link].endpoints
    return f"{shown(link, 16)}\n{shown(ends[0][0], 12)} - {shown(ends[-1][0], 12)}"


def _text(run: Run, title: str, every: Sequence[Seen]) -> str:
    lines = [title]
    for link in run.topology.links:
        here = [each for each in every if each.link == link]
        if not here:
            continue
        kinds = Counter("in clear" if each.kind == "forward" else mark(each.kind).word for each in here)
        words = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        lost = sum(each.is_lost for each in here)
        lines.append(f"  {shown(link)}   {words}" + (f", {lost} lost or dropped" if lost else ""))
    return "\n".join(lines)
