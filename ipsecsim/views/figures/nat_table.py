"""The NAT's table over time: a bar for each mapping, what kept it alive, and when it was forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameArrived
from ipsecsim.observe.turn_story.naming import name
from ipsecsim.stack.nat.events import MappingEnded, MappingMade, PacketTranslated
from ipsecsim.views.figures.figure import Figure, chart, shown, style
from ipsecsim.views.figures.marks import SHADES, time_unit
from ipsecsim.views.palette import EVENTS, colour
from ipsecsim.wire.numbers import protocol_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 10
_End = tuple[bytes, int]


@dataclass(slots=True)
class Life:
    """One mapping; `ended` is None while it is there. `used` are packets that passed, `kept` keepalives."""

    node: str
    protocol: str
    inside: _End
    outside: _End
    lifetime: Duration
    made: Instant
    used: list[Instant] = field(default_factory=list)
    kept: list[Instant] = field(default_factory=list)
    ended: Instant | None = None
    why: str = ""

    @property
    def label(self) -> str:
        """'UDP 192.168.1.2:4500 > 192.0.2.1:61022'."""
        return f"{self.protocol} {_end(self.inside)} > {_end(self.outside)}"


def mappings(run: Run) -> list[Life]:
    """Every mapping of every NAT, as they were made."""
    found: list[Life] = []
    alive: dict[tuple[str, _End, _End], Life] = {}
    for turn in run.recorder.all_turns():
        keeps = any(
            isinstance(row.event, FrameArrived) and name(row.event.packet) == "NAT keepalive" for row in turn
        )
        for row in turn:
            event = row.event
            if isinstance(event, MappingMade):
                life = Life(
                    row.node,
                    protocol_name(event.protocol),
                    event.inside,
                    event.outside,
                    event.lifetime,
                    row.at,
                )
                found.append(life)
                alive[row.node, event.inside, event.outside] = life
            elif isinstance(event, MappingEnded):
                gone = alive.pop((row.node, event.inside, event.outside), None)
                if gone is not None:
                    gone.ended, gone.why = row.at, event.why
            elif isinstance(event, PacketTranslated):
                pair = (event.before, event.after) if event.where == "source" else (event.after, event.before)
                used = alive.get((row.node, *pair))
                if used is not None:
                    (used.kept if keeps else used.used).append(row.at)
    return found


def _end(end: _End) -> str:
    address, port = end
    if not port:
        return unpack(address)
    return f"{unpack(address)}:{port}" if len(address) == 4 else f"[{unpack(address)}]:{port}"


def nat_table(run: Run) -> Figure:
    """All mappings; of many the first ones."""
    every = mappings(run)
    chosen = every[:_MOST]
    title = _title(run, every)
    unit, word = time_unit(run.now)
    with style():
        drawing, axes = chart(title, height=max(2.2, 1.25 + 0.62 * len(chosen)))
        for at, life in enumerate(chosen):
            _bar(axes, life, -at, unit, run.now)
        axes.set_ylim(-len(chosen) + 0.35, 0.75)
        axes.set_xlim(0, max(run.now, 1) / unit * 1.02)
        axes.set_yticks([-at for at in range(len(chosen))], [shown(life.node, 14) for life in chosen])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        key = f"time in {word}; | a packet"
        key += ", diamond: keepalive" * any(life.kept for life in chosen)
        key += ", cross: forgotten" * any(life.ended is not None for life in chosen)
        axes.set_xlabel(key)
    lines = [title, *(_line(life, unit, word) for life in every)]
    return Figure("nat", title, "\n".join(lines), f"Bars over time, one a mapping. {title}.", drawing)


def _title(run: Run, every: Sequence[Life]) -> str:
    subject = shown(run.topology.name, 40)
    if not every:
        return f"{subject}: no NAT made a mapping"
    gone = sum(life.ended is not None for life in every)
    kept = sum(len(life.kept) for life in every)
    words = f"{subject}: {len(every)} mapping{'s' * (len(every) != 1)}, {gone or 'none'} forgotten"
    return words + (f", {kept} keepalive{'s' * (kept != 1)}" if kept else "")


def _bar(axes: "Axes", life: Life, y: float, unit: int, now: Instant) -> None:
    shade = SHADES["rewritten"]
    end = now if life.ended is None else life.ended
    axes.barh(
        y,
        max(end - life.made, 1) / unit,
        left=life.made / unit,
        height=0.3,
        facecolor=shade.tint,
        edgecolor=shade.stroke,
        hatch="" if life.ended is not None else "...",
        linewidth=1,
        zorder=2,
    )
    axes.plot(
        [at / unit for at in life.used],
        [y] * len(life.used),
        "|",
        color=colour("ink"),
        markersize=9,
        zorder=3,
    )
    axes.plot(
        [at / unit for at in life.kept],
        [y] * len(life.kept),
        EVENTS["nat"].marker,
        color=shade.stroke,
        markeredgecolor=colour("ink"),
        markersize=6,
        zorder=4,
    )
    if life.ended is not None:
        axes.plot([end / unit], [y], EVENTS["drop"].marker, color=colour("drop"), markersize=8, zorder=5)
    is_late = life.made > 0.55 * now
    axes.annotate(
        life.label + (f": {life.why}" if life.why else ""),
        ((end if is_late else life.made) / unit, y + 0.19),
        ha="right" if is_late else "left",
        va="bottom",
        fontsize=9,
        color=shade.word,
    )


def _line(life: Life, unit: int, word: str) -> str:
    end = "still there" if life.ended is None else f"forgotten at {life.ended / unit:.3f} {word} ({life.why})"
    return (
        f"  {EVENTS['nat'].glyph} {shown(life.node)}   {life.label}   made at {life.made / unit:.3f} {word}, "
        f"{len(life.used)} packets, {len(life.kept)} keepalives, {end}"
    )
