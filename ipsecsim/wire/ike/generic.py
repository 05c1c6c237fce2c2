"""Here is what all IKE payloads have in common: the generic payload header (RFC 7296 3.2)."""

from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Reader

GENERIC_HEADER = Struct("!BBH")  # Next Payload, C and RESERVED, Payload Length
CRITICAL = 0x80


@dataclass(slots=True)
class Payload:
    """Root of all payloads. `parse` and `emit` deal with the body, the chain with the generic header."""

    type: ClassVar[int]

    critical: bool = field(default=False, kw_only=True)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        raise NotImplementedError

    def emit(self) -> bytes:
        """The body, without the generic payload header."""
        raise NotImplementedError


@dataclass(slots=True)
class UnknownPayload(Payload):
    """A payload type without a row in PAYLOADS, kept as it came."""

    number: int
    body: bytes

    @property
    def type(self) -> int:  # type: ignore[override]  # here the number differs from object to object
        """The Next Payload value that announces it."""
        return self.number

    def emit(self) -> bytes:
        """The body as it came."""
        return self.body


def body_reader(body: bytes, what: str) -> Reader:
    """A Reader whose failures count as INVALID_SYNTAX, as all errors inside a payload do."""
    return Reader(body, what, DropReason.INVALID_SYNTAX)
