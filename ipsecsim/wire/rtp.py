"""Here is the RTP header (RFC 3550 5.1), as voice uses it: no padding, no extension, no contributing sources."""

from struct import Struct
from typing import NamedTuple

from ipsecsim.wire.reader import Malformed, Truncated

HEADER_LENGTH = 12

_FIELDS = Struct("!BBHI4s")  # version and flags, marker and payload type, sequence number, timestamp, SSRC
_VERSION = 2 << 6
_MARKER = 0x80


class Header(NamedTuple):
    """What a receiver looks at. `timestamp` counts the codec's clock, `source` is the SSRC."""

    payload_type: int
    sequence: int
    timestamp: int
    source: bytes


def build(
    payload_type: int, sequence: int, timestamp: int, source: bytes, *, is_first: bool = False
) -> bytes:
    """The header of one packet. The marker is on the first one of a talkspurt (RFC 3551 4.1)."""
    marker = _MARKER if is_first else 0
    return _FIELDS.pack(_VERSION, marker | payload_type, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, source)


def parse(packet: bytes) -> Header:
    """The header. Raises Malformed when it is none of RTP version 2 (RFC 3550 A.1)."""
    if len(packet) < HEADER_LENGTH:
        raise Truncated(f"an RTP packet of {len(packet)} bytes")
    if packet[0] & 0xC0 != _VERSION:
        raise Malformed(f"RTP version {packet[0] >> 6}")
    _, kind, sequence, timestamp, source = _FIELDS.unpack_from(packet)
    return Header(kind & ~_MARKER, sequence, timestamp, source)
