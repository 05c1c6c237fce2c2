"""Exchanging an endpoint in a packet, and mending what sums it up (RFC 3022 4.1, 4.2; RFC 5508 4.1, 4.2).

A NAT takes off the old words and adds the new ones. So an error that was in a packet before is still found
behind it, and what it can't see, such as what ESP has sealed or AH has signed, stays as it was.
"""

from enum import Enum
from typing import NamedTuple

from ipsecsim.wire import ipv4
from ipsecsim.wire.checksum import internet_checksum, is_valid, replaced
from ipsecsim.wire.icmpv4 import ERROR_TYPES, HEADER_LENGTH, IcmpType
from ipsecsim.wire.numbers import IpProtocol

Endpoint = tuple[bytes, int]
"""An address and a port, an ICMP identifier, or 0 where a protocol has neither."""

QUOTED_DATA = 8  # of the payload, which an error quotes at least (RFC 792)
_CHECKSUM_AT = {IpProtocol.UDP: 6, IpProtocol.TCP: 16}
_IP_CHECKSUM_AT = 10


class End(Enum):
    """One of the two endpoints in a header."""

    SOURCE = "source"
    DESTINATION = "destination"

    @property
    def other(self) -> "End":
        """The one across."""
        return End.DESTINATION if self is End.SOURCE else End.SOURCE


class Flow(NamedTuple):
    """Whose packet it is: protocol and both endpoints."""

    protocol: int
    source: Endpoint
    destination: Endpoint

    def at(self, end: End) -> Endpoint:
        """One of the endpoints."""
        return self.source if end is End.SOURCE else self.destination


def flow_of(packet: bytes) -> Flow | None:
    """The flow of a packet that is no fragment; None when it is cut off before that shows."""
    start, protocol = ipv4.header_length(packet), packet[ipv4.PROTOCOL]
    source, destination = bytes(packet[ipv4.SOURCE]), bytes(packet[ipv4.DESTINATION])
    ports = packet[start : start + 8]
    if protocol in _CHECKSUM_AT:
        if len(ports) < 4:
            return None
        return Flow(protocol, (source, ports[0] << 8 | ports[1]), (destination, ports[2] << 8 | ports[3]))
    if protocol == IpProtocol.ICMP:
        if len(ports) < 8:
            return None
        identifier = ports[4] << 8 | ports[5]
        if ports[0] == IcmpType.ECHO:
            return Flow(protocol, (source, identifier), (destination, 0))
        if ports[0] == IcmpType.ECHO_REPLY:
            return Flow(protocol, (source, 0), (destination, identifier))
        return None
    return Flow(protocol, (source, 0), (destination, 0))


def exchanged(packet: bytes, end: End, new: Endpoint) -> bytes:
    """The packet with another endpoint, its checksums mended."""
    changed = bytearray(packet)
    _exchange(changed, end, new)
    return bytes(changed)


def quoted(packet: bytes) -> bytes | None:
    """The packet that an ICMP error speaks of, or None when this is no such error, or a spoilt one.

    Both checksums have to be right, that of the message and that of the header in it (RFC 5508 REQ-3).
    """
    start = ipv4.header_length(packet)
    if packet[ipv4.PROTOCOL] != IpProtocol.ICMP or len(packet) <= start or packet[start] not in ERROR_TYPES:
        return None
    message = packet[start:]
    inside = message[HEADER_LENGTH:]
    if len(inside) < ipv4.HEADER_LENGTH or inside[0] >> 4 != 4 or not is_valid(message):
        return None
    header = ipv4.header_length(inside)
    is_whole = ipv4.HEADER_LENGTH <= header <= len(inside) - QUOTED_DATA
    return inside if is_whole and is_valid(inside[:header]) else None


def readdressed(packet: bytes, end: End, address: bytes) -> bytes:
    """The packet with another address and the ports it had, whatever its protocol."""
    flow = flow_of(packet)
    if flow is not None:
        return exchanged(packet, end, (address, flow.at(end)[1]))
    changed = bytearray(packet)
    _exchange_address(changed, end, address)
    return bytes(changed)


def quote_exchanged(packet: bytes, end: End, new: Endpoint) -> bytes:
    """An ICMP error with another endpoint in the packet that it quotes (RFC 5508 4.2)."""
    start = ipv4.header_length(packet)
    changed = bytearray(packet)
    inner = changed[start + HEADER_LENGTH :]
    _exchange(inner, end, new)
    changed[start + HEADER_LENGTH :] = inner
    changed[start + 2 : start + 4] = bytes(2)
    changed[start + 2 : start + 4] = internet_checksum(bytes(changed[start:])).to_bytes(2, "big")
    return bytes(changed)


def _exchange(packet: bytearray, end: End, new: Endpoint) -> None:
    start, protocol = ipv4.header_length(packet), packet[ipv4.PROTOCOL]
    old_address = _exchange_address(packet, end, new[0])
    if protocol in _CHECKSUM_AT:
        at = start if end is End.SOURCE else start + 2
        old_port, new_port = bytes(packet[at : at + 2]), new[1].to_bytes(2, "big")
        packet[at : at + 2] = new_port
        _mend(
            packet,
            start + _CHECKSUM_AT[IpProtocol(protocol)],
            protocol,
            old_address + old_port,
            new[0] + new_port,
        )
    elif protocol == IpProtocol.ICMP and new[1]:
        at = start + 4
        old, identifier = bytes(packet[at : at + 2]), new[1].to_bytes(2, "big")
        packet[at : at + 2] = identifier
        _mend(packet, start + 2, protocol, old, identifier)


def _exchange_address(packet: bytearray, end: End, new: bytes) -> bytes:
    where = ipv4.SOURCE if end is End.SOURCE else ipv4.DESTINATION
    old = bytes(packet[where])
    packet[where] = new
    _mend(packet, _IP_CHECKSUM_AT, None, old, new)
    return old


def _mend(packet: bytearray, at: int, protocol: int | None, old: bytes, new: bytes) -> None:
    """Let the checksum at `at` follow; a UDP checksum of 0 is none, and one that is cut off stays so."""
    if at + 2 > len(packet):
        return
    before = packet[at] << 8 | packet[at + 1]
    if protocol == IpProtocol.UDP and not before:
        return
    after = replaced(before, old, new)
    if protocol == IpProtocol.UDP and not after:
        after = 0xFFFF
    packet[at : at + 2] = after.to_bytes(2, "big")
