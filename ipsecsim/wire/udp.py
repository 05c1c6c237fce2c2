"""Here is the UDP header (RFC 768). Hot."""

from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire.checksum import pseudo_header_sum, word_sum
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated

HEADER_LENGTH = 8

_FIELDS = Struct("!HHHH")  # source port, destination port, length, checksum
_PROTOCOL = int(IpProtocol.UDP)


def parse(segment: bytes) -> tuple[int, int, bytes]:
    """Source port, destination port and payload. Raises Malformed (UDP_SHORT) for a wrong length field.

    The checksum is the business of `check`, which needs the addresses.
    """
    if len(segment) < HEADER_LENGTH:
        raise Truncated(f"UDP segment of {len(segment)} bytes", DropReason.UDP_SHORT)
    source_port, destination_port, length, _checksum = _FIELDS.unpack_from(segment)
    if not HEADER_LENGTH <= length <= len(segment):
        raise Malformed(f"UDP length {length} in a segment of {len(segment)} bytes", DropReason.UDP_SHORT)
    return source_port, destination_port, segment[HEADER_LENGTH:length]


def check(source: bytes, destination: bytes, segment: bytes) -> None:
    """Raise Malformed for a wrong length (UDP_SHORT) or checksum (UDP_CHECKSUM). A checksum of 0 is none."""
    if len(segment) < HEADER_LENGTH:
        raise Truncated(f"UDP segment of {len(segment)} bytes", DropReason.UDP_SHORT)
    length = segment[4] << 8 | segment[5]
    if not HEADER_LENGTH <= length <= len(segment):
        raise Malformed(f"UDP length {length} in a segment of {len(segment)} bytes", DropReason.UDP_SHORT)
    if segment[6] or segment[7]:
        total = pseudo_header_sum(source, destination, _PROTOCOL, length) + word_sum(segment[:length])
        if total % 0xFFFF:
            raise Malformed("UDP checksum is wrong", DropReason.UDP_CHECKSUM)


def build(
    source: bytes,
    destination: bytes,
    source_port: int,
    destination_port: int,
    payload: bytes,
    *,
    checksum: bool = True,
) -> bytes:
    """A segment from `source` to `destination`. Raises LocalError above 65535 bytes.

    Without a checksum the field is 0; a checksum that comes out as 0 is sent as 0xffff (RFC 768).
    """
    length = HEADER_LENGTH + len(payload)
    if length > 0xFFFF:
        raise LocalError(f"a UDP segment cannot have {length} bytes")
    field = 0
    if checksum:
        total = pseudo_header_sum(source, destination, _PROTOCOL, length) + word_sum(payload)
        field = -(total + source_port + destination_port + length) % 0xFFFF or 0xFFFF
    return _FIELDS.pack(source_port, destination_port, length, field) + payload
