"""The IP stack as host and as router, with both IP versions."""

from dataclasses import dataclass
from random import Random

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import TraceEvent
from ipsecsim.stack.actions import Transmit
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.events import PacketReassembled
from ipsecsim.stack.interface import Address, Interface
from ipsecsim.stack.reassembly import MOST_PACKETS, MOST_PIECES
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.hostile.packets import any_packet, fragments_of, spoil_packet
from tests.hostile.packets6 import any_packet_6, fragments_of_6, spoil_packet_6
from tests.hostile.seeds import seeds
from tests.hostile.target import Broken, Target, outcome, reachable, require

OWN = (pack("10.1.0.1"), pack("192.0.2.1"))
NEIGHBOURS = (pack("10.1.0.2"), pack("192.0.2.9"), pack("203.0.113.7"))
ODD = (bytes(4), b"\xff" * 4, pack("224.0.0.1"), pack("127.0.0.1"), *OWN)
OWN_6 = (pack("fd00:10:1::1"), pack("2001:db8:1::1"))
NEIGHBOURS_6 = (pack("fd00:10:1::2"), pack("2001:db8:1::9"), pack("fd00:10:9::7"))
ODD_6 = (bytes(16), b"\xff" * 16, pack("ff02::1"), pack("::1"), *OWN_6)
MTU = {"lan": 1500, "wan": 576}
LEFT_OVER = 60
_MOST_SENT = 200  # packets that one packet may lead to: the fragments of the largest one


@dataclass(frozen=True, slots=True)
class _Piece:
    """A fragment that came: where its data belongs, and for IPv6 what stands before its fragment header."""

    start: int
    data: bytes
    more: bool
    front: int = 0


class _Stack(Target):
    """A stack with two interfaces, fed with packets and fragments."""

    forwards = False
    counted_apart: tuple[object, ...] = ()
    destinations: tuple[bytes, ...] = (*OWN * 2, *NEIGHBOURS * 3, *ODD)
    destinations_6: tuple[bytes, ...] = (*OWN_6 * 2, *NEIGHBOURS_6 * 3, *ODD_6)

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.now = 0
        self.events: list[TraceEvent] = []
        interfaces = [
            Interface("lan", OWN[0], 24, MTU["lan"], (Address(OWN_6[0], 64),)),
            Interface("wan", OWN[1], 24, MTU["wan"], (Address(OWN_6[1], 64),)),
        ]
        self.stack = HostStack(
            interfaces, SeededEntropy("hostile"), forwards=self.forwards, tap=self.events.append
        )
        self.stack.ports |= {IKE_PORT, NAT_T_PORT}
        self.stack.protocols.add(IpProtocol.ESP)
        self.stack.routes.add(Route(Prefix.parse("203.0.113.0/24"), NEIGHBOURS[1], "wan"))
        self.stack.routes.add(Route(Prefix.parse("fd00:10:9::/48"), NEIGHBOURS_6[1], "wan"))
        self._coming: list[bytes] = []
        self._pieces: dict[tuple[bytes, bytes, int, int], list[_Piece]] = {}
        self._at_rest = self._residue()

    def next_input(self) -> bytes:
        chance = self.chance
        self.now += ms(1)
        if chance.random() < 0.01:
            self.now += chance.choice((1, 31)) * SECOND
            self._ring()
        if not self._coming:
            self._coming = self._more()
            self._coming.reverse()
        return self._coming.pop()

    def _more(self) -> list[bytes]:
        return self._more_ipv4() if self.chance.random() < 0.5 else self._more_ipv6()

    def _more_ipv6(self) -> list[bytes]:
        chance = self.chance
        source, destination = chance.choice((*NEIGHBOURS_6 * 3, *ODD_6)), chance.choice(self.destinations_6)
        packet = any_packet_6(chance, source, destination)
        choice = chance.random()
        if choice < 0.4:
            return [spoil_packet_6(chance, packet)]
        if choice < 0.5:
            return [packet]
        pieces = fragments_of_6(chance, packet)
        return [spoil_packet_6(chance, piece) if chance.random() < 0.05 else piece for piece in pieces]

    def _more_ipv4(self) -> list[bytes]:
        chance = self.chance
        packet = any_packet(chance, (*NEIGHBOURS * 3, *ODD), self.destinations)
        choice = chance.random()
        if choice < 0.1:
            return [spoil_packet(chance, chance.choice(seeds("packet")).data)]
        if choice < 0.5:
            return [spoil_packet(chance, packet)]
        if choice < 0.6:
            return [packet]
        pieces = fragments_of(chance, packet)
        return [spoil_packet(chance, piece) if chance.random() < 0.05 else piece for piece in pieces]

    def feed(self, data: bytes) -> str:
        self.events.clear()
        interface = "wan" if len(data) & 1 else "lan"
        sent = [a for a in self.stack.receive(interface, data, self.now) if isinstance(a, Transmit)]
        require(len(sent) <= _MOST_SENT, f"one packet became {len(sent)}")
        for action in sent:
            ip.check(action.packet)
            self.look_at(action)
            require(len(action.packet) <= MTU[action.interface], "a packet larger than the link was sent")
            is_whole = len(sent) == 1  # as it came: what it claims is the business of its destination
            require(is_whole or _fits(action.packet), "we made a fragment beyond the largest packet")
        self._remember(data)
        for event in self.events:
            if isinstance(event, PacketReassembled):
                self._check_whole(event.packet, event.identification)
                self._remember(event.packet)  # a fragment inside of fragments
        require(self.stack.fragments_waiting <= MOST_PACKETS * MOST_PIECES, "too many fragments wait")
        return outcome(self.events)

    def look_at(self, sent: Transmit) -> None:
        """For stacks of which something more is asked."""

    def _remember(self, data: bytes) -> None:
        """Every fragment that is right in itself."""
        try:
            ip.check(data)
        except RemoteError:
            return
        if not ip.is_fragment(data):
            return
        if ip.version(data) == 4:
            header = ipv4.parse(data)
            key = (header.source, header.destination, header.protocol, header.identification)
            piece = _Piece(header.fragment_offset, ipv4.payload(data), header.more_fragments)
        else:
            found = ipv6.chain(data).fragment
            assert found is not None
            fields = ipv6.read_fragment(data, found)
            rest = data[found.start + found.length : ip.total_length(data)]
            key = (ip.source(data), ip.destination(data), 0, fields.identification)
            piece = _Piece(fields.offset, rest, fields.more, found.start)
        self._pieces.setdefault(key, []).append(piece)

    def _check_whole(self, packet: bytes, identification: int) -> None:
        """A whole packet has every byte from a fragment that said it belongs there, and ends where one ends."""
        ip.check(packet)
        is_ipv4 = ip.version(packet) == 4
        protocol = packet[ipv4.PROTOCOL] if is_ipv4 else 0
        key = (ip.source(packet), ip.destination(packet), protocol, identification)
        pieces = self._pieces.get(key, [])
        if is_ipv4:
            _check_data(pieces, ipv4.payload(packet))
            return
        # as long a front as one of the first fragments had; which one it was does not show
        wrong = Broken("a packet was put together without its beginning")
        for front in {one.front for one in pieces if one.start == 0}:
            try:
                _check_data(pieces, packet[front : ip.total_length(packet)])
                return
            except Broken as broken:
                wrong = broken
        raise wrong

    def _ring(self) -> None:
        for action in self.stack.handle_timeout(self.now):
            require(isinstance(action, Transmit), "a timer of the stack does more than tell senders")

    def _residue(self) -> int:
        self.now += 3600 * SECOND
        self._ring()
        require(self.stack.fragments_waiting == 0, "fragments wait for ever")
        require(self.stack.next_deadline() is None, "a timer is left")
        cached = reachable(self.stack.routes) // 4
        require(cached <= RouteTable.CACHE_LIMIT, "the route cache has no end")
        self.events.clear()
        return reachable(self.stack, without=(self.stack.routes, *self.counted_apart))

    def finish(self) -> None:
        grown = self._residue() - self._at_rest
        require(grown <= LEFT_OVER, f"{grown} objects more than at the beginning stay behind")


def _fits(packet: bytes) -> bool:
    end = ip.fragment_offset(packet) + len(packet)
    return end <= ipv4.LARGEST_PACKET if ip.version(packet) == 4 else end <= ipv6.LARGEST_PAYLOAD + 48


def _check_data(pieces: list[_Piece], data: bytes) -> None:
    require(
        any(not one.more and one.start + len(one.data) == len(data) for one in pieces),
        "a packet was put together without its end",
    )
    for at in range(0, len(data), 8):
        block = data[at : at + 8]
        require(
            any(one.data[at - one.start :][:8] == block for one in pieces if one.start <= at),
            f"byte {at} of a packet that was put together came with no fragment",
        )


class HostTarget(_Stack):
    """A host: takes what is for it."""

    name = "stack, host"
    share = 30
    destinations = (*OWN * 8, *NEIGHBOURS, *ODD)
    destinations_6 = (*OWN_6 * 8, *NEIGHBOURS_6, *ODD_6)


class RouterTarget(_Stack):
    """A router: also passes on what is not."""

    name = "stack, router"
    share = 30
    forwards = True
