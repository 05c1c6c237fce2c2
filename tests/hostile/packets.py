"""IPv4 packets gone wrong: header fields, what is inside, and fragments that do not fit together."""

from random import Random

from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import icmpv4, ipv4, udp
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.hostile import mutators

_PORTS = (IKE_PORT, NAT_T_PORT, 53, 5000, 0, 0xFFFF)


def any_packet(chance: Random, sources: tuple[bytes, ...], destinations: tuple[bytes, ...]) -> bytes:
    """A packet with nothing wrong about it."""
    source, destination = chance.choice(sources), chance.choice(destinations)
    protocol, payload = _payload(chance, source, destination)
    options = bytes(chance.choice((0, 0, 0, 4, 40))) if len(payload) < 60_000 else b""
    return ipv4.build(
        source,
        destination,
        protocol,
        payload,
        ttl=chance.choice((0, 1, 2, 64, 64, 64, 64, 255)),
        identification=chance.randrange(0x10000),
        tos=chance.choice((0, 3, 0xB8)),
        dont_fragment=chance.random() < 0.2,
        options=options,
    )


def _payload(chance: Random, source: bytes, destination: bytes) -> tuple[int, bytes]:
    data = chance.randbytes(chance.choice((0, 1, 8, 56, 500, 1400)))
    if chance.random() < 0.01:
        data = bytes(chance.choice((65_000, 65_507)))
    kind = chance.randrange(6)
    if kind == 0:
        ports = chance.choice(_PORTS), chance.choice(_PORTS)
        return IpProtocol.UDP, udp.build(source, destination, *ports, data, checksum=chance.random() < 0.8)
    if kind == 1:
        return IpProtocol.ICMP, icmpv4.Echo(chance.random() < 0.3, 1, chance.randrange(100), data).emit()
    if kind == 2:
        number = chance.choice(tuple(icmpv4.ERROR_TYPES))
        quoted = ipv4.build(destination, source, IpProtocol.UDP, data[:28])
        return IpProtocol.ICMP, icmpv4.IcmpError(number, chance.randrange(16), quoted, 1400).emit()
    if kind == 3:
        return IpProtocol.ESP, chance.randbytes(8) + data
    if kind == 4:
        return IpProtocol.IPV4, ipv4.build(source, destination, IpProtocol.UDP, data[:1400])
    return chance.choice((0, 6, 41, 51, 58, 132, 255)), data


def mend(packet: bytes) -> bytes:
    """The packet with the right header checksum, so that what else is wrong is reached."""
    size = max(20, (packet[0] & 0x0F) * 4) if packet else 0
    if len(packet) < size or size == 0:
        return packet
    zeroed = packet[:10] + b"\0\0" + packet[12:size]
    return packet[:10] + internet_checksum(zeroed).to_bytes(2, "big") + packet[12:]


def spoil_packet(chance: Random, packet: bytes) -> bytes:
    """One header field is another one, or the bytes are spoiled; the checksum mostly fits all the same."""
    if chance.random() < 0.03:
        return mutators.noise(chance)
    if chance.random() < 0.5 and len(packet) >= 20:
        packet = _spoil_header(chance, packet)
    else:
        packet = mutators.spoil(chance, packet)
    if chance.random() < 0.5 and len(packet) >= 20:
        packet = packet[:2] + min(len(packet), 0xFFFF).to_bytes(2, "big") + packet[4:]
    return mend(packet) if chance.random() < 0.8 else packet


def _spoil_header(chance: Random, packet: bytes) -> bytes:
    spoiled = bytearray(packet)
    field = chance.randrange(8)
    if field == 0:
        spoiled[0] = chance.choice((0x00, 0x40, 0x44, 0x46, 0x4F, 0x54, 0x65, 0xFF))
    elif field == 1:
        length = mutators.another_length(chance, len(packet))
        spoiled[2:4] = length.to_bytes(2, "big")
    elif field == 2:
        spoiled[6:8] = chance.choice((0x2000, 0x1FFF, 0x3FFF, 0x4000, 0x8000, 0x0001, 0x2001)).to_bytes(
            2, "big"
        )
    elif field == 3:
        spoiled[8] = chance.choice((0, 1, 255))
    elif field == 4:
        spoiled[9] = chance.choice((0, 1, 4, 6, 17, 41, 50, 51, 59, 255))
    elif field == 5:
        spoiled[12:16] = chance.choice((bytes(4), b"\xff" * 4, b"\xe0\0\0\1", bytes(packet[16:20])))
    elif field == 6:
        spoiled[16:20] = chance.choice((bytes(4), b"\xff" * 4, b"\xe0\0\0\1", bytes(packet[12:16])))
    else:
        spoiled[1] = chance.randrange(256)
    return bytes(spoiled)


def fragments_of(chance: Random, packet: bytes) -> list[bytes]:
    """The fragments of a whole packet, some of them missing, doubled, moved, or out of order."""
    mtu = chance.choice((100, 104, 576, 1300)) if len(packet) < 60_000 else 32_000
    pieces = fragment(packet, mtu)[:100] or [packet]
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(pieces))
        choice = chance.randrange(6)
        if choice == 0:
            pieces.append(pieces[at])
        elif choice == 1 and len(pieces) > 1:
            pieces.pop(at)
        elif choice == 2:
            chance.shuffle(pieces)
        elif choice == 3:
            pieces[at] = _with_options(chance, pieces[at])
        else:
            pieces[at] = _move(chance, pieces[at])
    return pieces


def _with_options(chance: Random, piece: bytes) -> bytes:
    """The piece has a longer header than the others."""
    if piece[0] != 0x45 or len(piece) > ipv4.LARGEST_PACKET - 40:
        return piece
    words = chance.choice((1, 10))
    length = (len(piece) + 4 * words).to_bytes(2, "big")
    return mend(bytes((0x45 + words, piece[1])) + length + piece[4:20] + bytes(4 * words) + piece[20:])


def _move(chance: Random, piece: bytes) -> bytes:
    """The piece claims to belong elsewhere, or to be the last one, or not to be."""
    flags = int.from_bytes(piece[6:8], "big")
    others = (flags ^ 0x2000, flags + 1, max(0, flags - 1), flags + 8, flags | 0x1FFF, flags & 0x2000)
    changed = chance.choice(others)
    return mend(piece[:6] + (changed & 0x3FFF).to_bytes(2, "big") + piece[8:])
