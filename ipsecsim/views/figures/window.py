"""The replay window of an inbound SA, packet after packet: what was seen, where a gap is, what came again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.observe.packets.packet_summary import ah_of, esp_of
from ipsecsim.views.figures.figure import WIDTH, Figure, sheet, shown, style, wrapped
from ipsecsim.views.figures.marks import SHADES
from ipsecsim.views.palette import EVENTS, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS = 32
_LINES = 12
_TOP, _CELL, _LINE = 0.95, 0.15, 0.36
_LEFT = 1.35
_REPLAYED = (DropReason.REPLAY_SEEN, DropReason.REPLAY_OLD)


@dataclass(frozen=True, slots=True)
class Look:
    """The window once a packet was judged: `cells` oldest first, '1' seen and '.' not, the last one is `top`.

    `came` is the number of the packet, `reason` why it was refused.
    """

    turn: int
    top: int
    cells: str
    came: int
    reason: str

    @property
    def first(self) -> int:
        """The number of the first cell; below 1 before the window is full."""
        return self.top - len(self.cells) + 1

    def numbers(self, cell: str) -> list[int]:
        """Which sequence numbers are seen ('1') or not ('.')."""
        return [n for n, each in enumerate(self.cells, self.first) if each == cell and n > 0]


@dataclass(frozen=True, slots=True)
class History:
    """What one SA's window looked like over time."""

    node: str
    spi: int
    size: int
    looks: tuple[Look, ...]


def histories(run: Run) -> list[History]:
    """Every inbound SA whose window moved, those with refused packets first, then by how much came."""
    found: dict[tuple[str, str], list[Look]] = {}
    sizes: dict[tuple[str, str], int] = {}
    state: dict[tuple[str, str], tuple[int, str]] = {}
    for turn in range(run.inventory.turns + 1):
        for row in _rows(run, turn):
            if row not in sizes:
                sizes[row] = int(run.inventory.at(turn).get((row[0], "sas", row[1], "window size"), 0))
        for change in run.inventory.changes(turn):
            if len(change.path) == 4 and change.path[1] == "sas" and change.path[2].startswith("in "):
                row = (change.path[0], change.path[2])
                top, cells = state.get(row, (0, ""))
                if change.path[3] == "sequence" and change.new is not None:
                    top = int(change.new)
                elif change.path[3] == "window" and change.new is not None:
                    cells = str(change.new)
                state[row] = (top, cells)
        for row, came, reason in _judged(run, turn):
            if row in state and state[row][1]:
                found.setdefault(row, []).append(Look(turn, *state[row], came, reason))
    every = [
        History(node, int(name[3:], 16), sizes.get((node, name), 0), tuple(looks))
        for (node, name), looks in found.items()
    ]
    return sorted(every, key=lambda each: (-sum(bool(look.reason) for look in each.looks), -len(each.looks)))


def _rows(run: Run, turn: int) -> Iterator[tuple[str, str]]:
    for change in run.inventory.changes(turn):
        if change.path[1] == "sas" and change.path[-1] == "window size" and change.new is not None:
            yield change.path[0], change.path[2]


def _judged(run: Run, turn: int) -> Iterator[tuple[tuple[str, str], int, str]]:
    """Packets that an SA took or refused for their number in a turn: the SA's row, the number, the reason."""
    if not turn:
        return
    for row in run.recorder.turn(turn):
        event = row.event
        if isinstance(event, PacketOpened):
            yield (row.node, f"in {event.spi:08x}"), event.sequence, ""
        elif isinstance(event, PacketDropped) and event.reason in _REPLAYED:
            numbers = esp_of(event.packet) or ah_of(event.packet)
            if numbers is not None:
                yield (row.node, f"in {numbers[0]:08x}"), numbers[1], event.reason.name


def window(run: Run) -> Figure:
    """The window that has most to tell, a line a packet; refused packets are never left out."""
    every = histories(run)
    if not every:
        title = f"{shown(run.topology.name, 40)}: no packet came under a seal, so no replay window moved"
        with style():
            drawing, axes = sheet(WIDTH, 1.0)
            axes.text(0.12, 0.12, wrapped(title), va="top", fontweight="bold")
        return Figure("window", title, title, title, drawing)
    history = every[0]
    looks = _chosen(history.looks)
    title = _title(history)
    with style():
        drawing, axes = sheet(WIDTH, _TOP + _LINE * len(looks) + 0.75)
        axes.text(0.12, 0.10, wrapped(title), va="top", fontweight="bold")
        low = max(1, looks[-1].top - CELLS + 2)
        for number in range(low, low + CELLS):
            x = _LEFT + (number - low + 0.5) * _CELL
            if number == low or (number % 5 == 0 and number - low > 1):
                axes.text(x, _TOP - 0.2, str(number), ha="center", fontsize=8, color=colour("ink-2"))
        for at, look in enumerate(looks):
            _line(axes, look, low, _TOP + _LINE * at)
        _key(axes, _TOP + _LINE * len(looks) + 0.2)
    lines = [title, *(f"  turn {look.turn}   {_words(look)}" for look in looks)]
    return Figure("window", title, "\n".join(lines), f"Rows of cells, one for each number. {title}.", drawing)


def _chosen(looks: Sequence[Look]) -> Sequence[Look]:
    """At most so many in a row: around the first that was refused, else the last ones."""
    refused = next((at for at, look in enumerate(looks) if look.reason), len(looks))
    start = max(0, min(refused - _LINES // 2, len(looks) - _LINES))
    return looks[start : start + _LINES]


def _title(history: History) -> str:
    last = history.looks[-1]
    refused = [look for look in history.looks if look.reason]
    gaps = last.numbers(".")
    words = f"{shown(history.node)} took {len(history.looks) - len(refused)} packets of SA {history.spi:08x}"
    words += (
        f", and refused {len(refused)}: {', '.join(dict.fromkeys(look.reason for look in refused))}"
        if refused
        else ""
    )
    return words + (f"; {len(gaps)} never came" if gaps else "") + f" (window {history.size})"


def _words(look: Look) -> str:
    """'seen 1-4 · gap at 3 · top 4', as the stepper says it."""
    parts = [f"seen {_ranges(look.numbers('1')) or 'none'}"]
    gaps = look.numbers(".")
    parts += [f"gap at {_ranges(gaps)}"] if gaps else []
    parts.append(f"top {look.top}")
    again = f"{look.came} refused, {look.reason}" if look.reason else f"{look.came} came"
    return f"{again}: {' · '.join(parts)}"


def _ranges(numbers: Sequence[int]) -> str:
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)


def _line(axes: "Axes", look: Look, low: int, y: float) -> None:
    axes.text(_LEFT - 0.12, y + _CELL / 2, f"turn {look.turn}", ha="right", va="center", fontsize=9)
    for number in range(low, low + CELLS):
        _cell(axes, _state(look, number), (_LEFT + (number - low) * _CELL, y))
    event, ink = (EVENTS["drop"].marker, "drop") if look.reason else ("^", "ink")
    column = min(max(look.came - low, -1), CELLS)
    x, below = _LEFT + (column + 0.5) * _CELL, y + _CELL + 0.07
    axes.plot([x], [below], event, color=colour(ink), markersize=6 if look.reason else 4.5, zorder=5)
    words = [] if 0 <= column < CELLS else [f"{look.came} lies outside the picture"]
    words += [look.reason] if look.reason else []
    is_left = column < CELLS / 2
    axes.text(
        x + (0.1 if is_left else -0.1),
        below + 0.02,
        ", ".join(words),
        ha="left" if is_left else "right",
        va="center",
        fontsize=7.5,
        color=SHADES["drop"].word if look.reason else colour("ink-2"),
    )


def _state(look: Look, number: int) -> str:
    if number > look.top:
        return "ahead"
    if number < look.first:
        return "behind"
    return "seen" if look.cells[number - look.first] == "1" else "gap"


def _cell(axes: "Axes", state: str, place: tuple[float, float]) -> None:
    from matplotlib.patches import Rectangle

    face, edge, line, width = _CELL_LOOKS[state]
    x, y = place
    axes.add_patch(
        Rectangle(
            (x + 0.012, y),
            _CELL - 0.024,
            _CELL,
            facecolor=face,
            edgecolor=edge,
            linestyle=line,
            linewidth=width,
        )
    )


_CELL_LOOKS = {
    "seen": (SHADES["both"].stroke, SHADES["both"].word, "-", 0.8),
    "gap": (colour("surface"), colour("ink"), "-", 1.2),
    "ahead": (colour("surface"), colour("control"), ":", 0.8),
    "behind": (colour("sunken"), colour("hairline"), "-", 0.6),
}
"""Face, edge, line and its width."""


def _key(axes: "Axes", y: float) -> None:
    x = _LEFT - 1.2
    for state, words, room in (
        ("seen", "seen", 0.62),
        ("gap", "gap: not seen", 1.25),
        ("ahead", "ahead", 0.75),
        ("behind", "left of the window: too old", 2.15),
    ):
        _cell(axes, state, (x, y))
        axes.text(x + 0.2, y + _CELL / 2, words, va="center", fontsize=8.5)
        x += room
    for marker, ink, words, room in (
        ("^", "ink", "came now", 0.92),
        (EVENTS["drop"].marker, "drop", "refused", 0),
    ):
        axes.plot([x + 0.07], [y + _CELL / 2], marker, color=colour(ink), markersize=6)
        axes.text(x + 0.2, y + _CELL / 2, words, va="center", fontsize=8.5)
        x += room
