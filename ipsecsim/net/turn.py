"""The turn: one stimulus reaching one node, all its actions performed, its timer re-armed.

The unit of stepping, of causality and of recording.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)  # not frozen: one is made for every packet and hop
class Turn:
    """`cause` is the number of the turn that led to this one, 0 when nothing did. Turns count from 1."""

    number: int
    at: Instant
    node: str
    stimulus: str
    cause: int


Observer = Callable[[Turn, TraceEvent], None]
"""Gets every event as it happens. It may look and remember, never change anything."""
