"""Here is an IKE message taken apart for people: its header and its chain of payloads (RFC 7296 3)."""

from dataclasses import dataclass

from ipsecsim.wire.ike.dissect_bodies import BODIES
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, VERSION
from ipsecsim.wire.ike.numbers import ExchangeType, PayloadType, name_of
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, SEALED, Field, Layer, size_text
from ipsecsim.wire.opening import Opener
from ipsecsim.wire.reader import Malformed

_SEALED_TYPES = (PayloadType.SK, PayloadType.SKF)
_FLAGS = ((RESPONSE, "Response"), (VERSION, "Version"), (INITIATOR, "Initiator"))


def dissect_ike(message: bytes, offset: int = 0) -> Field:
    """The fields of an IKE message that begins `offset` bytes into its packet. Never raises.

    Of IKEv1 only the header, which has the same form, is read.
    """
    return dissect_ike_opened(message, offset, None)[0]


def dissect_ike_opened(message: bytes, offset: int, opener: Opener | None) -> tuple[Field, bytes]:
    """The fields, and the message with what `opener` has keys for decrypted in its place. Never raises."""
    layer = Layer(message, "IKE", 0, len(message), rfc="RFC 7296 3.1")
    plain = bytearray(message)
    with layer.reading():
        first, version = _header(layer, len(message))
        if version != 2:
            layer.rest(f"IKEv{version} payloads")
        else:
            _chain(layer, first, None if opener is None else _Sealed(message, opener, plain))
    layer.field.shift(offset)
    return layer.field, bytes(plain)


@dataclass(slots=True)
class _Sealed:
    """A message that may have an Encrypted payload, and who may open it."""

    message: bytes
    opener: Opener
    plain: bytearray


def _header(layer: Layer, length: int) -> tuple[int, int]:
    layer.octets("IKE SA Initiator's SPI", 8)
    layer.octets("IKE SA Responder's SPI", 8)
    first = layer.number("Next Payload", 1, _payload_type_text)
    version, _minor = layer.bits(("Major Version", 4, str), ("Minor Version", 4, str))
    exchange = layer.number("Exchange Type", 1, _exchange_text)
    flags = layer.number("Flags", 1, _flags_text)
    message_id = layer.number("Message ID", 4)
    layer.number("Length", 4, lambda said: size_text(said) + ("" if said == length else f", {length} here"))
    direction = "response" if flags & RESPONSE else "request"
    layer.field.value = f"{name_of(ExchangeType, exchange)} {direction}, message ID {message_id}"
    return first, version


def _exchange_text(number: int) -> str:
    return f"{name_of(ExchangeType, number)} ({number})"


def _flags_text(flags: int) -> str:
    names = [name for bit, name in _FLAGS if flags & bit]
    return f"0x{flags:02x} ({', '.join(names) or 'none'})"


def _payload_type_text(number: int) -> str:
    try:
        return f"{PayloadType(number).title} ({number})"
    except ValueError:
        return f"payload type {number}"


def dissect_payloads(first: int, data: bytes, offset: int = 0, protection: str = CLEAR) -> list[Field]:
    """The fields of a payload chain, for instance a decrypted one. Never raises.

    `first` is the type of the first payload, `offset` is where `data` begins in its packet.
    """
    layer = Layer(data, "payloads", 0, len(data), protection=protection)
    with layer.reading():
        _chain(layer, first)
    layer.field.shift(offset)
    return layer.field.children


def _chain(layer: Layer, first: int, sealed: _Sealed | None = None) -> None:
    number = first
    while number != PayloadType.NONE:
        next_number, _flags, *length_bytes = layer.peek(4)
        length = int.from_bytes(bytes(length_bytes), "big")
        if not 4 <= length <= layer.remaining:
            what = f"{_payload_type_text(number)}: payload length {length}"
            raise Malformed(f"{what}, {layer.remaining} bytes left")
        if number in _SEALED_TYPES:
            _mark_authenticated(layer)
        _payload(layer.inner(_payload_type_text(number), length), number, next_number, sealed)
        if number in _SEALED_TYPES:
            break
        number = next_number


def _mark_authenticated(layer: Layer) -> None:
    """The ICV of an Encrypted payload also covers all that stands in front of it (RFC 7296 3.14)."""
    layer.protection = AUTHENTICATED
    for _, each in layer.field.walk():
        each.protection = AUTHENTICATED


def _payload(payload: Layer, number: int, first_inner: int, sealed: _Sealed | None) -> None:
    with payload.reading():
        payload.number("Next Payload", 1, _payload_type_text)
        payload.bits(("Critical", 1, str), ("RESERVED", 7, str))
        payload.number("Payload Length", 2, size_text)
        read_body = BODIES.get(number)
        if number in _SEALED_TYPES and sealed is not None:
            _open(payload, number, first_inner, sealed)
        elif read_body is None:
            payload.rest("Payload")
        else:
            read_body(payload)


def _open(payload: Layer, number: int, first_inner: int, sealed: _Sealed) -> None:
    """An Encrypted payload, or a fragment of one, whose keys somebody may have (RFC 7296 3.14, RFC 7383 2.5)."""
    fields = FRAGMENT_FIELDS.size if number == PayloadType.SKF else 0
    opened = sealed.opener.ike(sealed.message, payload.at + fields)
    # the seal is over the message up to its end: with bytes behind the payload there is none
    if opened is None or opened.fault or payload.end != len(sealed.message):
        BODIES[number](payload)
        if opened is not None and opened.fault:
            payload.field.value = opened.fault
        return
    pieces = 1
    if fields:
        payload.number("Fragment Number", 2)
        pieces = payload.number("Total Fragments", 2)
    if opened.iv_length:
        payload.octets("Initialization Vector", opened.iv_length)
    start, end = payload.at, payload.at + len(opened.plaintext)
    sealed.plain[start:end] = opened.plaintext
    inside = Layer(bytes(sealed.plain), "plaintext", start, end, protection=SEALED)
    pad_length = opened.plaintext[-1] if opened.plaintext else 0
    size = len(opened.plaintext) - 1 - pad_length
    if pieces > 1:
        inside.octets("Fragment of the payloads", size)
    else:
        for each in dissect_payloads(first_inner, opened.plaintext[:size], start, SEALED):
            inside.add(each)
    if pad_length:
        inside.octets("Padding", pad_length)
    inside.number("Pad Length", 1, size_text)
    for each in inside.field.children:
        payload.add(each)
    payload.protection = AUTHENTICATED
    payload.rest("Integrity Checksum Data")
