"""Here is the Authentication payload, AUTH (RFC 7296 3.8)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!B3x")  # Auth Method, RESERVED


@dataclass(slots=True)
class Authentication(Payload):
    """The proof of identity: a signature or a MAC, as `method` says."""

    type: ClassVar[int] = PayloadType.AUTH

    method: int
    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "AUTH payload")
        (method,) = reader.unpack(_FIXED)
        return cls(method, reader.rest())

    def emit(self) -> bytes:
        """The body."""
        return _FIXED.pack(self.method) + self.data
