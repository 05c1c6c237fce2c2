"""The IP stack as host and as router."""

from random import Random

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import TraceEvent
from ipsecsim.stack.actions import Transmit
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.events import PacketReassembled
from ipsecsim.stack.fragments import MOST_PACKETS, MOST_PIECES
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.hostile.packets import any_packet, fragments_of, spoil_packet
from tests.hostile.seeds import seeds
from tests.hostile.target import Target, outcome, reachable, require

OWN = (pack("10.1.0.1"), pack("192.0.2.1"))
NEIGHBOURS = (pack("10.1.0.2"), pack("192.0.2.9"), pack("203.0.113.7"))
ODD = (bytes(4), b"\xff" * 4, pack("224.0.0.1"), pack("127.0.0.1"), *OWN)
MTU = {"lan": 1500, "wan": 576}
LEFT_OVER = 60
_MOST_SENT = 200  # packets that one packet may lead to: the fragments of the largest one


class _Stack(Target):
    """A stack with two interfaces, fed with packets and fragments."""

    forwards = False
    destinations: tuple[bytes, ...] = (*OWN * 2, *NEIGHBOURS * 3, *ODD)

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.now = 0
        self.events: list[TraceEvent] = []
        interfaces = [Interface("lan", OWN[0], 24, MTU["lan"]), Interface("wan", OWN[1], 24, MTU["wan"])]
        self.stack = HostStack(
            interfaces, SeededEntropy("hostile"), forwards=self.forwards, tap=self.events.append
        )
        self.stack.ports |= {IKE_PORT, NAT_T_PORT}
        self.stack.protocols.add(IpProtocol.ESP)
        self.stack.routes.add(Route(Prefix.parse("203.0.113.0/24"), NEIGHBOURS[1], "wan"))
        self._coming: list[bytes] = []
        self._pieces: dict[tuple[bytes, bytes, int, int], list[tuple[ipv4.Ipv4Header, bytes]]] = {}
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
            ipv4.check(action.packet)
            require(len(action.packet) <= MTU[action.interface], "a packet larger than the link was sent")
            end = (int.from_bytes(action.packet[6:8], "big") & 0x1FFF) * 8 + len(ipv4.payload(action.packet))
            is_whole = len(sent) == 1  # as it came: what it claims is the business of its destination
            require(
                is_whole or end + 20 <= ipv4.LARGEST_PACKET, "we made a fragment beyond the largest packet"
            )
        self._remember(data)
        for event in self.events:
            if isinstance(event, PacketReassembled):
                self._check_whole(event.packet)
        require(self.stack.fragments_waiting <= MOST_PACKETS * MOST_PIECES, "too many fragments wait")
        return outcome(self.events)

    def _remember(self, data: bytes) -> None:
        """Every fragment that is right in itself."""
        try:
            header = ipv4.parse(data)
        except RemoteError:
            return
        if ipv4.is_fragment(data):
            key = (header.source, header.destination, header.protocol, header.identification)
            self._pieces.setdefault(key, []).append((header, ipv4.payload(data)))

    def _check_whole(self, packet: bytes) -> None:
        """A whole packet has every byte from a fragment that said it belongs there, and ends where one ends."""
        header = ipv4.parse(packet)
        data = ipv4.payload(packet)
        pieces = self._pieces.get(
            (header.source, header.destination, header.protocol, header.identification), []
        )
        require(
            any(not one.more_fragments and one.fragment_offset + len(it) == len(data) for one, it in pieces),
            "a packet was put together without its end",
        )
        for at in range(0, len(data), 8):
            block = data[at : at + 8]
            require(
                any(
                    it[at - one.fragment_offset :][:8] == block
                    for one, it in pieces
                    if one.fragment_offset <= at
                ),
                f"byte {at} of a packet that was put together came with no fragment",
            )

    def _ring(self) -> None:
        require(self.stack.handle_timeout(self.now) == [], "a timer of the stack sends something")

    def _residue(self) -> int:
        self.now += 3600 * SECOND
        self._ring()
        require(self.stack.fragments_waiting == 0, "fragments wait for ever")
        require(self.stack.next_deadline() is None, "a timer is left")
        cached = reachable(self.stack.routes) // 4
        require(cached <= RouteTable.CACHE_LIMIT, "the route cache has no end")
        self.events.clear()
        return reachable(self.stack, without=(self.stack.routes,))

    def finish(self) -> None:
        grown = self._residue() - self._at_rest
        require(grown <= LEFT_OVER, f"{grown} objects more than at the beginning stay behind")


class HostTarget(_Stack):
    """A host: takes what is for it."""

    name = "stack, host"
    share = 30
    destinations = (*OWN * 8, *NEIGHBOURS, *ODD)


class RouterTarget(_Stack):
    """A router: also passes on what is not."""

    name = "stack, router"
    share = 30
    forwards = True
