"""Here is the Key Exchange payload, KE (RFC 7296 3.4)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!HH")  # Diffie-Hellman Group Num, RESERVED


@dataclass(slots=True)
class KeyExchange(Payload):
    """A public value and the group it belongs to."""

    type: ClassVar[int] = PayloadType.KE

    group: int
    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "KE payload")
        group, _reserved = reader.unpack(_FIXED)
        return cls(group, reader.rest())

    def emit(self) -> bytes:
        """The body."""
        return _FIXED.pack(self.group, 0) + self.data
