"""A router that translates, fed from both sides with the packets and fragments that the router gets."""

from collections import Counter, deque
from dataclasses import dataclass, replace
from random import Random

from ipsecsim.base.address import Prefix
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.translation import Translation
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import Transmit
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.icmp import Problem
from ipsecsim.stack.nat.behaviour import PRESETS, Behaviour, Dependence, EspHandling, Forward, OneToOne, Ports
from ipsecsim.stack.nat.mappings import MOST_PEERS
from ipsecsim.stack.nat.rewriting import quoted
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IKE_PORT, IpProtocol
from tests.hostile.packets import spoil_packet
from tests.hostile.stack_targets import NEIGHBOURS, OWN, RouterTarget
from tests.hostile.target import reachable, require

MOST = 20
"""Mappings of a host: few, so that there is none left soon and all the time."""
LARGEST = 100_000
"""Objects in all tables of a NAT, when all of them are full and this many hosts have sent."""
INSIDE = Prefix.parse("10.1.0.0/24")
ALIAS = bytes((192, 0, 2, 77))


@dataclass
class _Clock:
    """The NAT's: it hangs on nothing that grows."""

    now: int = 0


@dataclass
class _Box:
    """What a NAT knows of its node."""

    stack: HostStack
    simulator: _Clock
    entropy: SeededEntropy
    name: str = "box"


def _behaviour(chance: Random) -> Behaviour:
    rules = (
        Forward(IpProtocol.UDP, ((IKE_PORT, IKE_PORT),), NEIGHBOURS[0]),
        Forward(None, (), NEIGHBOURS[0]),
    )
    return replace(
        PRESETS[chance.choice(list(PRESETS))],
        mapping=chance.choice(list(Dependence)),
        filtering=chance.choice(list(Dependence)),
        ports=chance.choice(list(Ports)),
        esp=chance.choice(list(EspHandling)),
        ah=chance.random() < 0.5,
        hairpinning=chance.random() < 0.7,
        ike_helper=chance.random() < 0.3,
        most_per_host=MOST,
        block=64,
        forwards=rules[: chance.randrange(3)],
        one_to_one=(OneToOne(NEIGHBOURS[0], ALIAS),) if chance.random() < 0.2 else (),
    )


class NatRouter(RouterTarget):
    """Whatever comes, nothing leaves with an address of the inside, and what it remembers has an end."""

    name = "NAT"
    share = 40
    destinations = (*OWN * 2, OWN[1], OWN[1], ALIAS, *NEIGHBOURS * 3)

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._clock = _Clock()
        self._left: deque[bytes] = deque(maxlen=1)
        self._came_by, self._was_for = "", b""
        link = Link("wan", self._clock, LinkOptions())
        box = _Box(self.stack, self._clock, SeededEntropy("hostile"))
        self._translation = Translation(box, link, _behaviour(chance), "wan")
        self.counted_apart = (self._translation,)
        self._at_rest = self._residue()

    def feed(self, data: bytes) -> str:
        self._clock.now = self.now
        self._came_by, self._was_for = "wan" if len(data) & 1 else "lan", data[ipv4.DESTINATION]
        became = super().feed(data)
        mappings = self._translation.nat.mappings
        per_host = Counter(each.inside[0] for each in mappings)
        require(max(per_host.values(), default=0) <= MOST, "a host has more mappings than it may")
        require(
            all(len(each.peers) <= MOST_PEERS for each in mappings), "a mapping has more peers than it may"
        )
        return became

    def _more_ipv4(self) -> list[bytes]:
        """Half of it answers what has left, by the same ports, or speaks of it: as it should be, or nearly."""
        chance = self.chance
        if not self._left or chance.random() < 0.5:
            return super()._more_ipv4()
        last = self._left[-1]
        source, destination = last[ipv4.SOURCE], last[ipv4.DESTINATION]
        if chance.random() < 0.5:
            rest = last[ipv4.header_length(last) :]
            made = ipv4.build(destination, source, last[ipv4.PROTOCOL], rest[2:4] + rest[:2] + rest[4:])
        else:
            error = icmp.error_about(last, chance.choice((Problem.TOO_BIG, Problem.PORT, Problem.HOPS)), 1000)
            made = ipv4.build(NEIGHBOURS[1], source, IpProtocol.ICMP, error.emit())
        return [spoil_packet(chance, made) if chance.random() < 0.5 else made]

    def look_at(self, sent: Transmit) -> None:
        """What is inside stays inside, in errors too: only the box itself speaks of itself."""
        source = sent.packet[ipv4.SOURCE]
        if sent.packet[0] >> 4 != 4 or sent.interface != "wan" or source in OWN[:1]:
            return
        if self._came_by == "wan" and source not in OWN:
            return  # it went back where it came from
        self._left.append(sent.packet)
        require(source not in INSIDE, "a packet left with an address of the inside")
        about = quoted(sent.packet)
        if about is not None and self._was_for not in INSIDE:
            require(about[ipv4.DESTINATION] not in INSIDE, "an error told an address of the inside")

    def _ring(self) -> None:
        super()._ring()
        if hasattr(self, "_translation"):
            self._translation.handle_timeout(self.now)

    def _residue(self) -> int:
        found = super()._residue()
        if hasattr(self, "_translation"):
            nat = self._translation.nat
            require(len(nat.mappings) == 0, "a mapping lives for ever")
            require(nat.next_deadline() is None, "a timer of the NAT is left")
            others = (self.stack, self._translation, self._clock)
            require(reachable(nat, without=others) <= LARGEST, "the memory of a NAT has no end")
        return found
