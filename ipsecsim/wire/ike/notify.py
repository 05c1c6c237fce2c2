"""Here is the Notify payload, N (RFC 7296 3.10)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!BBH")  # Protocol ID, SPI Size, Notify Message Type

FIRST_STATUS_TYPE = 16384  # RFC 7296 3.10.1: types below report errors, types from here on status


@dataclass(slots=True)
class Notify(Payload):
    """An error or a status. `protocol` and `spi` name a Child SA where one is meant, else 0 and empty."""

    type: ClassVar[int] = PayloadType.NOTIFY

    notify_type: int
    data: bytes = b""
    protocol: int = 0
    spi: bytes = b""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "Notify payload")
        protocol, spi_size, notify_type = reader.unpack(_FIXED)
        spi = reader.take(spi_size)
        return cls(notify_type, reader.rest(), protocol, spi)

    def emit(self) -> bytes:
        """The body."""
        return _FIXED.pack(self.protocol, len(self.spi), self.notify_type) + self.spi + self.data

    @property
    def is_error(self) -> bool:
        """Whether the type lies in the range for errors."""
        return self.notify_type < FIRST_STATUS_TYPE
