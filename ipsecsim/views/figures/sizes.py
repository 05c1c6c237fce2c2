"""How long packets are, layer by layer: what was carried, what protection added, and the class of each byte."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.layers import Part, parts
from ipsecsim.observe.packets.xray import xray
from ipsecsim.observe.turn_story.naming import layer
from ipsecsim.views.figures.figure import Figure, canvas, fit, shown, style, wrapped
from ipsecsim.views.figures.marks import SHADES, protected_box
from ipsecsim.views.palette import PROTECTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 6


@dataclass(frozen=True, slots=True)
class Sort:
    """Packets of one make: `count` of them, like the one that is looked through."""

    node: str
    count: int
    number: int
    carried: int
    parts: tuple[Part, ...]

    @property
    def length(self) -> int:
        """In bytes, with all headers."""
        return sum(part.length for part in self.parts)


def sorts(run: Run) -> list[Sort]:
    """Protected packets by node, length and parts, those that there are most of first."""
    keys = run.keys
    counted: Counter[tuple[str, int, str]] = Counter()
    samples: dict[tuple[str, int, str], int] = {}
    for life in run.lives.all:
        kind = layer(life.first)
        if kind in ("esp", "ah"):
            key = (life.node, len(life.first), kind)
            counted[key] += 1
            samples.setdefault(key, life.number)
    found = []
    for key, count in counted.most_common():
        life = run.lives[samples[key]]
        carried = sum(len(run.lives[number].image) for number in life.carries)
        found.append(Sort(life.node, count, life.number, carried, parts(xray(life.first, keys))))
    return found


def sizes(run: Run) -> Figure:
    """A bar for each make of protected packet, stacked by layer."""
    every = sorts(run)
    chosen = every[:_MOST]
    title = _title(run, every)
    with style():
        height = 1.45 + 0.95 * max(len(chosen), 1)
        drawing = canvas(height=height)
        axes = drawing.add_axes((0.02, 0.85 / height, 0.96, (height - 1.35) / height))
        drawing.text(0.012, 1 - 0.10 / height, wrapped(title), va="top", fontweight="bold")
        longest = max((each.length for each in chosen), default=1)
        axes.set(xlim=(0, longest * 1.01), ylim=(len(chosen) + 0.02, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.tick_params(labelsize=9)
        axes.set_xlabel("bytes", fontsize=9, labelpad=1)
        for at, each in enumerate(chosen):
            _bar(axes, each, at, longest)
        _key(axes, [part.protection for each in chosen for part in each.parts], height)
    text = "\n".join([title, *map(_line, every)])
    return Figure("sizes", title, text, f"Stacked bars of bytes. {title}.", drawing)


def _title(run: Run, every: Sequence[Sort]) -> str:
    name = shown(run.topology.name, 40)
    if not every:
        return f"{name}: no packet was protected"
    carried, wire = (
        sum(each.count * size for each, size in zip(every, column, strict=True))
        for column in ([each.carried for each in every], [each.length for each in every])
    )
    if not carried:
        return f"{name}: {wire} bytes were sent under a seal"
    return f"{name}: {carried} bytes to carry became {wire}, {100 * (wire - carried) / carried:.0f} % more"


def _bar(axes: "Axes", each: Sort, at: int, longest: int) -> None:
    times = "1 packet" if each.count == 1 else f"{each.count} packets"
    axes.text(
        0,
        at + 0.30,
        f"from {shown(each.node)}: {each.carried} B become {each.length} B   ({times}, such as #{each.number})",
        va="bottom",
        fontsize=9.5,
    )
    left, taken = 0, -1.0
    drawn = axes.get_figure(root=True)
    inches = 0.96 * (drawn.get_figwidth() if drawn is not None else 7) / (longest * 1.01)
    for part in each.parts:
        protected_box(axes, part.protection, (left, at + 0.36), (part.length, 0.42))
        room = part.length * inches - 0.06
        words = axes.text(
            left + part.length / 2,
            at + 0.57,
            f"{part.name} {part.length}" if room > 0.42 else f"{part.length}",
            ha="center",
            va="center",
            fontsize=8.5,
            color=SHADES[part.protection].word,
            bbox={"facecolor": SHADES[part.protection].tint, "edgecolor": "none", "pad": 1},
        )
        fit(words, max(room, 0.12))
        if room <= 0.42:
            name = axes.text(
                left + part.length / 2, at + 0.80, part.name, ha="center", va="top", fontsize=7.5
            )
            extent = name.get_window_extent()
            if extent.x0 < taken + 2:  # its neighbour's name is in the way
                name.set_y(at + 0.94)
            else:
                taken = extent.x1
        left += part.length


def _key(axes: "Axes", classes: Sequence[str], height: float) -> None:
    """The classes that are there, with their words."""
    from matplotlib.patches import Patch

    there = [each for each in PROTECTION if each in classes]
    handles = [
        Patch(
            facecolor=SHADES[each].tint,
            edgecolor=SHADES[each].stroke,
            hatch=PROTECTION[each].hatch,
            linestyle="--" if PROTECTION[each].is_dashed else "-",
            label=PROTECTION[each].word,
        )
        for each in there
    ]
    drawn = axes.get_figure(root=True)
    if drawn is not None and handles:
        drawn.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0), ncols=3, frameon=False, fontsize=9
        )


def _line(each: Sort) -> str:
    words = ", ".join(
        f"{part.name} {part.length} ({PROTECTION[part.protection].word})" for part in each.parts
    )
    return f"  {each.count} from {shown(each.node)}: {each.carried} B become {each.length} B = {words}"
