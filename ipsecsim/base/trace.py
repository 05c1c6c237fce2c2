"""What an engine tells about itself. A TraceEvent may be ignored: removing every tap changes no frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from ipsecsim.base.drop_reasons import DropReason


@dataclass(slots=True)
class TraceEvent:
    """Root of all events: facts in the past tense. The recorder adds time, turn and node."""

    def __iter__(self) -> Iterator["TraceEvent"]:
        """Itself alone. A lean event is a run of values, and both can be put behind each other in one list."""
        return iter((self,))


@dataclass(slots=True)
class PacketDropped(TraceEvent):
    """A check ended a packet or message. `packet` starts at the header that the check was made on."""

    reason: DropReason
    packet: bytes
    detail: str = ""


Lean = tuple[Any, ...]
"""What is told for every packet on every hop: the tag of an event's class, then its fields.

A tuple of plain values is made in a third of the time of an object, and who only keeps the values keeps nothing
that the garbage collector has to look at; whoever looks makes the event of it.
"""

Told = TraceEvent | Lean

Tap = Callable[[Told], None]

_KINDS: dict[str, type[TraceEvent]] = {}

LENGTHS: dict[str, int] = {}
"""How many values a lean event has, its tag included, by its tag."""


def lean(kind: type[TraceEvent]) -> str:
    """The tag with which events of a class are told as tuples."""
    tag = kind.__name__
    _KINDS[tag] = kind
    LENGTHS[tag] = 1 + len(fields(kind))
    return tag


def event_of(told: Told) -> TraceEvent:
    """The event that was told, in whichever form."""
    return _KINDS[told[0]](*told[1:]) if isinstance(told, tuple) else told
