"""The events of a run, chosen by the same words as its packets."""

from collections.abc import Callable, Sequence
from typing import Any, overload

from ipsecsim.experiment.asked import as_text, read_selection
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.selection import events
from ipsecsim.observe.record import Record
from ipsecsim.observe.written import data_frame

Test = Callable[[Record], bool]


class Events(Sequence[Record]):
    """Rows of the recording, in order: event, turn, time and node."""

    def __init__(self, run: Run, rows: Sequence[Record] | None = None) -> None:
        self._run = run
        self._rows = run.recorder.rows if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Events": ...
    def __getitem__(self, index: int | slice) -> "Record | Events":
        return Events(self._run, self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __repr__(self) -> str:
        return f"<{len(self)} events>"

    def where(self, *asked: str | type | Test, **words: object) -> "Events":
        """Those that fit: 'node=west packet=27 at=1s-2s', reason="REPLAY_SEEN", a class of event, or a question.

        What a word says of a packet is asked of the one that the event speaks of. All must hold. Raises ConfigError
        for words that are not understood.
        """
        kinds = [each for each in asked if isinstance(each, type)]
        tests = [each for each in asked if not isinstance(each, str | type)]
        written = as_text([each for each in asked if isinstance(each, str)], words)
        _, fits = read_selection(self._run, written)
        here = {row.sequence for row in self._rows}
        chosen = [
            row
            for row, sight in events(self._run.lives)
            if row.sequence in here
            and all(isinstance(row.event, kind) for kind in kinds)
            and fits(sight)
            and all(test(row) for test in tests)
        ]
        return Events(self._run, chosen)

    def to_pandas(self) -> Any:
        """A row an event as a pandas DataFrame. Raises ConfigError where pandas is not installed."""
        return data_frame.events(self._rows)
