"""The headers of a packet that are in clear, outermost first: IP, extension headers, AH, and what they carry.

AH hides nothing, so the walk goes on behind it; it ends at ESP, whatever its cipher. Never raises: a link
may carry anything.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import ah, esp, icmpv4, icmpv6, ip, ipv4, ipv6, nat_t, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol

MOST_HEADERS = 64  # nobody nests deeper; AH in AH in AH would otherwise make a walk of thousands

_ICMP_HEADER_LENGTH = 8
_ERRORS: dict[IpProtocol, Callable[[int], bool]] = {
    IpProtocol.ICMP: lambda kind: kind in icmpv4.ERROR_TYPES,
    IpProtocol.ICMPV6: lambda kind: kind < icmpv6.FIRST_INFORMATIONAL,
}
_LOW_HALF = 0xFFFF_FFFF
_IP = {IpProtocol.IPV4: 4, IpProtocol.IPV6: 6}


class Header(NamedTuple):
    """A header, by its protocol number (4 and 41 are IP itself). Positions count from the packet's start.

    `end` is where that ends which the header carries, `packet` where the IP packet begins that it belongs to.
    `offset` is not None in a fragment: where in the larger packet it begins. Nothing is known behind a header
    with a `fault`, which is why it is no sound one.
    """

    protocol: int
    start: int
    end: int
    packet: int
    offset: int | None = None
    fault: str = ""


class Security(NamedTuple):
    """What one ESP or AH packet is known by. `sequence` is the low half, which is all that a packet shows."""

    protocol: str
    spi: int
    sequence: int

    @classmethod
    def of(cls, protocol: str, spi: int, sequence: int) -> "Security":
        """That of the packet with this number, which may be an extended one."""
        return cls(protocol, spi, sequence & _LOW_HALF)


def securities(data: bytes) -> Iterator[Security]:
    """That of every ESP and AH of a packet that is in clear, in UDP or not, outermost first."""
    for header in headers(data):
        if header.fault:
            break
        if header.protocol == IpProtocol.ESP:
            yield Security("ESP", *esp.numbers(data, header.start))
        elif header.protocol == IpProtocol.AH:
            yield Security("AH", *ah.numbers(data, header.start, header.end))


def security(data: bytes) -> Security | None:
    """That of the outermost one; None where there is none."""
    return next(securities(data), None)


def quoted(data: bytes) -> bytes:
    """The packet that an ICMP error quotes, with zeros for what it left out; empty when there is none."""
    last = headers(data)[-1]
    if last.fault or last.offset is not None or last.protocol not in _ERRORS:
        return b""
    message = carried(data, last)
    quote = message[_ICMP_HEADER_LENGTH:]
    is_error = len(message) > _ICMP_HEADER_LENGTH and _ERRORS[IpProtocol(last.protocol)](message[0])
    if not is_error or len(quote) < (ipv4 if quote[0] >> 4 == 4 else ipv6).HEADER_LENGTH:
        return b""
    return quote + bytes(max(0, ip.total_length(quote) - len(quote)))


def headers(data: bytes) -> list[Header]:
    """All headers in clear. Of a later fragment the IP header and the fragment header are the last ones."""
    version = data[0] >> 4 if data else 0
    found: list[Header] = []
    _walk(data, Header(IpProtocol.IPV6 if version == 6 else IpProtocol.IPV4, 0, len(data), 0), found)
    return found


def first(data: bytes, protocol: int) -> Header | None:
    """The outermost sound header of a protocol, or None."""
    return next((each for each in headers(data) if each.protocol == protocol and not each.fault), None)


def carried(data: bytes, header: Header) -> bytes:
    """The header's bytes and all that it carries."""
    return data[header.start : header.end]


def ports(segment: bytes) -> tuple[int, int]:
    """Source and destination port of TCP or UDP; zeros where they are cut off."""
    return int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big")


def _walk(data: bytes, first: Header, found: list[Header]) -> None:
    following: Header | None = first
    while following is not None and len(found) < MOST_HEADERS:
        if following.protocol in _IP:
            following = _ip(data, following, found)
        elif following.protocol == IpProtocol.AH:
            following = _ah(data, following, found)
        elif following.protocol == IpProtocol.UDP:
            following = _udp(data, following, found)
        elif following.protocol == IpProtocol.ESP:
            is_short = following.end - following.start < esp.HEADER_LENGTH
            found.append(following._replace(fault="too short" if is_short else ""))
            following = None
        else:
            found.append(following)
            following = None


def _ip(data: bytes, header: Header, found: list[Header]) -> Header | None:
    packet = carried(data, header)
    try:
        ip.check(packet)
        if found and ip.version(packet) != _IP[IpProtocol(header.protocol)]:
            found.append(header._replace(fault=f"IP version {ip.version(packet)}"))
            return None
    except RemoteError as wrong:
        found.append(header._replace(fault=str(wrong)))
        return None
    start = header.start
    end = start + ip.total_length(packet)
    offset = None if ip.is_whole(packet) else ip.fragment_offset(packet)
    found.append(Header(header.protocol, start, end, start, offset))
    if ip.version(packet) == 6:
        found += [
            Header(each.kind, start + each.start, start + each.start + each.length, start)
            for each in ipv6.chain(packet).extensions
        ]
    if offset:
        return None
    protocol, at = ip.upper_layer(packet)
    return Header(protocol, start + at, end, start, offset)


def _ah(data: bytes, header: Header, found: list[Header]) -> Header | None:
    try:
        ah.numbers(data, header.start, header.end)
    except RemoteError as wrong:
        found.append(header._replace(fault=str(wrong)))
        return None
    found.append(header)
    length = ah.length(data[header.start : header.start + ah.FIXED_LENGTH])
    return header._replace(protocol=data[header.start], start=header.start + length)


def _udp(data: bytes, header: Header, found: list[Header]) -> Header | None:
    """UDP, and ESP inside it; what else there may be has no protocol number."""
    found.append(header)
    segment = carried(data, header)
    payload = segment[udp.HEADER_LENGTH :]
    if NAT_T_PORT not in ports(segment) or len(payload) < esp.HEADER_LENGTH:
        return None
    if payload.startswith(nat_t.NON_ESP_MARKER):
        return None
    return header._replace(protocol=IpProtocol.ESP, start=header.start + udp.HEADER_LENGTH)
