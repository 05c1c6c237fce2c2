"""Here are ESP and AH taken apart for people, without any key: what ESP sealed stays sealed, AH hides nothing."""

from ipsecsim.wire import ah, esp
from ipsecsim.wire.dissect_place import Place, protocol_text
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, SEALED, Field, Layer, hex_number, size_text
from ipsecsim.wire.opening import Opened
from ipsecsim.wire.reader import Malformed

_ICV_LENGTHS = (12, 16, 24, 32)  # of all algorithms in use; no byte in the packet says which
_MOST_PADDING = 7  # RFC 4302 2.6: no more than an alignment to 8 bytes asks for


def read_esp(place: Place) -> Field:
    """An ESP packet (RFC 4303 2)."""
    layer = place.layer("ESP", "RFC 4303 2")
    layer.field.protection = layer.protection = AUTHENTICATED
    with layer.reading():
        _spi_and_sequence(layer)
        opened = None if place.opener is None else place.opener.esp(place.data[place.start : place.end])
        if opened is None:
            layer.protection = SEALED
            layer.rest("IV, Payload Data and ICV")
        elif opened.fault:
            _broken(layer, place, opened)
        else:
            _content(layer, place, opened)
    return layer.field


def _broken(layer: Layer, place: Place, opened: Opened) -> None:
    """What cannot be opened with the right keys. A packet that is cut off, as quoted ones are, is not to blame."""
    sealed = layer.remaining - opened.iv_length - opened.icv_length
    if place.is_cut or sealed < 0:
        layer.protection = SEALED
        layer.rest("IV, Payload Data and ICV")
        return
    layer.field.value += f", {opened.fault}"
    _mark_header(layer, opened)
    if opened.iv_length:
        layer.octets("IV", opened.iv_length)
    layer.octets("Payload Data, sealed", sealed)
    layer.field.children[-1].protect(encrypts=opened.encrypts, authenticates=opened.authenticates)
    layer.rest("Integrity Check Value (ICV)")


def _mark_header(layer: Layer, opened: Opened) -> None:
    """SPI and sequence number are signed, unless ESP has no integrity (RFC 4303 3.3.2)."""
    layer.protection = AUTHENTICATED if opened.authenticates else CLEAR
    for _, each in layer.field.walk():
        each.protection = layer.protection


def _content(layer: Layer, place: Place, opened: Opened) -> None:
    """What keys show: IV, what is carried, padding, trailer, ICV (RFC 4303 2, figure 2)."""
    _mark_header(layer, opened)
    if opened.iv_length:
        layer.octets("IV", opened.iv_length)
    start, end = layer.at, layer.at + len(opened.plaintext)
    place.plain[start:end] = opened.plaintext
    inside = place.opened(start, end)
    below = inside.layer("plaintext", "")
    below.protection = CLEAR
    *_, pad_length, next_header = opened.plaintext
    payload_end = end - esp.TRAILER_LENGTH - pad_length
    if payload_end > start:
        below.add(inside.within(start, payload_end).of(next_header))
    if pad_length:
        below.octets("Padding", pad_length)
    below.number("Pad Length", 1, size_text)
    below.number("Next Header", 1, protocol_text)
    for each in below.field.children:
        each.protect(encrypts=opened.encrypts, authenticates=opened.authenticates)
        layer.add(each)
    if opened.icv_length:
        layer.octets("Integrity Check Value (ICV)", opened.icv_length)


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
            signed.protect(encrypts=False, authenticates=True)
            layer.add(signed)
    layer.field.value += _ah_fault(place)
    return layer.field


def _ah_fault(place: Place) -> str:
    """What is wrong with the ICV, where all that it covers is here."""
    if place.opener is None or place.packet is None or place.is_cut:
        return ""
    fault = place.opener.ah(place.data[place.packet : place.end], place.start - place.packet)
    return fault and f", {fault}"


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
