"""Cutting a packet into fragments, and reading what a fragment is (RFC 791 3.2, RFC 8200 4.5).

IPv4 packets are cut by anybody on the way, IPv6 packets by their source only.
"""

from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.ip import FragmentKey
from ipsecsim.wire.ipv6 import FRAGMENT_HEADER_LENGTH, FragmentFields
from ipsecsim.wire.numbers import IpProtocol

_SHORTEST_HEADER: dict[int, int] = {
    IpProtocol.UDP: 8,
    IpProtocol.TCP: 20,
    IpProtocol.ICMPV6: 8,
    IpProtocol.ESP: 8,
    IpProtocol.AH: 12,
}
_PAYLOAD_LENGTH = 4  # where an IPv6 header has it
_OFFSET = 2  # where a fragment header has it


@dataclass(slots=True)
class Piece:
    """A fragment taken apart: `header` is what the whole packet will begin with, lengths not yet mended."""

    key: FragmentKey
    packet: bytes
    header: bytes
    start: int
    data: bytes
    more: bool

    @property
    def is_atomic(self) -> bool:
        """Is it the only piece? An IPv6 packet may have a fragment header all the same (RFC 8200 4.5)."""
        return self.start == 0 and not self.more

    @property
    def end(self) -> int:
        """Where its data ends in that of the whole packet."""
        return self.start + len(self.data)

    @property
    def identification(self) -> int:
        """The number that all fragments of one packet share."""
        return self.key[3]


def fragment(packet: bytes, mtu: int, identification: int = 0) -> list[bytes]:
    """Cut a packet into pieces of at most `mtu` bytes, each but the last with a multiple of 8 bytes of data.

    `identification` is for IPv6; an IPv4 packet brings its own. Raises Refused (TOO_BIG) when the headers
    leave no room, and for an IPv4 fragment that claims to reach beyond the largest packet: no offset says so.
    """
    return _cut_ipv4(packet, mtu) if ip.version(packet) == 4 else _cut_ipv6(packet, mtu, identification)


def _cut_ipv4(packet: bytes, mtu: int) -> list[bytes]:
    header = ipv4.parse(packet)
    data = ipv4.payload(packet)
    end = header.fragment_offset + len(data)
    if end > ipv4.LARGEST_PACKET - ipv4.HEADER_LENGTH:
        raise Refused(DropReason.TOO_BIG, f"a fragment that ends at {end}")
    room = _room(mtu, ipv4.header_length(packet), 8)
    pieces = []
    for start in range(0, len(data), room):
        end = min(start + room, len(data))
        pieces.append(
            ipv4.build(
                header.source,
                header.destination,
                header.protocol,
                data[start:end],
                ttl=header.ttl,
                identification=header.identification,
                tos=header.tos,
                more_fragments=end < len(data) or header.more_fragments,
                fragment_offset=header.fragment_offset + start,
                options=header.options,
            )
        )
    return pieces


def _cut_ipv6(packet: bytes, mtu: int, identification: int) -> list[bytes]:
    field, cut = ipv6.per_hop_part(packet)
    next_header = packet[field]
    front = bytearray(packet[:cut])
    front[field] = IpProtocol.FRAGMENT
    data = packet[cut : ipv6.total_length(packet)]
    protocol, upper = ipv6.upper_layer(packet)
    headers = upper - cut + shortest_header(protocol)  # all of them are in the first fragment (RFC 8200 4.5)
    room = _room(mtu, cut + FRAGMENT_HEADER_LENGTH, min(headers, len(data)))
    pieces = []
    for start in range(0, len(data), room):
        part = data[start : start + room]
        length = cut - ipv6.HEADER_LENGTH + FRAGMENT_HEADER_LENGTH + len(part)
        front[_PAYLOAD_LENGTH : _PAYLOAD_LENGTH + 2] = length.to_bytes(2, "big")
        fields = FragmentFields(next_header, start, start + room < len(data), identification)
        pieces.append(bytes(front) + ipv6.fragment_header(fields) + part)
    return pieces


def _room(mtu: int, headers: int, needed: int) -> int:
    """Bytes of data in each piece but the last."""
    room = (mtu - headers) // 8 * 8
    if room < max(needed, 8):
        raise Refused(DropReason.TOO_BIG, f"headers of {headers} bytes, MTU {mtu}")
    return room


def shortest_header(protocol: int) -> int:
    """Bytes that an upper-layer header has at least."""
    return _SHORTEST_HEADER.get(protocol, 1)


def read_piece(packet: bytes) -> Piece:
    """Take a fragment of either version apart. Raises Refused for one that is wrong in itself."""
    return _read_ipv4(packet) if ip.version(packet) == 4 else _read_ipv6(packet)


def _read_ipv4(packet: bytes) -> Piece:
    header = ipv4.parse(packet)
    data = ipv4.payload(packet)
    front = packet[: ipv4.header_length(packet)]
    piece = Piece(ip.fragment_key(packet), packet, front, header.fragment_offset, data, header.more_fragments)
    if piece.more and len(data) % 8:
        raise Refused(DropReason.IP_MALFORMED, f"a middle fragment of {len(data)} bytes")
    return piece


def _read_ipv6(packet: bytes) -> Piece:
    walked = ipv6.chain(packet)
    found = walked.fragment
    assert found is not None  # noqa: S101 - asked for fragments only
    fields = ipv6.read_fragment(packet, found)
    data = packet[found.start + found.length : ipv6.total_length(packet)]
    if fields.more and len(data) % 8:
        detail = f"a middle fragment of {len(data)} bytes"
        raise Refused(DropReason.IP_MALFORMED, detail, Problem.FIELD, _PAYLOAD_LENGTH)
    piece_end = found.start - ipv6.HEADER_LENGTH + fields.offset + len(data)
    if piece_end > ipv6.LARGEST_PAYLOAD:
        detail = f"a fragment that ends at {fields.offset + len(data)}"
        raise Refused(DropReason.TOO_BIG, detail, Problem.FIELD, found.start + _OFFSET)
    if fields.offset == 0 and fields.more:
        upper = ipv6.total_length(packet) - walked.start
        if walked.protocol != IpProtocol.NO_NEXT and upper < shortest_header(walked.protocol):
            detail = f"a first fragment with {upper} bytes of its upper layer"
            raise Refused(DropReason.IP_MALFORMED, detail, Problem.HEADERS_CUT_OFF)
    front = bytearray(packet[: found.start])
    # the last header in front of the fragment header gets back what it named before the cut
    before = walked.extensions[: walked.extensions.index(found)]
    front[before[-1].start if before else ipv6.NEXT_HEADER] = fields.next_header
    return Piece(ip.fragment_key(packet), packet, bytes(front), fields.offset, data, fields.more)


def largest_data(header: bytes) -> int:
    """How many bytes may follow the headers of a packet."""
    if ip.version(header) == 4:
        return ipv4.LARGEST_PACKET - len(header)
    return ipv6.LARGEST_PAYLOAD - (len(header) - ipv6.HEADER_LENGTH)


def join(piece: Piece, data: bytes) -> bytes:
    """The whole packet, from its first fragment and all data."""
    if ip.version(piece.header) == 4:
        header = ipv4.parse(piece.packet)
        return ipv4.build(
            header.source,
            header.destination,
            header.protocol,
            data,
            ttl=header.ttl,
            identification=header.identification,
            tos=header.tos,
            options=header.options,
        )
    front = bytearray(piece.header)
    length = len(front) - ipv6.HEADER_LENGTH + len(data)
    front[_PAYLOAD_LENGTH : _PAYLOAD_LENGTH + 2] = length.to_bytes(2, "big")
    return bytes(front) + data
