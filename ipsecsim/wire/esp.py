"""Here is what ESP adds to a payload: header, padding and trailer (RFC 4303 2). Hot."""

from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Malformed, Truncated

HEADER = Struct("!II")  # SPI, Sequence Number
HEADER_LENGTH = 8
TRAILER_LENGTH = 2  # Pad Length, Next Header

# RFC 4303 2.4: the pad bytes count 1, 2, 3, ... Row n is n of them and the Pad Length.
_PADDING = [bytes(range(1, count + 1)) + bytes((count,)) for count in range(256)]
_NEXT_HEADER = [bytes((number,)) for number in range(256)]


def numbers(packet: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """SPI and sequence number of the ESP that stands at `start` to `end`. Raises Truncated (ESP_SHORT)."""
    length = (len(packet) if end is None else end) - start
    if length < HEADER_LENGTH:
        raise Truncated(f"ESP packet of {length} bytes", DropReason.ESP_SHORT)
    spi, sequence = HEADER.unpack_from(packet, start)
    return spi, sequence


def pad(length: int, alignment: int) -> bytes:
    """The padding that lets `length` payload bytes and the trailer end on a multiple of `alignment`.

    `alignment` is 4 or the cipher's block, whichever is larger (RFC 4303 2.4).
    """
    return _PADDING[-(length + TRAILER_LENGTH) % alignment][:-1]


def trailer(length: int, alignment: int, next_header: int) -> bytes:
    """All that follows `length` payload bytes before encryption: padding, Pad Length, Next Header."""
    return _PADDING[-(length + TRAILER_LENGTH) % alignment] + _NEXT_HEADER[next_header]


def strip_trailer(plaintext: bytes) -> tuple[bytes, int]:
    """The payload and the next header. Raises Malformed: ESP_SHORT without a trailer, ESP_BAD_PAD."""
    length = len(plaintext)
    if length < TRAILER_LENGTH:
        raise Truncated(f"ESP plaintext of {length} bytes", DropReason.ESP_SHORT)
    pad_length = plaintext[-2]
    end = length - TRAILER_LENGTH - pad_length
    if end < 0:
        raise Malformed(f"ESP pad length {pad_length} in {length} bytes", DropReason.ESP_BAD_PAD)
    if plaintext[end:-1] != _PADDING[pad_length]:
        raise Malformed("ESP padding does not count 1, 2, 3", DropReason.ESP_BAD_PAD)
    return plaintext[:end], plaintext[-1]
