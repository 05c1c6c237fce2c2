"""What AH leaves out: the fields of a header that routers may change, as zeros (RFC 4302 3.3.3.1, appendix A)."""

from collections.abc import Iterator

from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol

# Options of IPv4, by the whole option byte (copy bit, class, number).
_END_OF_OPTIONS = 0
_NO_OPERATION = 1
_SOURCE_ROUTES = frozenset((0x83, 0x89))  # loose and strict

_MAY_CHANGE = 0x20  # RFC 8200 4.2: the third-highest bit of an option's type
_PAD1 = 0
_ROUTING_TYPE_0 = 0


def without_mutable_fields(header: bytes) -> bytes:
    """The headers in front of an AH, from the IP header on, as the ICV reads them. Lengths stay what they are.

    `header` was checked before, and is as it arrives at the receiver (see `as_it_will_arrive`).
    """
    if header[0] >> 4 == 6:
        return _ipv6(header)
    if len(header) == ipv4.HEADER_LENGTH:
        return b"%b\0%b\0\0\0%b\0\0%b" % (header[:1], header[2:6], header[9:10], header[12:])
    return _ipv4_with_options(header)


def as_it_will_arrive(header: bytes) -> bytes:
    """What routers will have made of a source route when the packet is at its end: that is what a sender signs.

    RFC 4302 calls these fields mutable but predictable: the destination, and a type 0 routing header.
    """
    if header[0] >> 4 == 6:
        return header if len(header) == ipv6.HEADER_LENGTH else _with_route_taken(header)
    return header if len(header) == ipv4.HEADER_LENGTH else _with_last_destination(header)


def _ipv4_with_options(header: bytes) -> bytes:
    muted = bytearray(header)
    muted[ipv4.TOS] = 0
    muted[6:9] = bytes(3)  # flags, fragment offset, time to live
    muted[10:12] = bytes(2)  # checksum
    for start, end in _ipv4_options(header):
        if header[start] not in ipv4.IMMUTABLE_OPTIONS:
            muted[start:end] = bytes(end - start)
    return bytes(muted)


def _ipv4_options(header: bytes) -> Iterator[tuple[int, int]]:
    """Where each option with a length begins and ends.

    Behind an End of Options List, or an option that lies about its length, nothing can be told apart: it is signed
    as it stands.
    """
    at, end = ipv4.HEADER_LENGTH, len(header)
    while at < end and header[at] != _END_OF_OPTIONS:
        if header[at] == _NO_OPERATION:
            at += 1
            continue
        length = header[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            return
        yield at, at + length
        at += length


def _with_last_destination(header: bytes) -> bytes:
    for start, end in _ipv4_options(header):
        option = header[start:end]
        # RFC 791 3.1: the pointer counts from 1; past the end, the route is used up
        if option[0] in _SOURCE_ROUTES and len(option) >= 7 and option[2] <= len(option):
            last = 3 + (len(option) - 3) // 4 * 4
            return header[:16] + option[last - 4 : last] + header[20:]
    return header


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
            _mute_options(muted, at + 2, min(at + length, len(header)))
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


def _with_route_taken(header: bytes) -> bytes:
    """A type 0 routing header and the destination as they are at the end of the route (RFC 2460 4.4).

    Each hop swaps the destination with the next address; at the end Segments Left is 0.
    """
    changed = bytearray(header)
    kind, at = header[ipv6.NEXT_HEADER], ipv6.HEADER_LENGTH
    while at < len(header):
        length = 8 if kind == IpProtocol.FRAGMENT else 8 * (header[at + 1] + 1)
        if kind == IpProtocol.ROUTING and header[at + 2] == _ROUTING_TYPE_0:
            count, left = (length - 8) // 16, header[at + 3]
            if left > count:
                break  # no router will take it either
            for index in range(count - left, count):
                place = slice(at + 8 + 16 * index, at + 24 + 16 * index)
                changed[place], changed[ipv6.DESTINATION] = changed[ipv6.DESTINATION], changed[place]
            changed[at + 3] = 0
        kind, at = header[at], at + length
    return bytes(changed)
