"""What IKE tells about message IDs that are agreed on anew (RFC 6311)."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class MessageIdsInDoubt(TraceEvent):
    """This side has taken over the IKE SA. It would go on asking with `send`, and being asked with `receive`."""

    spi_i: bytes
    send: int
    receive: int


@dataclass(slots=True)
class MessageIdsSynchronised(TraceEvent):
    """Both sides go on from these message IDs: our next request has `send`, the peer's next one `receive`."""

    spi_i: bytes
    send: int
    receive: int
    by_peer: bool
