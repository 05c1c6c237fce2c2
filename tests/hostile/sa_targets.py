"""Packets that arrive under an SA: forged ones, and authentic ones with hostile contents."""

from random import Random

from ipsecsim.ipsec.association import Mode
from ipsecsim.wire import ip, ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile import mutators
from tests.hostile.packets import spoil_packet
from tests.hostile.packets6 import spoil_packet_6
from tests.hostile.sa_door import LEFT_OVER, OTHERWISE, Door, place
from tests.hostile.sa_peer import Peer
from tests.hostile.sa_shapes import PEER, STRANGERS, Shape, any_shape
from tests.hostile.seeds import Finding, seeds
from tests.hostile.target import Target, require

_DEEPEST = 9
_NUMBERS = (0, 1, 4, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 132, 135, 255)
_TUNNELLED = {4: IpProtocol.IPV4, 6: IpProtocol.IPV6}
_UNPROVED = frozenset(("ESP_SHORT", "ESP_ALIGN", "ICV_FAIL", "ESP_FRAGMENT"))
_UNPROVED_AH = frozenset(("AH_SHORT", "AH_BAD_LEN", "AH_ICV_FAIL", "AH_FRAGMENT"))
_UNREAD = frozenset(("IP_MALFORMED", "UDP_SHORT", "UDP_CHECKSUM", "KEEPALIVE", "NO_SA", OTHERWISE))
_REPLAYED = frozenset(("REPLAY_SEEN", "REPLAY_OLD", "SEQ_ZERO"))


def spoil_any(chance: Random, packet: bytes) -> bytes:
    """A packet of either version with something wrong about it."""
    if packet[:1] and packet[0] >> 4 == 6:
        return spoil_packet_6(chance, packet)
    return spoil_packet(chance, packet)


class _Receiving(Target):
    """A door, and the peer that has its keys."""

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.begin(any_shape(chance))

    def begin(self, shape: Shape) -> None:
        """Start with an SA of this shape."""
        self.shape = shape
        self.install()
        self.at_rest = self.door.residue()

    def install(self) -> None:
        """A fresh engine and a fresh peer under the same keys."""
        self.door = Door(self.shape)
        self.peer = Peer(self.shape)

    def explain(self) -> str:
        return str(self.shape)

    def finish(self) -> None:
        grown = self.door.residue() - self.at_rest
        require(grown <= LEFT_OVER, f"{grown} objects more than at the beginning stay behind")

    def replay(self, finding: Finding) -> str:
        self.begin(Shape.parse(finding.where))
        return super().replay(finding)


class Forged(_Receiving):
    """Packets of somebody without keys. None is delivered, and none changes the SA."""

    name = "SA, forged"
    share = 80

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._real: dict[bytes, bytes] = {}  # what was sealed, and the packet that it was

    def begin(self, shape: Shape) -> None:
        super().begin(shape)
        self._real = {}

    def next_input(self) -> bytes:
        chance = self.chance
        if self.peer.sequence >= self.shape.last:
            self.install()
        if chance.random() < 0.05:
            packet = chance.choice(seeds("packet")).data
            return packet if chance.random() < 0.5 else spoil_packet(chance, packet)
        inner = self.peer.any_inside(chance)
        real = self.peer.genuine(inner)
        _, start = place(real)
        self._real[real[start:]] = inner
        if chance.random() < 0.05:
            self.door.receive(real)
        choice = chance.random()
        if choice < 0.02:
            return real
        if choice < 0.15:
            return self._renumbered(real, start)
        if choice < 0.45:
            return spoil_any(chance, real)
        return self._carried_again(real, start)

    def _renumbered(self, real: bytes, start: int) -> bytes:
        """Another sequence number, as the low half alone can be."""
        at = start + (8 if self.peer.protocol == IpProtocol.AH else 4)
        top = self.door.sa.replay.top
        near = (top + 1, top + 2**31, top - self.shape.window, top + self.shape.window, 2**32 - 1, 2**32 - 30)
        number = mutators.number(self.chance, near) & 0xFFFF_FFFF
        return real[:at] + number.to_bytes(4, "big") + real[at + 4 :]

    def _carried_again(self, real: bytes, start: int) -> bytes:
        """Spoiled from ESP or AH on, behind headers that are right."""
        spoiled = mutators.spoil(self.chance, real[start:])[:65_000]
        if self.shape.in_udp or self.shape.mode is Mode.TUNNEL or self.chance.random() < 0.3:
            return self.peer.carried(spoiled, real)
        length = (start + len(spoiled)).to_bytes(2, "big")
        if self.shape.outer == 4:
            header = real[:2] + length + real[4:10] + b"\0\0" + real[12:start]
            total = -int.from_bytes(header, "big") % 0xFFFF
            return header[:10] + total.to_bytes(2, "big") + header[12:] + spoiled
        length = (start - 40 + len(spoiled)).to_bytes(2, "big")
        return real[:4] + length + real[6:start] + spoiled

    def feed(self, data: bytes) -> str:
        before = self.door.state()
        delivered, result = self.door.receive(data)
        if not self.shape.is_authenticated:
            return result
        if not delivered and self.door.state() == before:
            return result
        _, start = place(data)
        part = data[start : ip.total_length(data)]
        require(part in self._real, "a forged packet was delivered or changed the SA")
        for packet in delivered:
            self._check_same(part, packet)
        if self.shape.window:
            require(before[:2] != self.door.state()[:2], "a packet was delivered, and may come again")
        return result

    def _check_same(self, part: bytes, delivered: bytes) -> None:
        """What came out is what went in, but for what is written outside and nobody signs."""
        inner = self._real[part]
        protected = self.peer.enclosed(inner)
        if self.shape.mode is Mode.TUNNEL:
            require(
                _without_traffic_class(delivered) == _without_traffic_class(inner),
                "not the packet that was sealed",
            )
        elif not self.shape.in_udp:  # behind a NAT checksums are mended
            require(delivered.endswith(protected), "not the payload that was sealed")
        if self.peer.protocol == IpProtocol.AH and self.shape.mode is Mode.TRANSPORT:
            same = ip.source(delivered) == PEER[self.shape.outer]
            require(same, "AH signs the source, and it is another one")


def _without_traffic_class(packet: bytes) -> bytes:
    if packet[0] >> 4 == 6:
        return b"\x60\0" + packet[2:]
    return packet[:1] + packet[2:10] + packet[12:]


class Sealed(_Receiving):
    """Packets of a peer that has the keys and puts anything inside."""

    name = "SA, sealed"
    share = 90

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._inside = b""

    def next_input(self) -> bytes:
        if max(self.peer.sequence, self.door.sa.replay.top) >= self.shape.last - 20:
            self.install()
        return self._hostile(self._next_number())

    def _next_number(self) -> int:
        """Mostly the next one; else one that was, or one far ahead, on either side of 2^32."""
        chance = self.chance
        self.peer.sequence = max(self.peer.sequence, self.door.sa.replay.top) + 1
        number, choice = self.peer.sequence, chance.random()
        if choice < 0.1:
            number -= chance.choice((1, 2, 31, 32, 33, 63, 64, 1023, 1024, 1025))
        elif choice < 0.15:
            number += chance.choice((2, 31, 32, 33, 1000, 1 << 20, (1 << 31) + 1))
        elif choice < 0.155:
            number = chance.choice((0, self.shape.last, 2**32 - 1, 2**32 + 1, number + 2**32, number + 2**33))
        return min(max(number, 0), self.shape.last)

    def _hostile(self, number: int) -> bytes:
        chance = self.chance
        if chance.random() < 0.08 and number + _DEEPEST <= self.shape.last:
            return self._nested(number)
        strangers = STRANGERS if chance.random() < 0.1 and self.shape.mode is Mode.TUNNEL else None
        packet = self.peer.any_inside(chance, strangers)
        around = packet
        if self.shape.mode is Mode.TUNNEL:
            around = self.peer.any_inside(chance)  # its traffic class goes outside
            content = spoil_any(chance, packet) if chance.random() < 0.6 else packet
            right = _TUNNELLED[packet[0] >> 4]
        else:
            content, right = self.peer.enclosed(packet), _names_payload(packet, self.peer.enclosed(packet))
            if chance.random() < 0.6:
                content = mutators.spoil(chance, content)
        if chance.random() < 0.1:
            content += bytes(chance.choice((1, 16, 200)))  # traffic flow padding (RFC 4303 2.7)
        next_header = right if chance.random() < 0.8 else chance.choice(_NUMBERS)
        self._inside = content = content[:65_000]
        if self.peer.protocol == IpProtocol.AH:
            return self.peer.hostile(content, next_header, number, around)
        return self.peer.sealed(self._with_trailer(content, next_header), number, around)

    def _with_trailer(self, content: bytes, next_header: int) -> bytes:
        """Padding, its length and the next header; some of them wrong."""
        chance = self.chance
        padding = -(len(content) + 2) % 16
        plaintext = content + bytes(range(1, padding + 1)) + bytes((padding, next_header))
        choice = chance.random()
        if choice < 0.06:
            plaintext = plaintext[:-2] + bytes((chance.randrange(256),)) + plaintext[-1:]
        elif choice < 0.12:
            plaintext = mutators.spoil(chance, plaintext)
        elif choice < 0.14:
            plaintext = chance.randbytes(chance.choice((0, 1, 2, 4, 16)))
        self._inside = plaintext
        return plaintext[:65_000]

    def _nested(self, number: int) -> bytes:
        """ESP or AH of the same SA inside itself, a few times."""
        chance = self.chance
        packet = self.peer.any_inside(chance)
        for inside in range(chance.choice((1, 1, 2, 3, _DEEPEST)), -1, -1):
            if self.shape.mode is Mode.TUNNEL:
                content, right, around = packet, _TUNNELLED[packet[0] >> 4], self.peer.any_inside(chance)
                if chance.random() < 0.1:
                    content = spoil_any(chance, packet)
            else:
                content, around = self.peer.enclosed(packet), packet
                right = _names_payload(packet, content)
            packet = self.peer.hostile(content[:60_000], right, number + inside, around)
        self._inside = packet
        return packet

    def feed(self, data: bytes) -> str:
        _, first = self.door.receive(data)
        if len(data) % 4 == 0:
            before = self.door.state()
            again, reason = self.door.receive(data)
            if not self.shape.window:
                require(reason == first, f"without anti-replay it was {first}, then {reason}")
                return first
            require(not again, "the same packet was delivered twice")
            allowed = reason in _REPLAYED or (reason == first and reason in self._never_opened())
            require(allowed, f"an authentic packet was {first}, and the second time it was {reason}")
            require(before == self.door.state(), "a repeated packet changed the SA")
        return first

    def _never_opened(self) -> frozenset[str]:
        """How a packet may end that is not authentic, or was not seen to be: the second time just as the first."""
        return _UNREAD | (_UNPROVED_AH if self.peer.protocol == IpProtocol.AH else _UNPROVED)

    def replay(self, finding: Finding) -> str:
        """What was found is what was under the seal; `first` names it where no trailer does."""
        self.begin(Shape.parse(finding.where))
        around = self.peer.any_inside(self.chance)
        became = ""
        for number, inside in enumerate(finding.inputs, start=self.shape.start + 1):
            self._inside = inside
            if self.peer.protocol == IpProtocol.AH:
                became = self.feed(self.peer.hostile(self._inside, finding.first, number, around))
            else:
                became = self.feed(self.peer.sealed(self._inside, number, around))
        return became

    def explain(self) -> str:
        return f"{super().explain()}; inside {self._inside.hex()}"


def _names_payload(packet: bytes, enclosed: bytes) -> int:
    """The number by which a packet's own headers name what transport mode protects."""
    end = len(packet) - len(enclosed)
    if packet[0] >> 4 == 4:
        return packet[ipv4.PROTOCOL]
    at, link = 40, 6
    while at < end:
        link = at
        at += 8 * (packet[at + 1] + 1)
    return packet[link]
