"""One row of the recording: an event, stamped with when, where and because of what."""

from dataclasses import dataclass

from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import TraceEvent
from ipsecsim.net.events import FrameArrived, FrameCorrupted, FrameDoubled, FrameLost, FrameSent
from ipsecsim.net.turn import Turn


@dataclass(slots=True)
class Record:
    """`sequence` counts rows from 0; `turn` and `cause` are turn numbers, `cause` 0 when nothing led here."""

    sequence: int
    turn: Turn
    event: TraceEvent

    @property
    def at(self) -> Instant:
        """Simulated time."""
        return self.turn.at

    @property
    def node(self) -> str:
        """The node on which it happened."""
        return self.turn.node

    @property
    def frame(self) -> int | None:
        """The crossing of a link that this row speaks of, or None."""
        kinds = FrameSent | FrameArrived | FrameLost | FrameDoubled | FrameCorrupted
        return self.event.frame if isinstance(self.event, kinds) else None
