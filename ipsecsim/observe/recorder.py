"""The recorder: an append-only list of all that was told. Looking back reads it, never changes it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ipsecsim.base.trace import LENGTHS, Told, TraceEvent, event_of
from ipsecsim.net.events import FrameArrived, TurnBegan
from ipsecsim.net.turn import ARRIVAL, FRAME, HEADERS, TURN, Turn
from ipsecsim.observe.record import Record

Event = TypeVar("Event", bound=TraceEvent)


class Recorder:
    """Give `recorder.tell` to a simulator as its observer.

    While a run goes on, what it is told is only kept, all values in one list; rows are made when somebody looks.
    """

    def __init__(self) -> None:
        self._told: list[Any] = []  # events, and tags each followed by its values
        self.tell: Callable[[Told], None] = self._told.extend
        self._rows: list[Record] = []
        self._turn_starts: list[int] = []
        self._turn: Turn | None = None

    @property
    def rows(self) -> list[Record]:
        """All that happened so far, in order."""
        if self._told:
            self._make_rows()
        return self._rows

    def observe(self, turn: Turn, event: TraceEvent) -> None:
        """Append an event of a turn. The first one of a turn is where the turn starts."""
        self._append(turn, event, starts=turn.number > self.turns)

    @property
    def turns(self) -> int:
        """How many turns were recorded."""
        return len(self._starts())

    def turn(self, number: int) -> list[Record]:
        """The rows of one turn, counted from 1. Raises IndexError for a turn that did not happen."""
        starts = self._starts()
        if not 1 <= number <= len(starts):
            raise IndexError(f"turn {number} of {len(starts)}")
        end = starts[number] if number < len(starts) else len(self._rows)
        return self._rows[starts[number - 1] : end]

    def all_turns(self) -> Iterator[list[Record]]:
        """Every turn's rows, in order."""
        for number in range(1, self.turns + 1):
            yield self.turn(number)

    def of(self, kind: type[Event]) -> list[tuple[Record, Event]]:
        """Every event of a class with its row."""
        return [(row, row.event) for row in self.rows if isinstance(row.event, kind)]

    def forget(self) -> None:
        """Forget all that happened, for who has written it down and goes on."""
        for each in (self._told, self._rows, self._turn_starts):
            each.clear()

    def _starts(self) -> list[int]:
        if self._told:
            self._make_rows()
        return self._turn_starts

    def _make_rows(self) -> None:
        told = self._told.copy()
        self._told.clear()  # in place: `tell` is bound to this list
        at = 0
        while at < len(told):
            first = told[at]
            if not isinstance(first, str):
                length = 1
                self._tell_of(first)
            elif first in HEADERS:
                length = HEADERS[first]
                self._begin(told[at : at + length])
            else:
                length = LENGTHS[first]
                self._tell_of(event_of(tuple(told[at : at + length])))
            at += length

    def _tell_of(self, event: TraceEvent) -> None:
        assert self._turn is not None, f"{event} was told outside a turn"  # noqa: S101 - a bug of ours
        self._append(self._turn, event)

    def _begin(self, header: list[Any]) -> None:
        kind, number, at, node, *rest = header
        if kind == TURN:
            stimulus, cause = rest
        else:
            stimulus, (cause, *arrival) = FRAME, rest
        self._turn = Turn(number, at, node, stimulus, cause)
        self._append(self._turn, TurnBegan(stimulus), starts=True)
        if kind == ARRIVAL:
            self._append(self._turn, FrameArrived(*arrival))

    def _append(self, turn: Turn, event: TraceEvent, *, starts: bool = False) -> None:
        if starts:
            self._turn_starts.append(len(self._rows))
        self._rows.append(Record(len(self._rows), turn, event))
