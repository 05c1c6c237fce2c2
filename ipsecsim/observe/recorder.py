"""The recorder: an append-only list of all that was told. Looking back reads it, never changes it."""

from collections.abc import Iterator
from typing import TypeVar

from ipsecsim.base.trace import TraceEvent
from ipsecsim.net.turn import Turn
from ipsecsim.observe.record import Record

Event = TypeVar("Event", bound=TraceEvent)


class Recorder:
    """Give `recorder.observe` to a simulator as its observer."""

    def __init__(self) -> None:
        self.rows: list[Record] = []
        self._turn_starts: list[int] = []

    def observe(self, turn: Turn, event: TraceEvent) -> None:
        """Append an event. The first one of a turn is where the turn starts."""
        if turn.number > len(self._turn_starts):
            self._turn_starts.append(len(self.rows))
        self.rows.append(Record(len(self.rows), turn, event))

    @property
    def turns(self) -> int:
        """How many turns were recorded."""
        return len(self._turn_starts)

    def turn(self, number: int) -> list[Record]:
        """The rows of one turn, counted from 1. Raises IndexError for a turn that did not happen."""
        if not 1 <= number <= self.turns:
            raise IndexError(f"turn {number} of {self.turns}")
        start = self._turn_starts[number - 1]
        end = self._turn_starts[number] if number < self.turns else len(self.rows)
        return self.rows[start:end]

    def all_turns(self) -> Iterator[list[Record]]:
        """Every turn's rows, in order."""
        for number in range(1, self.turns + 1):
            yield self.turn(number)

    def of(self, kind: type[Event]) -> list[tuple[Record, Event]]:
        """Every event of a class with its row."""
        return [(row, row.event) for row in self.rows if isinstance(row.event, kind)]
