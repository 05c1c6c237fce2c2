"""The message ladder: who sent what to whom, in order, with what was under the seal beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.observe.lives.life import Hop, Life
from ipsecsim.observe.turn_story.naming import name
from ipsecsim.views.figures.figure import WIDTH, Figure, fit, sheet, shown, style, wrapped
from ipsecsim.views.figures.marks import SHADES, kind_of, mark
from ipsecsim.views.palette import EVENTS, colour
from ipsecsim.views.topology_layout import positions
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.in_udp import ike_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 24
_TOP, _LINE, _MARGIN = 0.95, 0.46, 0.75  # inches


@dataclass(frozen=True, slots=True)
class Message:
    """A packet on its way, from where it came onto a link to where it was taken off for good.

    `chips` say what is in it, `is_sealed` that only who has the keys can know. `reason` says why it went no
    further, `rewriters` are the NATs that changed it.
    """

    turn: int
    number: int
    name: str
    kind: str
    way: tuple[str, ...]
    rewriters: frozenset[str]
    chips: tuple[str, ...]
    is_sealed: bool
    reason: str


def messages(run: Run) -> list[Message]:
    """Every packet in the order of its first hop; a new row where it goes on after it was inside another one."""
    payloads = {
        (event.spi_i, event.is_response, event.message_id): tuple(event.payloads)
        for _, event in run.recorder.of(IkeMessageSent)
    }
    found: list[tuple[int, Message]] = []
    for life in run.lives.all:
        legs = _legs(life)
        for at, leg in enumerate(legs):
            chips, is_sealed = _chips(run, life, payloads)
            reason = life.reason.name if life.reason is not None and at == len(legs) - 1 else ""
            way = [leg[0].source, *(hop.to for hop in leg if hop.to)]
            hop = leg[0]
            found.append(
                (
                    hop.frame,
                    Message(
                        hop.left,
                        life.number,
                        name(hop.packet),
                        kind_of(hop.packet),
                        tuple(way),
                        frozenset(step.node for step in life.steps if step.what == "rewritten"),
                        chips,
                        is_sealed,
                        reason,
                    ),
                )
            )
    return [message for _, message in sorted(found, key=lambda each: each[0])]


def _legs(life: Life) -> list[list[Hop]]:
    legs: list[list[Hop]] = []
    for hop in life.hops:
        if legs and legs[-1][-1].to == hop.source:
            legs[-1].append(hop)
        else:
            legs.append([hop])
    return legs


def _chips(
    run: Run, life: Life, payloads: dict[tuple[bytes, bool, int], tuple[str, ...]]
) -> tuple[tuple[str, ...], bool]:
    """What is in a packet, and whether a seal hides it."""
    message = ike_of(life.first)
    if message is not None:
        key = (message.spi_i, message.is_response, message.message_id)
        return payloads.get(key, ()), message.next_payload in (PayloadType.SK, PayloadType.SKF)
    if life.carries:
        return tuple(name(run.lives[number].image) for number in life.carries), kind_of(life.first) == "esp"
    return (), False


def ladder(
    run: Run, *, first: int = 1, most: int = MOST, among: Callable[[Message], bool] = lambda _: True
) -> Figure:
    """Of those `among` all messages the ones from number `first` on, at most so many, as a sequence diagram."""
    every = [each for each in messages(run) if among(each)]
    chosen = every[first - 1 : first - 1 + most]
    places = positions(run.topology)
    on_the_way = dict.fromkeys(node for each in chosen for node in each.way)
    nodes = sorted(on_the_way, key=lambda node: (places.get(node, (0.0, 0.0)), node))
    title = _title(run, every, chosen, first)
    with style():
        width = max(WIDTH, 1.25 * len(nodes) + 0.6)
        height = _TOP + _LINE * max(len(chosen), 1) + 0.35
        drawing, axes = sheet(width, height)
        axes.text(0.12, 0.10, wrapped(title, width), va="top", fontweight="bold")
        step = (width - 2 * _MARGIN) / max(len(nodes) - 1, 1)
        columns = {node: _MARGIN + at * step for at, node in enumerate(nodes)}
        ends = {node for each in chosen for node in (each.way[0], each.way[-1])}
        for node, x in columns.items():
            _lifeline(axes, node, x, height, min(step, 1.3), is_end=node in ends)
        note = "Before each name stands its turn"
        note += "; a diamond: a NAT changed the packet" * any(each.rewriters for each in chosen)
        axes.text(0.12, height - 0.06, note, va="bottom", fontsize=8, color=colour("ink-2"))
        for row, message in enumerate(chosen):
            _message(axes, message, columns, _TOP + _LINE * (row + 0.45), width)
    return Figure("ladder", title, "\n".join([title, *map(_line, chosen)]), _alt(title, chosen), drawing)


def _title(run: Run, every: Sequence[Message], chosen: Sequence[Message], first: int) -> str:
    lost = [each for each in chosen if each.reason]
    part = "" if len(chosen) == len(every) else f", {first} to {first + len(chosen) - 1} of {len(every)}"
    end = (
        "; none was dropped"
        if not lost
        else f"; dropped: {len(lost)}, for {', '.join(dict.fromkeys(each.reason for each in lost))}"
    )
    return f"{shown(run.topology.name, 40)}: messages in order{part}{end}"


def _lifeline(axes: "Axes", node: str, x: float, height: float, room: float, *, is_end: bool) -> None:
    axes.plot(
        [x, x],
        [_TOP - 0.12, height - 0.25],
        color=colour("control"),
        linewidth=1,
        linestyle="-" if is_end else (0, (2, 3)),
        zorder=1,
    )
    words = axes.text(
        x,
        _TOP - 0.18,
        shown(node),
        ha="center",
        va="bottom",
        fontsize=10.5,
        fontweight="bold" if is_end else "normal",
        color=colour("ink" if is_end else "ink-2"),
    )
    fit(words, room - 0.08)


def _message(axes: "Axes", message: Message, columns: dict[str, float], y: float, width: float) -> None:
    way = [columns[node] for node in message.way]
    start, end = way[0], way[-1]
    look = mark(message.kind)
    if message.reason and len(way) == 1:  # the link ate it
        others = sorted((abs(x - start), x) for x in columns.values() if x != start)
        end = start + 0.45 * (1 if not others or others[0][1] > start else -1)
    axes.annotate(
        "",
        (end, y),
        (start, y),
        arrowprops={
            "arrowstyle": "-|>",
            "color": look.edge,
            "linewidth": 1.6,
            "shrinkA": 0,
            "shrinkB": 2,
            "mutation_scale": 11,
        },
        zorder=3,
    )
    axes.plot([start], [y], look.marker, color=look.edge, markerfacecolor=look.face, markersize=6.5, zorder=4)
    for node, x in zip(message.way[1:-1], way[1:-1], strict=True):
        is_changed = node in message.rewriters
        passing = mark("nat") if is_changed else look
        axes.plot(
            [x], [y], passing.marker if is_changed else "|", color=passing.edge, markersize=6.5, zorder=4
        )
    if message.reason:
        axes.plot([end], [y], EVENTS["drop"].marker, color=colour("drop"), markersize=9, zorder=5)
    _words(axes, message, (min(start, end), max(start, end)), y, width)


def _words(axes: "Axes", message: Message, span: tuple[float, float], y: float, width: float) -> None:
    """The name above the arrow, what is in it below: in the tint of the seal where there is one."""
    clear = {"facecolor": colour("surface"), "edgecolor": "none", "pad": 0.6, "alpha": 0.9}
    middle = sum(span) / 2
    room = max(span[1] - span[0] - 0.12, 1.15)
    text = f"{message.turn}  {message.name}"
    clear = {**clear, "pad": 0.3}
    above = axes.text(middle, y - 0.04, text, ha="center", va="bottom", fontsize=8.5, zorder=6, bbox=clear)
    fit(above, room + 0.3)
    below = message.reason or ", ".join(message.chips)
    if not below:
        return
    if message.reason:
        shade, box = SHADES["drop"], {**clear}
    elif message.is_sealed:
        shade = SHADES["both"]
        box = {"facecolor": shade.tint, "edgecolor": shade.stroke, "linewidth": 0.6, "pad": 1.2}
        below = f"sealed: {below}"
    else:
        shade = SHADES["clear"]
        box = {"facecolor": shade.tint, "edgecolor": "none", "pad": 1.2}
    words = axes.text(
        middle, y + 0.055, below, ha="center", va="top", fontsize=7.5, color=shade.word, zorder=6, bbox=box
    )
    fit(words, min(max(room, 2.6), 2 * min(middle, width - middle) - 0.2))


def _line(message: Message) -> str:
    glyph = EVENTS["drop" if message.reason else message.kind].glyph
    way = " > ".join(map(shown, message.way))
    inside = (
        f"   {'sealed' if message.is_sealed else 'in clear'}: {', '.join(message.chips)}"
        if message.chips
        else ""
    )
    end = f"   dropped: {message.reason}" if message.reason else ""
    end += f"   rewritten by {', '.join(sorted(map(shown, message.rewriters)))}" if message.rewriters else ""
    return f"  {glyph} turn {message.turn}   {way}   {message.name}{inside}{end}"


def _alt(title: str, chosen: Sequence[Message]) -> str:
    first = f" It begins with {chosen[0].name} from {shown(chosen[0].way[0])}." if chosen else ""
    return f"A sequence diagram. {title}.{first}"
