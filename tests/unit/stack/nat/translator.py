"""A NAT with two hosts inside and two peers outside, and packets between them."""

from dataclasses import dataclass, field

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import TraceEvent
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import Behaviour
from ipsecsim.stack.nat.engine import Nat
from ipsecsim.wire import icmpv4, ipv4, udp
from ipsecsim.wire.numbers import IpProtocol

ALICE, BOB = pack("192.168.1.10"), pack("192.168.1.11")
OUTSIDE = pack("203.0.113.1")
PEER, OTHER = pack("198.51.100.1"), pack("198.51.100.2")


@dataclass
class Box:
    """What the box takes for itself."""

    ports: set[int] = field(default_factory=set)
    protocols: set[int] = field(default_factory=set)


class Translator:
    """`out` and `back` carry UDP datagrams: they say what stands in the packet then, or why it was dropped."""

    def __init__(
        self, behaviour: Behaviour | None = None, *, addresses=(OUTSIDE,), box=None, seed="nat"
    ) -> None:
        self.events: list[TraceEvent] = []
        self.now: Instant = 0
        entropy = SeededEntropy(seed)
        self.nat = Nat(behaviour or Behaviour(), addresses, entropy, box or Box(), self.events.append)

    def out(
        self, source: bytes, port: int, peer: bytes = PEER, peer_port: int = 9
    ) -> tuple[str, int] | DropReason:
        """The outside endpoint that the peer sees."""
        try:
            packet = self.nat.outbound(datagram(source, port, peer, peer_port), self.now)
        except Refused as refused:
            return refused.reason
        check(packet)
        return unpack(ipv4.parse(packet).source), ports(packet)[0]

    def back(
        self, port: int, peer: bytes = PEER, peer_port: int = 9, to=OUTSIDE
    ) -> tuple[str, int] | DropReason:
        """The inside endpoint that gets what a peer sends to an outside port."""
        try:
            packet = self.nat.inbound(datagram(peer, peer_port, to, port), self.now)
        except Refused as refused:
            return refused.reason
        check(packet)
        return unpack(ipv4.parse(packet).destination), ports(packet)[1]


def datagram(source: bytes, port: int, destination: bytes, destination_port: int, data=b"hello") -> bytes:
    segment = udp.build(source, destination, port, destination_port, data)
    return ipv4.build(source, destination, IpProtocol.UDP, segment)


def ping(source, destination, identifier, *, is_reply=False):
    message = icmpv4.Echo(is_reply, identifier, 1, b"ping").emit()
    return ipv4.build(source, destination, IpProtocol.ICMP, message)


def portless(source: bytes, destination: bytes, protocol: int, spi: int) -> bytes:
    at = {IpProtocol.ESP: b"", IpProtocol.AH: bytes(4)}[protocol]
    return ipv4.build(source, destination, protocol, at + spi.to_bytes(4, "big") + bytes(32))


def ports(packet: bytes) -> tuple[int, int]:
    start = ipv4.header_length(packet)
    return int.from_bytes(packet[start : start + 2], "big"), int.from_bytes(
        packet[start + 2 : start + 4], "big"
    )


def check(packet: bytes) -> None:
    """Both checksums are right, as the peer's stack will ask."""
    ipv4.check(packet)
    header = ipv4.parse(packet)
    udp.check(header.source, header.destination, packet[ipv4.header_length(packet) :])
