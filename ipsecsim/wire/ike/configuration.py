"""Here is the Configuration payload, CP (RFC 7296 3.15)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!B3x")  # CFG Type, RESERVED
_ATTRIBUTE = Struct("!HH")  # R and Attribute Type, Length
_TYPE_BITS = 0x7FFF


@dataclass(slots=True)
class Configuration(Payload):
    """Addresses and the like, asked for or given: pairs of attribute type and value, in wire order."""

    type: ClassVar[int] = PayloadType.CP

    cfg_type: int
    attributes: list[tuple[int, bytes]]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "CP payload")
        (cfg_type,) = reader.unpack(_FIXED)
        attributes = []
        while reader.remaining:
            attribute_type, length = reader.unpack(_ATTRIBUTE)
            attributes.append((attribute_type & _TYPE_BITS, reader.take(length)))
        return cls(cfg_type, attributes)

    def emit(self) -> bytes:
        """The body."""
        parts = [_FIXED.pack(self.cfg_type)]
        for attribute_type, value in self.attributes:
            parts.append(_ATTRIBUTE.pack(attribute_type, len(value)) + value)
        return b"".join(parts)
