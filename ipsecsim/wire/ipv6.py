"""Here are the IPv6 header and the extension headers behind it (RFC 8200). Hot, as `ipv4` is."""

from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from ipsecsim.base.errors import LocalError
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated

HEADER_LENGTH = 40
LARGEST_PAYLOAD = 0xFFFF
MINIMUM_MTU = 1280
MOST_EXTENSIONS = 16
"""No honest packet has as many; a chain of empty headers must not cost a walk of thousands."""

# Where fields stand in a packet: `packet[HOP_LIMIT]`, `packet[SOURCE]`.
NEXT_HEADER = 6
HOP_LIMIT = 7
SOURCE = slice(8, 24)
DESTINATION = slice(24, 40)

_FIELDS = Struct("!IHBB16s16s")
_FRAGMENT = Struct("!BBHI")
FRAGMENT_HEADER_LENGTH = 8

EXTENSIONS = frozenset(
    (IpProtocol.HOP_BY_HOP, IpProtocol.ROUTING, IpProtocol.FRAGMENT, IpProtocol.DESTINATION_OPTIONS)
)
"""Next Header values that announce an extension header. AH and ESP count as upper layers (RFC 4301 4.4.1.1)."""

Packet = bytes | bytearray


@dataclass(slots=True)
class Ipv6Header:
    """What the fixed header says. Addresses are packed."""

    source: bytes
    destination: bytes
    next_header: int
    payload_length: int
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0


class Extension(NamedTuple):
    """An extension header: its kind, and where in the packet it stands. Lengths in bytes."""

    kind: int
    start: int
    length: int


class Chain(NamedTuple):
    """All extension headers in order, then the upper layer and where it begins.

    Behind a fragment header with an offset above 0 there are no headers any more: `start` is where the piece
    begins, and `protocol` what its first fragment begins with.
    """

    extensions: tuple[Extension, ...]
    protocol: int
    start: int

    @property
    def fragment(self) -> Extension | None:
        """The fragment header, if there is one."""
        return next((each for each in self.extensions if each.kind == IpProtocol.FRAGMENT), None)


class FragmentFields(NamedTuple):
    """What a fragment header says (RFC 8200 4.5). `offset` is in bytes."""

    next_header: int
    offset: int
    more: bool
    identification: int


def check(packet: Packet) -> int:
    """The total length. Raises Malformed unless it, version and the chain of extension headers are right.

    Bytes behind it are allowed: a link may have padded the packet.
    """
    length = len(packet)
    if length < HEADER_LENGTH:
        raise Truncated(f"IPv6 packet of {length} bytes")
    if packet[0] >> 4 != 6:
        raise Malformed(f"IP version {packet[0] >> 4}, not 6")
    total = total_length(packet)
    if total > length:
        raise Malformed(f"IPv6 total length {total} in a packet of {length} bytes")
    if packet[NEXT_HEADER] in EXTENSIONS:
        chain(packet)
    return total


def total_length(packet: Packet) -> int:
    """Length of the packet as its header says it, that header included."""
    return HEADER_LENGTH + (packet[4] << 8 | packet[5])


def traffic_class(packet: Packet) -> int:
    """DSCP and ECN: the byte that IPv4 calls type of service."""
    return (packet[0] & 0x0F) << 4 | packet[1] >> 4


def flow_label(packet: Packet) -> int:
    """The 20 bits by which a source marks packets of one flow (RFC 6437)."""
    return (packet[1] & 0x0F) << 16 | packet[2] << 8 | packet[3]


def chain(packet: Packet) -> Chain:
    """Walk the extension headers. Raises Malformed when one goes past the end, or when there are too many."""
    end = total_length(packet)
    kind, at = packet[NEXT_HEADER], HEADER_LENGTH
    extensions: list[Extension] = []
    while kind in EXTENSIONS:
        if len(extensions) == MOST_EXTENSIONS:
            raise Malformed(f"more than {MOST_EXTENSIONS} IPv6 extension headers")
        if kind == IpProtocol.HOP_BY_HOP and extensions:
            raise Malformed("an IPv6 hop-by-hop header that is not the first")
        if at + 8 > end:
            raise Truncated(f"IPv6 extension header {kind} at {at} of {end} bytes")
        length = FRAGMENT_HEADER_LENGTH if kind == IpProtocol.FRAGMENT else 8 * (packet[at + 1] + 1)
        if at + length > end:
            raise Truncated(f"IPv6 extension header {kind} of {length} bytes at {at} of {end}")
        extensions.append(Extension(kind, at, length))
        is_later_piece = kind == IpProtocol.FRAGMENT and (packet[at + 2] or packet[at + 3] & 0xF8)
        kind, at = packet[at], at + length
        if is_later_piece:
            break
    return Chain(tuple(extensions), kind, at)


def upper_layer(packet: Packet) -> tuple[int, int]:
    """The protocol behind all extension headers, and where it begins."""
    kind = packet[NEXT_HEADER]
    if kind not in EXTENSIONS:
        return kind, HEADER_LENGTH
    walked = chain(packet)
    return walked.protocol, walked.start


def read_fragment(packet: Packet, extension: Extension) -> FragmentFields:
    """The fields of a fragment header that `chain` found."""
    next_header, _reserved, offset_and_more, identification = _FRAGMENT.unpack_from(packet, extension.start)
    return FragmentFields(next_header, offset_and_more & 0xFFF8, bool(offset_and_more & 1), identification)


def fragment_header(fields: FragmentFields) -> bytes:
    """The 8 bytes of a fragment header."""
    return _FRAGMENT.pack(fields.next_header, 0, fields.offset | fields.more, fields.identification)


def per_hop_part(packet: Packet) -> tuple[int, int]:
    """The headers that nodes on the way look at: where the field stands that names what follows, and their end.

    They are hop-by-hop options, the routing header, and destination options in front of one (RFC 8200 4.1). Behind
    them is the place of a fragment, ESP or AH header.
    """
    if packet[NEXT_HEADER] not in EXTENSIONS:
        return NEXT_HEADER, HEADER_LENGTH
    field, end = NEXT_HEADER, HEADER_LENGTH
    extensions = chain(packet).extensions
    has_routing = any(each.kind == IpProtocol.ROUTING for each in extensions)
    for each in extensions:
        is_before_routing = each.kind == IpProtocol.DESTINATION_OPTIONS and has_routing
        if each.kind not in (IpProtocol.HOP_BY_HOP, IpProtocol.ROUTING) and not is_before_routing:
            break
        if each.kind == IpProtocol.ROUTING:
            has_routing = False  # destination options behind it are for the last node only
        field, end = each.start, each.start + each.length
    return field, end


def all_extensions(packet: Packet) -> tuple[int, int]:
    """The same for all extension headers: the field that names the upper layer, and where that begins."""
    if packet[NEXT_HEADER] not in EXTENSIONS:
        return NEXT_HEADER, HEADER_LENGTH
    walked = chain(packet)
    return walked.extensions[-1].start, walked.start


def parse(packet: Packet) -> Ipv6Header:
    """The fixed header of `packet`, checked as `check` does. Raises Malformed."""
    check(packet)
    first, payload_length, next_header, hop_limit, source, destination = _FIELDS.unpack_from(packet)
    return Ipv6Header(
        source, destination, next_header, payload_length, hop_limit, first >> 20 & 0xFF, first & 0xFFFFF
    )


def build(
    source: bytes,
    destination: bytes,
    next_header: int,
    payload: bytes,
    *,
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """A whole packet; extension headers are part of `payload`. Raises LocalError above 65535 payload bytes."""
    length = len(payload)
    if length > LARGEST_PAYLOAD:
        raise LocalError(f"an IPv6 packet cannot carry {length} bytes")
    first = 6 << 28 | traffic_class << 20 | flow_label
    return _FIELDS.pack(first, length, next_header, hop_limit, source, destination) + payload
