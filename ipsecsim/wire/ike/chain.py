"""Here is how payloads hang together: each one names the type of the next (RFC 7296 3.2)."""

from collections.abc import Sequence
from dataclasses import replace

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import CRITICAL, GENERIC_HEADER, Payload, UnknownPayload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.reader import Malformed, Reader

MAX_PAYLOADS = 64


def parse_chain(first: int, data: bytes) -> list[Payload]:
    """The payloads in `data`, of which `first` is the type of the first one.

    Raises Malformed: PAYLOAD_LEN when the lengths do not add up, TOO_MANY_PAYLOADS above 64,
    INVALID_SYNTAX when a known payload is wrong inside. Unknown payloads are kept.
    """
    reader = Reader(data, "payload chain", DropReason.PAYLOAD_LEN)
    payloads: list[Payload] = []
    number = first
    while number != PayloadType.NONE:
        if len(payloads) == MAX_PAYLOADS:
            raise Malformed(f"more than {MAX_PAYLOADS} payloads", DropReason.TOO_MANY_PAYLOADS)
        next_number, flags, length = reader.unpack(GENERIC_HEADER)
        payload = _parse_payload(number, reader.take(length - GENERIC_HEADER.size))
        payload.critical = bool(flags & CRITICAL)
        payloads.append(payload)
        if isinstance(payload, Encrypted | EncryptedFragment):
            # RFC 7296 3.14: the last payload of the message; its Next Payload looks inside.
            payload.first_inner = next_number
            break
        number = next_number
    reader.end()
    return payloads


def _parse_payload(number: int, body: bytes) -> Payload:
    payload_class = PAYLOADS.get(number)
    if payload_class is None:
        return UnknownPayload(number, body)
    return payload_class.parse(body)


def emit_chain(payloads: Sequence[Payload]) -> tuple[int, bytes]:
    """The type of the first payload (0 for none) and the bytes of all, generic headers included."""
    parts: list[bytes] = []
    for index, payload in enumerate(payloads):
        is_last = index + 1 == len(payloads)
        if isinstance(payload, Encrypted | EncryptedFragment):
            if not is_last:
                raise LocalError("an Encrypted payload must be the last of its message")
            next_number = payload.first_inner
        else:
            next_number = PayloadType.NONE if is_last else payloads[index + 1].type
        body = payload.emit()
        length = GENERIC_HEADER.size + len(body)
        if length > 0xFFFF:
            raise LocalError(f"payload type {payload.type}: {length} bytes do not fit its length field")
        parts.append(GENERIC_HEADER.pack(next_number, CRITICAL if payload.critical else 0, length))
        parts.append(body)
    first = payloads[0].type if payloads else PayloadType.NONE
    return int(first), b"".join(parts)


def parse_message(datagram: bytes) -> tuple[IkeHeader, list[Payload]]:
    """The header and the outer payloads of one IKEv2 message. Raises Malformed.

    Who must answer a bad version or an odd length asks `IkeHeader.parse` first: it accepts both.
    """
    header = IkeHeader.parse(datagram)
    header.check(len(datagram))
    return header, parse_chain(header.next_payload, datagram[HEADER_LENGTH:])


def emit_message(header: IkeHeader, payloads: Sequence[Payload]) -> bytes:
    """A whole message. Next payload and length come from `payloads`, whatever `header` says of them."""
    first, body = emit_chain(payloads)
    return replace(header, next_payload=first, length=HEADER_LENGTH + len(body)).emit() + body
