"""What an engine tells about itself. A TraceEvent may be ignored: removing every tap changes no frame."""

from collections.abc import Callable
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason


@dataclass(slots=True)
class TraceEvent:
    """Root of all events: facts in the past tense. The recorder adds time, turn and node."""


@dataclass(slots=True)
class PacketDropped(TraceEvent):
    """A check ended a packet or message. `packet` starts at the header that the check was made on."""

    reason: DropReason
    packet: bytes
    detail: str = ""


Tap = Callable[[TraceEvent], None]
