"""IPv6 packets gone wrong: chains of extension headers, AH, ICMPv6, and fields that lie about lengths."""

from random import Random

from ipsecsim.base.errors import RemoteError
from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import icmpv6, ipv6, udp
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile import mutators

A, B = bytes(15) + b"\x01", bytes(15) + b"\x02"  # as the laws of the formats have them

_EXTENSIONS = (IpProtocol.ROUTING, IpProtocol.FRAGMENT, IpProtocol.DESTINATION_OPTIONS)


def any_packet_6(chance: Random, source: bytes = A, destination: bytes = B) -> bytes:
    """A packet with nothing wrong about it but what its options hold."""
    kinds = chance.choices(_EXTENSIONS, k=chance.choice((0, 0, 1, 2, 4, 20)))
    if chance.random() < 0.2:
        kinds.insert(0, IpProtocol.HOP_BY_HOP)
    protocol, payload = _upper_layer(chance, source, destination)
    for kind in reversed(kinds):
        payload = _extension(chance, kind, protocol) + payload
        protocol = kind
    return ipv6.build(source, destination, protocol, payload, hop_limit=chance.choice((0, 1, 64)))


def _extension(chance: Random, kind: int, following: int) -> bytes:
    if kind == IpProtocol.FRAGMENT:
        offset, more = chance.choice(((0, False), (0, True), (1448, False), (0xFFF8, True)))
        return ipv6.fragment_header(FragmentFields(following, offset, more, chance.randrange(1 << 32)))
    words = chance.choice((0, 0, 1, 4, 40))
    start = bytes((following, words))
    if kind == IpProtocol.ROUTING:
        return start + bytes((chance.choice((0, 0, 2, 4)), chance.randrange(4))) + bytes(4 + 8 * words)
    return start + _options(chance, 6 + 8 * words)


def _options(chance: Random, room: int) -> bytes:
    made = b""
    while room - len(made) >= 2:
        length = chance.randrange(min(256, room - len(made) - 1))
        kind = chance.choice((0, 1, 5, 0x3E, 0xC2, 0xFF))
        made += b"\0" if kind == 0 else bytes((kind, length)) + chance.randbytes(length)
    return made + bytes(room - len(made))


def _upper_layer(chance: Random, source: bytes, destination: bytes) -> tuple[int, bytes]:
    data = chance.randbytes(chance.choice((0, 1, 8, 56, 500, 3000)))
    kind = chance.randrange(6)
    if kind == 0:
        return IpProtocol.UDP, udp.build(
            source, destination, chance.choice((500, 4500, 53)), chance.choice((500, 4500, 53)), data
        )
    if kind == 1:
        return IpProtocol.ICMPV6, any_message_6(chance, source, destination)
    if kind == 2:
        protocol, payload = (59, data) if chance.random() < 0.5 else _upper_layer(chance, source, destination)
        icv = chance.choice((0, 12, 16, 20, 32))
        return IpProtocol.AH, bytes((protocol, 1 + icv // 4)) + chance.randbytes(10 + icv) + payload
    if kind == 3:
        return IpProtocol.ESP, chance.randbytes(8) + data
    if kind == 4:
        return IpProtocol.IPV6, ipv6.build(source, destination, IpProtocol.UDP, data)
    return chance.choice((IpProtocol.NO_NEXT, IpProtocol.TCP, 255)), data


def any_message_6(chance: Random, source: bytes = A, destination: bytes = B) -> bytes:
    """An ICMPv6 message, mostly an error about a packet the other way."""
    data = chance.randbytes(chance.choice((0, 7, 60, 1400)))
    if chance.random() < 0.4:
        return icmpv6.Echo(chance.random() < 0.5, 1, 2, data).emit(source, destination)
    quoted = ipv6.build(destination, source, IpProtocol.UDP, data)[: chance.choice((20, 60, 100, 1232))]
    kind, code = chance.choice((1, 2, 3, 4, 100, 127)), chance.randrange(8)
    return icmpv6.IcmpError(kind, code, quoted, chance.choice((0, 1280, 0xFFFFFFFF))).emit(
        source, destination
    )


def spoil_packet_6(chance: Random, whole: bytes | None = None) -> bytes:
    """A packet with one field changed, or its bytes spoiled; the payload length mostly fits all the same."""
    packet = bytearray(any_packet_6(chance) if whole is None else whole)
    if chance.random() < 0.5:
        packet = bytearray(mutators.spoil(chance, bytes(packet)))
    else:
        # one of the first headers' bytes: version, lengths and next headers are among them
        packet[chance.randrange(min(len(packet), 72))] = chance.choice((0, 1, 43, 44, 51, 58, 60, 255))
    if len(packet) >= ipv6.HEADER_LENGTH and chance.random() < 0.7:
        packet[4:6] = min(len(packet) - ipv6.HEADER_LENGTH, 0xFFFF).to_bytes(2, "big")
    return bytes(packet)


def fragments_of_6(chance: Random, packet: bytes) -> list[bytes]:
    """The fragments of a packet, some of them missing, doubled, moved, or out of order."""
    try:
        pieces = fragment(packet, chance.choice((120, 576, 1280)), chance.randrange(4)) or [packet]
    except RemoteError:  # its headers are too many, or leave no room for data
        return [packet]
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(pieces))
        choice = chance.randrange(5)
        if choice == 0:
            pieces.append(pieces[at])
        elif choice == 1 and len(pieces) > 1:
            pieces.pop(at)
        elif choice == 2:
            chance.shuffle(pieces)
        else:
            pieces[at] = _move(chance, pieces[at])
    return pieces


def _move(chance: Random, piece: bytes) -> bytes:
    """The piece claims to belong elsewhere, or to be the last one, or not to be."""
    try:
        found = ipv6.chain(piece).fragment
    except RemoteError:  # the cut went through a header
        return piece
    if found is None:
        return piece
    at = found.start + 2
    field = int.from_bytes(piece[at : at + 2], "big")
    changed = chance.choice((field ^ 1, field + 8, max(0, field - 8), field + 16, field | 0xFFF8, field & 1))
    return piece[:at] + (changed & 0xFFFF).to_bytes(2, "big") + piece[at + 2 :]
