"""Here is the Authentication Header (RFC 4302 2). Hot."""

from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Malformed, Truncated

FIXED = Struct("!BBHII")  # Next Header, Payload Len, Reserved, SPI, Sequence Number
FIXED_LENGTH = 12
ICV = FIXED_LENGTH
"""Where the Integrity Check Value begins, counted from the header's start."""

LINUX_IPV4_ALIGNMENT = 8  # Linux aligns IPv4 AH to 64 bits unless told otherwise; RFC 4302 2.6 asks for 32


def padding(icv_length: int, alignment: int) -> int:
    """Bytes of padding behind the ICV: the header is a multiple of 4 bytes in IPv4, of 8 in IPv6 (RFC 4302 2.6)."""
    return -(FIXED_LENGTH + icv_length) % alignment


def length(fixed: bytes) -> int:
    """Length of the whole header in bytes: the field counts 32-bit words and leaves out two (RFC 4302 2.2)."""
    return (fixed[1] + 2) * 4


def numbers(packet: bytes, start: int, end: int) -> tuple[int, int]:
    """SPI and sequence number of the AH that stands at `start` of a packet of `end` bytes.

    Raises Malformed: AH_SHORT when the fixed part is not there, AH_BAD_LEN when the length field cannot be true.
    """
    room = end - start
    if room < FIXED_LENGTH:
        raise Truncated(f"AH of {room} bytes", DropReason.AH_SHORT)
    _next_header, words, _reserved, spi, sequence = FIXED.unpack_from(packet, start)
    if not FIXED_LENGTH <= (words + 2) * 4 <= room:
        raise Malformed(f"AH length {(words + 2) * 4} in {room} bytes", DropReason.AH_BAD_LEN)
    return spi, sequence
