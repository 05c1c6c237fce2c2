"""Throughput and delay of each traffic over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.observe.lives.fate import outcome
from ipsecsim.observe.turn_story.naming import layer
from ipsecsim.views.figures.figure import Figure, chart, shown, style
from ipsecsim.views.figures.marks import time_unit
from ipsecsim.views.palette import EVENTS, SERIES, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 40


@dataclass(slots=True)
class Series:
    """What one traffic's sender got through: (arrived at, delay, bytes) of each, and when lost ones were sent."""

    name: str
    source: str
    to: str
    arrived: list[tuple[int, int, int]] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What it is called in pictures and texts."""
        return f"{shown(self.name, 20)} {shown(self.source, 14)} > {shown(self.to, 14)}"


def series(run: Run) -> list[Series]:
    """The packets that each traffic's source sent on its own account, in one direction. Nanoseconds and bytes."""
    found = {name: Series(name, source, to) for name, (_, source, to) in run.world.traffic.items()}
    for life in run.lives.all:
        if life.carries or life.copy_of is not None or life.piece_of or layer(life.first) != "plain":
            continue
        for name in life.traffic & found.keys():
            each = found[name]
            if life.node != each.source or life.answers is not None:
                continue
            born = run.recorder.turn(life.born)[0].at
            end = outcome(run.lives, life)
            if end.word == "delivered" and life.ended is not None:
                at = run.recorder.turn(life.ended)[0].at
                each.arrived.append((at, at - born, len(life.first)))
            elif end.word in ("dropped", "lost"):
                each.lost.append(born)
    return [each for each in found.values() if each.arrived or each.lost]


def throughput(run: Run) -> Figure:
    """Bytes that arrived in each slice of time, as bits in a second."""
    every = series(run)
    end = max((at for each in every for at, _, _ in each.arrived), default=0)
    unit, word = time_unit(max(end, run.now if every else 0))
    width = max(end // _BINS, 1)
    total = {each.name: sum(size for _, _, size in each.arrived) for each in every}
    best = max(every, key=lambda each: total[each.name], default=None)
    title = f"{shown(run.topology.name, 40)}: " + (
        "no traffic arrived"
        if best is None
        else f"{best.label} carried most, {total[best.name]} B in {len(best.arrived)} packets"
    )
    with style():
        drawing, axes = chart(title)
        for at, each in enumerate(every):
            counts = [0] * (_BINS + 2)
            for arrived, _, size in each.arrived:
                counts[min(arrived // width, _BINS)] += size
            xs = [at_bin * width / unit for at_bin in range(len(counts))]
            ys = [8 * size * SECOND / width / 1000 for size in counts]
            ink, line = SERIES[at % len(SERIES)]
            axes.step(xs, ys, line, where="post", color=colour(ink), linewidth=1.8, label=each.label)
        axes.set(xlabel=f"time in {word}", ylabel="arrived, kbit/s")
        axes.set_ylim(bottom=0)
        _key(axes)
    lines = [title]
    for each in every:
        lines.append(
            f"  {each.label}   {len(each.arrived)} packets, {total[each.name]} B; lost {len(each.lost)}"
        )
    return Figure("throughput", title, "\n".join(lines), f"A line chart over time. {title}.", drawing)


def delay(run: Run) -> Figure:
    """How long each packet took, from its sending to its arrival; lost ones are marks on the ground."""
    every = series(run)
    unit, word = time_unit(max((at for each in every for at, _, _ in each.arrived), default=0))
    scale, measure = time_unit(max((took for each in every for _, took, _ in each.arrived), default=0))
    title = f"{shown(run.topology.name, 40)}: {_delays(every, scale, measure)}"
    with style():
        drawing, axes = chart(title)
        for at, each in enumerate(every):
            ink, line = SERIES[at % len(SERIES)]
            xs = [arrived / unit for arrived, _, _ in each.arrived]
            ys = [took / scale for _, took, _ in each.arrived]
            dots = "o" if len(xs) < 60 else ""
            axes.plot(xs, ys, dots + line, color=colour(ink), linewidth=1.6, markersize=4, label=each.label)
            axes.plot(
                [born / unit for born in each.lost],
                [0] * len(each.lost),
                EVENTS["drop"].marker,
                color=colour("drop"),
                markersize=7,
                clip_on=False,
            )
        axes.set(
            xlabel=f"arrived at, {word}" + "; crosses: lost, when sent" * any(each.lost for each in every)
        )
        axes.set_ylabel(f"delay in {measure}")
        axes.set_ylim(bottom=0)
        _key(axes)
    lines = [title, *(f"  {each.label}   {_delays([each], scale, measure)}" for each in every)]
    return Figure("delay", title, "\n".join(lines), f"A line chart over time. {title}.", drawing)


def _key(axes: "Axes") -> None:
    """Each line with its name, above the chart."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9, handlelength=3
        )


def _delays(every: Sequence[Series], scale: int, measure: str) -> str:
    took = [each_took for each in every for _, each_took, _ in each.arrived]
    lost = sum(len(each.lost) for each in every)
    if not took:
        return f"nothing arrived, {lost} were lost" if lost else "nothing was sent"
    ends: Mapping[str, float] = {"from": min(took) / scale, "to": max(took) / scale}
    return f"{len(took)} packets took {ends['from']:.3g} to {ends['to']:.3g} {measure}" + (
        f", {lost} were lost" if lost else ""
    )
