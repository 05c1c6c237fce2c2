"""Recordings that were tampered with: the same rows told again, some of them changed."""

from collections.abc import Callable, Sequence

from ipsecsim.base.trace import TraceEvent
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder


def replayed(recorder: Recorder, edit: Callable[[Record], Sequence[TraceEvent]]) -> Recorder:
    """Tell each row's turn the events that `edit` puts in place of the row's own."""
    other = Recorder()
    for row in recorder.rows:
        for event in edit(row):
            other.observe(row.turn, event)
    return other


def without(recorder: Recorder, sequence: int) -> Recorder:
    """The recording without one row."""
    return replayed(recorder, lambda row: [] if row.sequence == sequence else [row.event])


def with_more(recorder: Recorder, sequence: int, *more: TraceEvent) -> Recorder:
    """The recording with events after one row."""
    return replayed(recorder, lambda row: [row.event, *more] if row.sequence == sequence else [row.event])
