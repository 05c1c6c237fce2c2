"""What a NAT tells."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class MappingMade(TraceEvent):
    """From now on an inside endpoint is known outside as another one. Addresses are packed."""

    protocol: int
    inside: tuple[bytes, int]
    outside: tuple[bytes, int]
    lifetime: int


@dataclass(slots=True)
class MappingEnded(TraceEvent):
    """A mapping is forgotten; `why` says what ended it."""

    protocol: int
    inside: tuple[bytes, int]
    outside: tuple[bytes, int]
    why: str


@dataclass(slots=True)
class PacketTranslated(TraceEvent):
    """An endpoint in a packet's header was exchanged. `where` is 'source' or 'destination'."""

    where: str
    before: tuple[bytes, int]
    after: tuple[bytes, int]
