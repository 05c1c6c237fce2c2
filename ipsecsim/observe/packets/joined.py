"""A message of IKE that went in pieces (RFC 7383), looked through as the one packet that it would have been."""

from collections.abc import Iterable
from dataclasses import replace

from ipsecsim.base.errors import RemoteError
from ipsecsim.ike.v2.messages.message import first
from ipsecsim.observe.packets.xray import Xray, xray
from ipsecsim.wire import ip, nat_t, udp
from ipsecsim.wire.headers import carried, ports
from ipsecsim.wire.headers import first as first_header
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.in_udp import ike_message
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from ipsecsim.wire.opening import Opened, Opener

MOST = 60_000
"""Bytes of a whole message; a larger one fits into no packet."""


def piece(packet: bytes) -> tuple[IkeHeader, EncryptedFragment] | None:
    """The header of the message that a packet holds a piece of, and the piece; None for any other packet."""
    try:
        header, payloads = parse_message(ike_message(packet))
    except RemoteError:
        return None
    found = first(payloads, EncryptedFragment)
    return None if found is None else (header, found)


def joined(packet: bytes, others: Iterable[bytes], keys: Opener) -> Xray | None:
    """Look through the whole message that a packet is a piece of, with the other pieces from among these packets.

    None while one is missing, or cannot be opened. Byte ranges are those of a packet with one Encrypted payload
    (RFC 7296 3.14), which has no IV and no ICV here: each piece had its own.
    """
    mine = piece(packet)
    if mine is None:
        return None
    inner: dict[int, tuple[int, bytes]] = {}
    for each in (packet, *others):
        other = piece(each)
        if other is None or _name(*other) != _name(*mine) or other[1].number in inner:
            continue
        content = _content(ike_message(each), other[1], keys)
        if content is not None:
            inner[other[1].number] = (other[1].first_inner, content)
    if set(inner) != set(range(1, mine[1].total + 1)) or sum(len(each) for _, each in inner.values()) > MOST:
        return None
    content = b"".join(inner[number][1] for number in sorted(inner)) + b"\0"  # no padding
    message = emit_message(replace(mine[0]), [Encrypted(inner[1][0], content)])
    return xray(_around(packet, message), _Open(content))


def _name(header: IkeHeader, part: EncryptedFragment) -> tuple[bytes, bytes, int, int, int]:
    """What all pieces of a message have in common."""
    return header.spi_i, header.spi_r, header.flags, header.message_id, part.total


def _content(message: bytes, part: EncryptedFragment, keys: Opener) -> bytes | None:
    opened = keys.ike(message, len(message) - len(part.body))
    if opened is None or not opened.plaintext:
        return None
    return opened.plaintext[: -1 - opened.plaintext[-1]]


def _around(packet: bytes, message: bytes) -> bytes:
    """A packet from and to the same ends with another message in it."""
    header = first_header(packet, IpProtocol.UDP)
    assert header is not None  # noqa: S101 - there was a message in it
    used = ports(carried(packet, header))
    payload = (nat_t.NON_ESP_MARKER if NAT_T_PORT in used else b"") + message
    ends = ip.addresses(packet)
    return ip.build(*ends, IpProtocol.UDP, udp.build(*ends, *used, payload))


class _Open:
    """Opens nothing but the one message that has been opened already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def ike(self, _message: bytes, _sealed_at: int) -> Opened | None:
        return Opened(0, 0, self._content, encrypts=True, authenticates=True)

    def esp(self, _packet: bytes) -> Opened | None:
        return None

    def ah(self, _packet: bytes, _start: int) -> str:
        return ""
