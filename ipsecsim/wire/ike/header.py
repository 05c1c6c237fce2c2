"""Here is the IKE header, 28 bytes in front of every message (RFC 7296 3.1)."""

from dataclasses import dataclass
from struct import Struct
from typing import Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Malformed, Truncated

HEADER_LENGTH = 28

INITIATOR = 0x08
VERSION = 0x10
RESPONSE = 0x20

_FIELDS = Struct("!8s8sBBBBII")


@dataclass(slots=True)
class IkeHeader:
    """The header as it is on the wire. IKEv1 lays it out the same way, so `parse` reads both."""

    spi_i: bytes
    spi_r: bytes
    next_payload: int
    exchange: int
    flags: int
    message_id: int
    length: int = 0
    version: int = 0x20

    @classmethod
    def parse(cls, message: bytes) -> Self:
        """The first 28 bytes of `message`. Raises Truncated (SHORT); `check` judges the rest."""
        if len(message) < HEADER_LENGTH:
            raise Truncated(f"IKE header: only {len(message)} bytes", DropReason.SHORT)
        spi_i, spi_r, next_payload, version, exchange, flags, message_id, length = _FIELDS.unpack_from(
            message
        )
        return cls(spi_i, spi_r, next_payload, exchange, flags, message_id, length, version)

    def check(self, datagram_length: int) -> None:
        """Raise Malformed unless this is IKEv2 (BAD_VERSION) and as long as its datagram (LEN_MISMATCH)."""
        if self.major_version != 2:
            raise Malformed(f"IKE header: major version {self.major_version}", DropReason.BAD_VERSION)
        if self.length != datagram_length:
            mismatch = f"length field {self.length}, datagram {datagram_length}"
            raise Malformed(f"IKE header: {mismatch}", DropReason.LEN_MISMATCH)

    def emit(self) -> bytes:
        """The 28 bytes."""
        return _FIELDS.pack(
            self.spi_i,
            self.spi_r,
            self.next_payload,
            self.version,
            self.exchange,
            self.flags,
            self.message_id,
            self.length,
        )

    @property
    def major_version(self) -> int:
        """2 for IKEv2, 1 for IKEv1."""
        return self.version >> 4

    @property
    def is_response(self) -> bool:
        """Whether the R bit is set."""
        return bool(self.flags & RESPONSE)

    @property
    def from_initiator(self) -> bool:
        """Whether the sender is the original initiator of the IKE SA (the I bit)."""
        return bool(self.flags & INITIATOR)
