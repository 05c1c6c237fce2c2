"""Here are the Identification payloads, IDi and IDr (RFC 7296 3.5)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!B3s")  # ID Type, RESERVED


@dataclass(slots=True)
class Identification(Payload):
    """Who somebody says they are. What `data` means depends on `id_type`.

    `reserved` means nothing, and is kept as it came: AUTH covers it too (RFC 7296 2.15).
    """

    id_type: int
    data: bytes
    reserved: bytes = bytes(3)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "ID payload")
        id_type, reserved = reader.unpack(_FIXED)
        return cls(id_type, reader.rest(), reserved)

    def emit(self) -> bytes:
        """The body: also what the AUTH payload covers (RFC 7296 2.15)."""
        return _FIXED.pack(self.id_type, self.reserved) + self.data


@dataclass(slots=True)
class IdInitiator(Identification):
    """IDi."""

    type: ClassVar[int] = PayloadType.IDi


@dataclass(slots=True)
class IdResponder(Identification):
    """IDr."""

    type: ClassVar[int] = PayloadType.IDr
