"""The state of every node at every position of a run: gathered while it runs, walked both ways afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass

from ipsecsim.base.trace import Told, TraceEvent, event_of
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.turn import ARRIVAL, TURN
from ipsecsim.observe.inventory import touched
from ipsecsim.observe.inventory.looking import SECTIONS, Value

Path = tuple[str, ...]
"""Node, section, and the way inside it: ('east', 'sas', 'in 5e0d77aa', 'window')."""

Tree = dict[str, "Tree | Value"]

_CHECKPOINT_EVERY = 64  # turns: what is rebuilt at a jump, against what is kept
_ON_USE = frozenset(("mappings", "connections"))  # every packet that passes may make them last longer
_AT_TIMERS = frozenset(("fragments", "path MTU", "mappings", "connections", "held"))


@dataclass(frozen=True, slots=True)
class Change:
    """What one turn made of one value. None: it was not there before, or is no more."""

    path: Path
    old: Value | None
    new: Value | None


class Inventory:
    """Observes a simulator: give it `tell`, and the simulator by `watch` once it is built.

    A turn is over when the next one begins, or when somebody asks: then those sections are looked at that the
    turn's events may have changed. Position 0 is before the first turn.
    """

    def __init__(self) -> None:
        self._simulator: Simulator | None = None
        self._told: list[Told] = []
        self._node = ""
        self._stimulus = ""
        self._open = 0  # the turn that is not looked at yet
        self._seen: dict[tuple[str, str], dict[Path, Value]] = {}
        self._changes: list[tuple[Change, ...]] = [()]  # by turn
        self._checkpoints: list[dict[Path, Value]] = []

    def watch(self, simulator: Simulator) -> None:
        """Look at the world as it is before anything happens."""
        self._simulator = simulator
        first: list[Change] = []
        for name in simulator.nodes:
            self._look(name, touched.EVERYTHING, first)
        self._checkpoints.append({change.path: change.new for change in first if change.new is not None})

    def tell(self, told: Told) -> None:
        """Take what a simulator tells."""
        if isinstance(told, tuple) and told[0] in (TURN, ARRIVAL):
            self._settle()
            self._open, self._node = told[1], told[3]
            self._stimulus = told[4] if told[0] == TURN else ""
        else:
            self._told.append(told)

    @property
    def turns(self) -> int:
        """How many turns are known."""
        self._settle()
        return len(self._changes) - 1

    def changes(self, turn: int) -> tuple[Change, ...]:
        """What a turn changed. Raises IndexError for a turn that did not happen."""
        self._settle()
        if not 0 <= turn < len(self._changes):
            raise IndexError(f"turn {turn} of {len(self._changes) - 1}")
        return self._changes[turn]

    def at(self, turn: int) -> Mapping[Path, Value]:
        """Everything that was known once a turn was over. Raises IndexError for a turn that did not happen."""
        self._settle()
        if not 0 <= turn < len(self._changes):
            raise IndexError(f"turn {turn} of {len(self._changes) - 1}")
        number = turn // _CHECKPOINT_EVERY
        state = dict(self._checkpoints[number])
        for each in range(number * _CHECKPOINT_EVERY + 1, turn + 1):
            _apply(state, self._changes[each])
        return state

    def tree(self, turn: int, node: str) -> Tree:
        """What one node knew once a turn was over, section by section."""
        root: Tree = {}
        for (name, *way, last), value in self.at(turn).items():
            if name == node:
                at: Tree = root
                for step in way:
                    below = at.setdefault(step, {})
                    assert isinstance(below, dict)  # noqa: S101 - a way never leads through a value
                    at = below
                at[last] = value
        return root

    # -- looking --------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Look at what the turn that is over has changed."""
        if not self._open or self._simulator is None:
            return
        changed: list[Change] = []
        events = [event_of(each) for each in self._told]
        if self._stimulus == "script" or any(map(touched.is_of_the_world, events)):
            for name in self._simulator.nodes:
                self._look(name, touched.EVERYTHING, changed)
        else:
            self._look(self._node, self._touched(events), changed)
        self._told.clear()
        self._changes.append(tuple(changed))
        turn, self._open = self._open, 0
        if turn % _CHECKPOINT_EVERY == 0:
            state = dict(self._checkpoints[-1])
            for each in self._changes[-_CHECKPOINT_EVERY:]:
                _apply(state, each)
            self._checkpoints.append(state)

    def _touched(self, events: list[TraceEvent]) -> frozenset[str]:
        assert self._simulator is not None  # noqa: S101 - asked by `_settle` alone
        node = self._simulator.nodes[self._node]
        found = touched.sections(events)
        if node.translation is not None or node.filtering is not None:
            found |= _ON_USE
        if self._stimulus:
            found |= _AT_TIMERS
            if isinstance(node, VpnGateway):
                found |= touched.EVERYTHING
        return found

    def _look(self, name: str, wanted: frozenset[str], changed: list[Change]) -> None:
        assert self._simulator is not None  # noqa: S101 - asked once there is a world to look at
        node = self._simulator.nodes[name]
        for section, look in SECTIONS.items():
            if section not in wanted:
                continue
            now = {(name, section, *way): value for way, value in look(node)}
            before = self._seen.get((name, section), {})
            if now == before:
                continue
            self._seen[name, section] = now
            changed += [
                Change(path, before.get(path), now.get(path))
                for path in dict.fromkeys((*before, *now))
                if before.get(path) != now.get(path)
            ]


def _apply(state: dict[Path, Value], changes: tuple[Change, ...]) -> None:
    for change in changes:
        if change.new is None:
            del state[change.path]
        else:
            state[change.path] = change.new
