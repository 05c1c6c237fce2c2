"""What AH leaves out: the fields of a header that routers may change, as zeros (RFC 4302 3.3.3.1, appendix A)."""

from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol

# RFC 4302 appendix A1, by the whole option byte (copy bit, class, number). All others are zeroed.
_END_OF_OPTIONS = 0
_NO_OPERATION = 1
_IMMUTABLE_OPTIONS = frozenset(
    (
        0x82,  # Security
        0x85,  # Extended Security
        0x86,  # Commercial Security
        0x94,  # Router Alert
        0x95,  # Sender Directed Multi-Destination Delivery
    )
)
_SOURCE_ROUTES = frozenset((0x83, 0x89))  # loose and strict

_MAY_CHANGE = 0x20  # RFC 8200 4.2: the third-highest bit of an option's type
_PAD1 = 0
_ROUTING_TYPE_0 = 0


def without_mutable_fields(header: bytes) -> bytes:
    """The headers in front of an AH, from the IP header on, as the ICV reads them. Lengths stay what they are.

    `header` was checked before. A sender's packet is turned into what the receiver will see: with a source
    route the destination is the last address of the route.
    """
    if header[0] >> 4 == 6:
        return _ipv6(header)
    if len(header) == ipv4.HEADER_LENGTH:
        return b"%b\0%b\0\0\0%b\0\0%b" % (header[:1], header[2:6], header[9:10], header[12:])
    return _ipv4_with_options(header)


def _ipv4_with_options(header: bytes) -> bytes:
    muted = bytearray(header)
    muted[ipv4.TOS] = 0
    muted[6:9] = bytes(3)  # flags, fragment offset, time to live
    muted[10:12] = bytes(2)  # checksum
    at, end = ipv4.HEADER_LENGTH, len(header)
    while at < end:
        kind = header[at]
        if kind == _END_OF_OPTIONS:
            break  # what follows is signed as it stands
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = header[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            length = end - at  # an option that lies about its length: nothing behind it can be told apart
        if kind in _SOURCE_ROUTES:
            muted[ipv4.DESTINATION] = _end_of_source_route(header, header[at : at + length])
        if kind not in _IMMUTABLE_OPTIONS:
            muted[at : at + length] = bytes(length)
        at += length
    return bytes(muted)


def _end_of_source_route(header: bytes, option: bytes) -> bytes:
    """The destination when the packet arrives: the route's last address unless the route is used up."""
    if len(option) < 7 or option[2] > len(option):
        return header[ipv4.DESTINATION]
    last = 3 + (len(option) - 3) // 4 * 4
    return option[last - 4 : last]


def _ipv6(header: bytes) -> bytes:
    muted = bytearray(header)
    muted[0:4] = b"\x60\0\0\0"  # traffic class and flow label
    muted[ipv6.HOP_LIMIT] = 0
    kind, at = header[ipv6.NEXT_HEADER], ipv6.HEADER_LENGTH
    link = ipv6.NEXT_HEADER  # where `kind` was read
    removed: list[tuple[int, int]] = []
    while at < len(header):
        length = 8 if kind == IpProtocol.FRAGMENT else 8 * (header[at + 1] + 1)
        if kind in (IpProtocol.HOP_BY_HOP, IpProtocol.DESTINATION_OPTIONS):
            _mute_options(muted, at + 2, at + length)
        elif kind == IpProtocol.ROUTING:
            _predict_route(muted, at, length)
        elif kind == IpProtocol.FRAGMENT:
            # appendix A2: one that reassembly left standing is skipped, and its predecessor names what follows
            muted[link] = header[at]
            removed.append((at, at + length))
        if kind != IpProtocol.FRAGMENT:
            link = at
        kind, at = header[at], at + length
    if removed:
        for start, end in reversed(removed):
            del muted[start:end]
        shorter = int.from_bytes(header[4:6], "big") - sum(end - start for start, end in removed)
        muted[4:6] = max(0, shorter).to_bytes(2, "big")
    return bytes(muted)


def _mute_options(muted: bytearray, at: int, end: int) -> None:
    """Zero the data of options that may change; type and length are signed (RFC 4302 3.3.3.1.2.2)."""
    while at < end:
        kind = muted[at]
        if kind == _PAD1:
            at += 1
            continue
        length = muted[at + 1] if at + 1 < end else 0
        stop = min(at + 2 + length, end)
        if kind & _MAY_CHANGE:
            muted[at + 2 : stop] = bytes(max(0, stop - at - 2))
        at += 2 + length


def _predict_route(muted: bytearray, at: int, length: int) -> None:
    """Turn a type 0 routing header and the destination into what they are at the end of the route (RFC 2460 4.4).

    Each hop swaps the destination with the next address; at the end Segments Left is 0.
    """
    segments_left = muted[at + 3]
    count = (length - 8) // 16
    if muted[at + 2] != _ROUTING_TYPE_0 or not segments_left or segments_left > count:
        return
    for index in range(count - segments_left, count):
        place = slice(at + 8 + 16 * index, at + 24 + 16 * index)
        muted[place], muted[ipv6.DESTINATION] = muted[ipv6.DESTINATION], muted[place]
    muted[at + 3] = 0
