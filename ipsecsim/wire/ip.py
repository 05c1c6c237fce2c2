"""Here is what both IP versions have in common, so that others need not ask which one it is.

Packets were checked before: only `check` and `shortened` raise Malformed here.
"""

from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.reader import Malformed, Truncated

Packet = bytes | bytearray


def version(packet: Packet) -> int:
    """4 or 6, or what else stands there."""
    return packet[0] >> 4


def check(packet: Packet) -> None:
    """Raise Malformed unless the IP header, of either version, is right."""
    if not packet:
        raise Truncated("an empty IP packet")
    kind = packet[0] >> 4
    if kind == 4:
        ipv4.check(packet)
    elif kind == 6:
        ipv6.check(packet)
    else:
        raise Malformed(f"IP version {kind}")


def source(packet: Packet) -> bytes:
    """The packed source address."""
    return bytes(packet[ipv6.SOURCE] if packet[0] >> 4 == 6 else packet[ipv4.SOURCE])


def destination(packet: Packet) -> bytes:
    """The packed destination address."""
    return bytes(packet[ipv6.DESTINATION] if packet[0] >> 4 == 6 else packet[ipv4.DESTINATION])


def addresses(packet: Packet) -> tuple[bytes, bytes]:
    """Source and destination, both packed."""
    if packet[0] >> 4 == 6:
        return bytes(packet[ipv6.SOURCE]), bytes(packet[ipv6.DESTINATION])
    return bytes(packet[ipv4.SOURCE]), bytes(packet[ipv4.DESTINATION])


def total_length(packet: Packet) -> int:
    """Length of the packet as its header says it."""
    return ipv6.total_length(packet) if packet[0] >> 4 == 6 else packet[2] << 8 | packet[3]


def traffic_class(packet: Packet) -> int:
    """DSCP and ECN in one byte: Traffic Class, or type of service (RFC 2474 3, RFC 3168 5)."""
    return ipv6.traffic_class(packet) if packet[0] >> 4 == 6 else packet[ipv4.TOS]


def hop_limit(packet: Packet) -> int:
    """How many hops the packet may still take: Hop Limit, or time to live."""
    return packet[ipv6.HOP_LIMIT] if packet[0] >> 4 == 6 else packet[ipv4.TTL]


def upper_layer(packet: Packet) -> tuple[int, int]:
    """The protocol behind the header and its options or extension headers, and where it begins."""
    if packet[0] >> 4 == 6:
        return ipv6.upper_layer(packet)
    return packet[ipv4.PROTOCOL], (packet[0] & 0x0F) << 2


def may_be_fragmented_on_the_way(packet: Packet) -> bool:
    """Whether a router may cut the packet: IPv4 without DF (RFC 791 2.3); IPv6 never (RFC 8200 4.5)."""
    return packet[0] >> 4 == 4 and not packet[6] & 0x40


def is_fragment(packet: Packet) -> bool:
    """Whether the packet is a piece of a larger one. A lone IPv6 piece that is the whole counts too."""
    if packet[0] >> 4 == 4:
        return ipv4.is_fragment(packet)
    return packet[ipv6.NEXT_HEADER] in ipv6.EXTENSIONS and ipv6.chain(packet).fragment is not None


def is_whole(packet: Packet) -> bool:
    """Whether nothing of the packet is elsewhere. An IPv6 fragment that is first and last is whole (RFC 6946)."""
    if packet[0] >> 4 == 4:
        return not ipv4.is_fragment(packet)
    if packet[ipv6.NEXT_HEADER] not in ipv6.EXTENSIONS:
        return True
    extension = ipv6.chain(packet).fragment
    if extension is None:
        return True
    fields = ipv6.read_fragment(packet, extension)
    return not fields.more and not fields.offset


def fragment_offset(packet: Packet) -> int:
    """Where in the larger packet this piece begins, in bytes; 0 for whole packets and first fragments."""
    if packet[0] >> 4 == 4:
        return (packet[6] & 0x1F) << 11 | packet[7] << 3
    if packet[ipv6.NEXT_HEADER] not in ipv6.EXTENSIONS:
        return 0
    extension = ipv6.chain(packet).fragment
    return 0 if extension is None else ipv6.read_fragment(packet, extension).offset


FragmentKey = tuple[bytes, bytes, int, int]
"""Source, destination, protocol (IPv6: 0), identification."""


def fragment_key(packet: Packet) -> FragmentKey:
    """What all fragments of one packet have in common (RFC 791 3.2, RFC 8200 4.5).

    In IPv6 the protocol may differ from piece to piece, and does not count.
    """
    ends = addresses(packet)
    if packet[0] >> 4 == 4:
        return *ends, packet[ipv4.PROTOCOL], packet[4] << 8 | packet[5]
    extension = ipv6.chain(packet).fragment
    return *ends, 0, 0 if extension is None else ipv6.read_fragment(packet, extension).identification


def is_multicast(address: bytes) -> bool:
    """Is it the address of a group: 224.0.0.0/4, or ff00::/8 (RFC 1112 4, RFC 8200 3)?"""
    return address[0] >> 4 == 0xE if len(address) == 4 else address[0] == 0xFF


def build(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload: bytes,
    *,
    identification: int = 0,
    traffic_class: int = 0,
    dont_fragment: bool = False,
    hop_limit: int = 64,
) -> bytes:
    """A whole packet of the version of its addresses; IPv6 has neither an identification nor a DF bit."""
    if len(destination) == 16:
        return ipv6.build(
            source, destination, protocol, payload, traffic_class=traffic_class, hop_limit=hop_limit
        )
    return ipv4.build(
        source,
        destination,
        protocol,
        payload,
        identification=identification,
        tos=traffic_class,
        dont_fragment=dont_fragment,
        ttl=hop_limit,
    )


def shortened(quoted: bytes) -> bytes:
    """A packet of which only the beginning is there, with a length that says so. Raises Malformed for no packet.

    Its IPv4 checksum is not looked at: it counts the length as it was.
    """
    shown = bytearray(quoted)
    if len(quoted) >= ipv6.HEADER_LENGTH and version(quoted) == 6:
        length = min(ipv6.total_length(quoted), len(quoted)) - ipv6.HEADER_LENGTH
        shown[4:6] = length.to_bytes(2, "big")
        ipv6.check(shown)
    elif (
        len(quoted) >= ipv4.HEADER_LENGTH
        and version(quoted) == 4
        and ipv4.HEADER_LENGTH <= ipv4.header_length(quoted) <= len(quoted)
    ):
        shown[2:4] = min(total_length(quoted), len(quoted)).to_bytes(2, "big")
    else:
        raise Truncated(f"a quotation of {len(quoted)} bytes")
    return bytes(shown)
