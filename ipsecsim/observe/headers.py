"""The headers of a packet that are in clear, outermost first: IP, extension headers, AH, and what they carry.

AH hides nothing, so the walk goes on behind it; it ends at ESP, whatever its cipher. Never raises: a recording
may hold anything.
"""

from typing import NamedTuple

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import ah, esp, ip, ipv6, nat_t, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol

MOST_HEADERS = 64  # nobody nests deeper; AH in AH in AH would otherwise make a walk of thousands

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


def headers(data: bytes) -> list[Header]:
    """All headers in clear. Of a later fragment the IP header and the fragment header are the last ones."""
    version = data[0] >> 4 if data else 0
    found: list[Header] = []
    _walk(data, Header(IpProtocol.IPV6 if version == 6 else IpProtocol.IPV4, 0, len(data), 0), found)
    return found


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
    if payload[: len(nat_t.NON_ESP_MARKER)] == nat_t.NON_ESP_MARKER:
        return None
    return header._replace(protocol=IpProtocol.ESP, start=header.start + udp.HEADER_LENGTH)
