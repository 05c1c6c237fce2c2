"""A node as it stood when a packet died there: its rules may be other ones since.

What rules were is asked of the same run once more: same topology, same seed, the same turns, up to there.
"""

from collections.abc import Mapping

from ipsecsim.experiment.run import Run
from ipsecsim.net.node import Node
from ipsecsim.observe.inventory.sections import SECTIONS
from ipsecsim.stack.events import RulesChanged

_RULES = ("policies", "routes", "interfaces")


class Then:
    """Finds nodes of a run as they stood before a turn. Ask from early to late: it goes on from where it was."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._again: Run | None = None
        self._changed: Mapping[str, int] | None = None

    def node(self, name: str, turn: int) -> Node:
        """The node before a turn; as it is now, where somebody meddled with the run and it cannot be made again."""
        if self._changed is None:
            self._changed = _last_changes(self._run)
        now = self._run.world.simulator.nodes[name]
        if self._changed.get(name, 0) < turn:
            return now
        again = self._again
        if again is None or again.turns >= turn:
            again = self._again = Run(self._run.topology, seed=self._run.seed)
        while again.turns < turn - 1 and again.step():
            pass
        at = self._run.recorder.turn(turn)[0].turn.at
        is_same = again.turns == turn - 1 and again.world.simulator.next_event() == at
        return again.world.simulator.nodes[name] if is_same else now


def _last_changes(run: Run) -> dict[str, int]:
    """The last turn in which rules of a node, or the ways that it knows, became other ones."""
    found = {row.node: row.turn.number for row, _ in run.recorder.of(RulesChanged)}
    for turn in range(1, run.turns + 1):
        for (node, section, *_, last), _, _ in run.inventory.changes(turn):
            if section in _RULES and last not in SECTIONS[section].counters:
                found[node] = max(turn, found.get(node, 0))
    return found
