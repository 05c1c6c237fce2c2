"""Here is the IPv4 header (RFC 791 3.1). Hot: routers use `check`, field offsets and `decrement_ttl` only."""

from dataclasses import dataclass
from struct import Struct

from ipsecsim.base.errors import LocalError
from ipsecsim.wire.reader import Malformed, Truncated

HEADER_LENGTH = 20
LARGEST_PACKET = 0xFFFF
SMALLEST_PATH_MTU = 576
"""No path MTU is believed to be below it. RFC 1191 3 asks for 68 only, but then one false message would make every
packet tiny (RFC 4301 6.1.1). Every host takes 576 bytes (RFC 791 3.1), and a smaller link may still cut what has DF
clear."""

# Where fields stand in a packet: `packet[PROTOCOL]`, `packet[SOURCE]`.
TOS = 1
TTL = 8
PROTOCOL = 9
SOURCE = slice(12, 16)
DESTINATION = slice(16, 20)

IMMUTABLE_OPTIONS = frozenset(
    (
        0x82,  # Security
        0x85,  # Extended Security
        0x86,  # Commercial Security
        0x94,  # Router Alert
        0x95,  # Sender Directed Multi-Destination Delivery
    )
)
"""Whole option bytes. AH signs these options, and counts all others as zeros (RFC 4302 appendix A1)."""

_FIELDS = Struct("!BBHHHBBH4s4s")
_VERSION_AND_IHL = 0x45
_DONT_FRAGMENT = 0x4000
_MORE_FRAGMENTS = 0x2000
_OFFSET_BITS = 0x1FFF  # in units of 8 bytes

Packet = bytes | bytearray


@dataclass(slots=True)
class Ipv4Header:
    """What the header says. Addresses are packed; `fragment_offset` is in bytes."""

    source: bytes
    destination: bytes
    protocol: int
    total_length: int
    identification: int = 0
    ttl: int = 64
    tos: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""


def check(packet: Packet) -> int:
    """The total length. Raises Malformed unless it, version, header length and checksum are right (RFC 791 3.1).

    Bytes behind it are allowed: a link may have padded the packet.
    """
    length = len(packet)
    if length < HEADER_LENGTH:
        raise Truncated(f"IPv4 packet of {length} bytes")
    size = HEADER_LENGTH
    if packet[0] != _VERSION_AND_IHL:
        size = _size_with_options(packet)
    total = packet[2] << 8 | packet[3]
    if not size <= total <= length:
        raise Malformed(f"IPv4 total length {total} in a packet of {length} bytes")
    if int.from_bytes(packet[:size], "big") % 0xFFFF:
        raise Malformed("IPv4 header checksum is wrong")
    return total


def _size_with_options(packet: Packet) -> int:
    if packet[0] >> 4 != 4:
        raise Malformed(f"IP version {packet[0] >> 4}, not 4")
    size = header_length(packet)
    if not HEADER_LENGTH <= size <= len(packet):
        raise Malformed(f"IPv4 header length {size} in a packet of {len(packet)} bytes")
    return size


def header_length(packet: Packet) -> int:
    """Length of the header, options included."""
    return (packet[0] & 0x0F) << 2


def is_fragment(packet: Packet) -> bool:
    """Whether the packet is a piece of a larger one: More Fragments is set or the offset is not 0."""
    return bool(packet[6] & 0x3F or packet[7])


def payload(packet: Packet) -> bytes:
    """What the header carries: from its end to the total length."""
    return bytes(packet[(packet[0] & 0x0F) << 2 : packet[2] << 8 | packet[3]])


def parse(packet: Packet) -> Ipv4Header:
    """The header of `packet`, checked as `check` does. Raises Malformed."""
    check(packet)
    first, tos, total_length, identification, fragment, ttl, protocol, _checksum, source, destination = (
        _FIELDS.unpack_from(packet)
    )
    return Ipv4Header(
        source,
        destination,
        protocol,
        total_length,
        identification,
        ttl,
        tos,
        bool(fragment & _DONT_FRAGMENT),
        bool(fragment & _MORE_FRAGMENTS),
        (fragment & _OFFSET_BITS) << 3,
        bytes(packet[HEADER_LENGTH : (first & 0x0F) << 2]),
    )


def build(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload: bytes,
    *,
    ttl: int = 64,
    identification: int = 0,
    tos: int = 0,
    dont_fragment: bool = False,
    more_fragments: bool = False,
    fragment_offset: int = 0,
    options: bytes = b"",
) -> bytes:
    """A whole packet. Raises LocalError above 65535 bytes, or for options that do not fill 4-byte words."""
    total_length = HEADER_LENGTH + len(payload)
    first = _VERSION_AND_IHL
    if options:
        total_length += len(options)
        first += _option_words(options)
    if total_length > LARGEST_PACKET:
        raise LocalError(f"an IPv4 packet cannot have {total_length} bytes")
    fragment = fragment_offset >> 3
    if dont_fragment:
        fragment |= _DONT_FRAGMENT
    if more_fragments:
        fragment |= _MORE_FRAGMENTS
    # The sum of all words, taken from the fields: cheaper than packing the header twice.
    total = (first << 8 | tos) + total_length + identification + fragment + (ttl << 8 | protocol)
    total += int.from_bytes(source + destination + options, "big")
    header = _FIELDS.pack(
        first,
        tos,
        total_length,
        identification,
        fragment,
        ttl,
        protocol,
        -total % 0xFFFF,
        source,
        destination,
    )
    return header + options + payload if options else header + payload


def _option_words(options: bytes) -> int:
    words, rest = divmod(len(options), 4)
    if rest or words > 10:
        raise LocalError(f"IPv4 options of {len(options)} bytes: up to 40, in words of 4")
    return words


def decrement_ttl(packet: bytearray) -> None:
    """Take 1 off the time to live, in place, and mend the checksum (RFC 1624 3). It must be above 0."""
    packet[TTL] -= 1
    # One less in the high byte of a word is one more in the high byte of the checksum, carry end around.
    checksum = (packet[10] << 8 | packet[11]) + 0x100
    if checksum >= 0xFFFF:
        checksum -= 0xFFFF
    packet[10] = checksum >> 8
    packet[11] = checksum & 0xFF
