"""The state of every node at every position of a run: gathered while it runs, walked both ways afterwards."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.trace import PacketDropped, Tap, Told, TraceEvent
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.turn import HEADERS, TURN
from ipsecsim.observe.inventory import touched
from ipsecsim.observe.inventory.section import Value
from ipsecsim.observe.inventory.sections import DROPPED, SECTIONS
from ipsecsim.observe.inventory.seen import Change, Path, SeenSection

Tree = dict[str, "Tree | Value"]

_State = dict[str, dict[Path, Value]]  # by node

_BEFORE_ALL = (TURN, 0, 0, "", "", 0)

_NOTHING: tuple[Change, ...] = ()
_SMALLEST_CHECKPOINT = 256  # changes

_ORDER = {name: number for number, name in enumerate((*SECTIONS, DROPPED))}

_USED_LAST: tuple[str, Hashable] = ("connections", None)


@dataclass(slots=True)
class _Checkpoint:
    turn: int
    state: _State


class Inventory:
    """Observes a simulator: give it `tell`, and the simulator by `watch` once it is built.

    What it is told it hands on to `then`: one observer that does both is cheaper than two. A turn is over when the
    next one begins, or when somebody asks: then those rows are looked at that its events may have changed.
    Position 0 is before the first turn.
    """

    def __init__(self, then: Tap | None = None) -> None:
        self._then = _nobody if then is None else then
        self._nodes: Mapping[str, Node] = {}
        self._header: tuple[Any, ...] = _BEFORE_ALL  # of the turn that goes on, and what it told so far
        self._events: list[TraceEvent] = []
        self._settled = 0  # the last turn that was looked at, or of which nothing was to be seen
        self._seen: dict[str, dict[str, SeenSection]] = {}
        self._dropped: dict[str, Counter[str]] = {}
        self._changes: dict[int, tuple[Change, ...]] = {}  # by turn, of those that changed something
        self._checkpoints = [_Checkpoint(0, {})]
        self._until_next = 0  # how many changes, until there is another checkpoint
        self._here = _Checkpoint(0, {})  # where somebody looked last

    def watch(self, simulator: Simulator) -> None:
        """Look at the world as it is before anything happens."""
        self._nodes = simulator.nodes
        first: list[Change] = []
        for name in simulator.nodes:
            self._seen[name] = {each: SeenSection(section, name, each) for each, section in SECTIONS.items()}
            self._dropped[name] = Counter()
            self._look(name, touched.EVERYTHING, first)
        for name in simulator.nodes:
            self._checkpoints[0].state[name] = {}
        _forwards(self._checkpoints[0].state, first)
        self._here = _copied(self._checkpoints[0])
        self._until_next = _distance(self._here.state)

    def tell(self, told: Told) -> None:
        """Take what a simulator tells."""
        if type(told) is not tuple:
            self._events.append(told)  # type: ignore[arg-type]  # it is no tuple
        elif told[0] in HEADERS:
            header = self._header
            # of most turns there is nothing to see: a packet went by
            if self._events or header[0] == TURN or self._nodes[header[3]].filtering is not None:
                self._settle()
            self._header = told
        self._then(told)

    # -- asking ---------------------------------------------------------------------------------

    @property
    def turns(self) -> int:
        """How many turns are known."""
        return int(self._header[1])

    def changes(self, turn: int) -> tuple[Change, ...]:
        """What a turn changed. Raises IndexError for a turn that did not happen."""
        self._check(turn)
        return self._changes.get(turn, _NOTHING)

    def at(self, turn: int) -> Mapping[Path, Value]:
        """Everything that was known once a turn was over. Raises IndexError for a turn that did not happen."""
        return {path: value for known in self._go(turn).values() for path, value in known.items()}

    def tree(self, turn: int, node: str) -> Tree:
        """What one node knew once a turn was over, section by section. Raises IndexError as `at` does."""
        return tree_of((path[1:], value) for path, value in self._go(turn)[node].items())

    def _check(self, turn: int) -> None:
        self._settle()
        if not 0 <= turn <= self.turns:
            raise IndexError(f"turn {turn} of {self.turns}")

    def _go(self, turn: int) -> _State:
        """The state at a position, from where somebody looked last or from a checkpoint, whichever is nearer."""
        self._check(turn)
        here = self._here
        start = next(each for each in reversed(self._checkpoints) if each.turn <= turn)
        if abs(here.turn - turn) > turn - start.turn:
            here = self._here = _copied(start)
        for number in range(here.turn + 1, turn + 1):
            _forwards(here.state, self._changes.get(number, _NOTHING))
        for number in range(here.turn, turn, -1):
            _backwards(here.state, self._changes.get(number, _NOTHING))
        here.turn = turn
        return here.state

    # -- looking --------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Look at what the turn that is over has changed."""
        _, turn, _, node, *_ = self._header
        if turn == self._settled:
            return
        self._settled = turn
        events = self._events
        changed: list[Change] = []
        if any(map(touched.is_of_the_world, events)):
            for name in self._nodes:
                self._look(name, touched.EVERYTHING, changed)
        else:
            self._look_where_told(changed)
        for event in events:
            if isinstance(event, PacketDropped):
                counted, reason = self._dropped[node], event.reason.name
                counted[reason] += 1
                number = counted[reason]
                changed.append(Change((node, DROPPED, reason), number - 1 or None, number))
        events.clear()
        if changed:
            self._changes[turn] = tuple(changed)
        self._until_next -= len(changed)
        if self._until_next < 0:
            self._keep_checkpoint()

    def _look_where_told(self, changed: list[Change]) -> None:
        kind, _, _, name, stimulus, *_ = self._header
        node = self._nodes[name]
        wanted: frozenset[str] = frozenset()
        if kind == TURN:
            is_all = stimulus != "timer" or isinstance(node, VpnGateway)
            wanted = touched.EVERYTHING if is_all else touched.AT_TIMERS
        rows: dict[tuple[str, Hashable], None] = {}
        for event in self._events:
            wanted |= touched.sections(type(event))
            for section, handle_of in touched.rows(type(event)):
                rows[section, handle_of(event)] = None
        if node.filtering is not None:
            rows[_USED_LAST] = None
        if wanted:
            self._look(name, wanted, changed)
        seen = self._seen[name]
        for section, handle in rows:
            if section not in wanted:
                seen[section].look_at(node, handle, changed)

    def _look(self, name: str, wanted: frozenset[str], changed: list[Change]) -> None:
        node = self._nodes[name]
        for section, seen in self._seen[name].items():
            if section in wanted:
                seen.look(node, changed)

    def _keep_checkpoint(self) -> None:
        """One for as many changes as it has values: so checkpoints never hold more than what has changed."""
        last = self._checkpoints[-1]
        new = _copied(last)
        for number in range(last.turn + 1, self._settled + 1):
            _forwards(new.state, self._changes.get(number, _NOTHING))
        new.turn = self._settled
        self._checkpoints.append(new)
        self._until_next = _distance(new.state)


def _nobody(_: Told) -> None:
    """Whom nothing is to be told."""


def _copied(checkpoint: _Checkpoint) -> _Checkpoint:
    return _Checkpoint(checkpoint.turn, {name: dict(known) for name, known in checkpoint.state.items()})


def _distance(state: _State) -> int:
    """Between a checkpoint and the next one, in changes."""
    return max(_SMALLEST_CHECKPOINT, sum(map(len, state.values())))


def _forwards(state: _State, changes: list[Change] | tuple[Change, ...]) -> None:
    for path, _, new in changes:
        _put(state[path[0]], path, new)


def _backwards(state: _State, changes: tuple[Change, ...]) -> None:
    for path, old, _ in reversed(changes):
        _put(state[path[0]], path, old)


def _put(known: dict[Path, Value], path: Path, value: Value | None) -> None:
    if value is None:
        known.pop(path, None)
    else:
        known[path] = value


def tree_of(entries: Iterable[tuple[Path, Value]]) -> Tree:
    """What one node knows, section by section, rows in order."""
    root: Tree = {}
    for (*way, last), value in sorted(
        entries, key=lambda entry: (_ORDER[entry[0][0]], _natural(entry[0][1]))
    ):
        below: Tree = root
        for step in way:
            inner = below.setdefault(step, {})
            assert isinstance(inner, dict)  # noqa: S101 - a way never leads through a value
            below = inner
        below[last] = value
    return root


def _natural(row: str) -> tuple[int, str]:
    """Rows with a number in front stand in its order."""
    number = row.partition(" ")[0]
    return (int(number), row) if number.isdigit() else (0, row)
