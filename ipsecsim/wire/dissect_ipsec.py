"""Here are ESP and AH taken apart for people, without any key: what ESP sealed stays sealed, AH hides nothing."""

from ipsecsim.wire import ah
from ipsecsim.wire.dissect_place import Place, protocol_text
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, SEALED, Field, Layer, hex_number, size_text
from ipsecsim.wire.reader import Malformed

_ICV_LENGTHS = (12, 16, 24, 32)  # of all algorithms in use; no byte in the packet says which
_MOST_PADDING = 7  # RFC 4302 2.6: no more than an alignment to 8 bytes asks for


def read_esp(place: Place) -> Field:
    """An ESP packet (RFC 4303 2)."""
    layer = place.layer("ESP", "RFC 4303 2")
    layer.field.protection = layer.protection = AUTHENTICATED
    with layer.reading():
        _spi_and_sequence(layer)
        layer.protection = SEALED
        layer.rest("IV, Payload Data and ICV")
    return layer.field


def read_ah(place: Place) -> Field:
    """An Authentication Header and what it signs (RFC 4302 2); what follows is in clear and shown."""
    layer = place.layer("AH", "RFC 4302 2")
    layer.field.protection = layer.protection = AUTHENTICATED
    with layer.reading():
        following = layer.number("Next Header", 1, protocol_text)
        words = layer.number("Payload Len", 1, lambda count: f"{count} ({size_text(_length(count))} of AH)")
        layer.number("RESERVED", 2, hex_number(4))
        _spi_and_sequence(layer)
        size = _length(words) - ah.FIXED_LENGTH
        if size < 0:
            raise Malformed(f"an AH of {_length(words)} bytes is shorter than its fixed fields")
        padding = _padding(size)
        layer.octets("Integrity Check Value (ICV)", size - padding)
        if padding:
            layer.octets("Padding", padding)
        if layer.remaining:
            signed = place.within(layer.at, place.end).of(following)
            _mark_authenticated(signed)
            layer.add(signed)
    return layer.field


def _spi_and_sequence(layer: Layer) -> None:
    spi = layer.number("Security Parameters Index (SPI)", 4, hex_number(8))
    sequence = layer.number("Sequence Number", 4)
    layer.field.value = f"SPI 0x{spi:08x}, sequence {sequence}"


def _length(words: int) -> int:
    return ah.length(bytes((0, words)))


def _padding(size: int) -> int:
    """How much of the ICV field is padding: what is beyond the longest ICV that fits, where that is little."""
    beyond = size - max((length for length in _ICV_LENGTHS if length <= size), default=size)
    return beyond if beyond <= _MOST_PADDING else 0


def _mark_authenticated(signed: Field) -> None:
    for _, each in signed.walk():
        if each.protection == CLEAR:
            each.protection = AUTHENTICATED
