"""What IKE tells about its own fragments (RFC 7383)."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class IkeMessageCut(TraceEvent):
    """A message that is too large for one datagram left in fragments, the largest of them `largest` bytes long."""

    message_id: int
    fragments: int
    largest: int


@dataclass(slots=True)
class IkeFragmentStored(TraceEvent):
    """A fragment of an IKE message is authentic, and is kept until the others are here."""

    spi_i: bytes
    exchange: str
    is_response: bool
    message_id: int
    number: int
    total: int


@dataclass(slots=True)
class IkeFragmentsJoined(TraceEvent):
    """All fragments of an IKE message are here. `size` is what was inside them together."""

    spi_i: bytes
    exchange: str
    is_response: bool
    message_id: int
    total: int
    size: int


@dataclass(slots=True)
class IkeFragmentsDiscarded(TraceEvent):
    """Some fragments of an IKE message were kept, and are forgotten."""

    spi_i: bytes
    message_id: int
    stored: int
    total: int
    why: str


@dataclass(slots=True)
class IkeFragmentSizeLowered(TraceEvent):
    """A request got no answer, so it goes in more fragments: IP datagrams of at most `size` bytes."""

    spi_i: bytes
    message_id: int
    size: int
    fragments: int
