"""The turn: one stimulus reaching one node, all its actions performed, its timer re-armed.

The unit of stepping, of causality and of recording.
"""

from dataclasses import dataclass

from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap


@dataclass(slots=True)
class Turn:
    """`cause` is the number of the turn that led to this one, 0 when nothing did. Turns count from 1."""

    number: int
    at: Instant
    node: str
    stimulus: str
    cause: int


Observer = Tap
"""Gets everything in order: the header of a turn, then its events. It may look and remember, never change anything.

A header is a tuple: TURN and the fields of `Turn`, or, for a turn that a packet off a link began, ARRIVAL, those
fields without the stimulus, and the fields of `FrameArrived`.
"""

TURN = "Turn"
ARRIVAL = "Arrival"
HEADERS = {TURN: 6, ARRIVAL: 9}
"""How many values a header has, its tag included."""
FRAME = "frame"  # the stimulus of an arrival
