"""A stack with both IP versions on two interfaces, and packets to feed it with."""

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.trace import PacketDropped, event_of
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.interface import Address, Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire import icmpv6, ipv6, udp
from ipsecsim.wire.icmpv6 import Echo, IcmpError
from ipsecsim.wire.numbers import IpProtocol

ME, ME_WAN = pack("fd00:10:1::1"), pack("2001:db8:1::1")
PEER, NEXT_HOP, FAR = pack("fd00:10:1::2"), pack("2001:db8:1::2"), pack("fd00:10:9::1")
ME_IPV4, PEER_IPV4, FAR_IPV4 = pack("10.1.0.1"), pack("10.1.0.2"), pack("10.9.0.1")


class Dual:
    """Interface `lan` towards PEER, `wan` towards NEXT_HOP, behind which FAR lies."""

    def __init__(self, *, forwards: bool = True, mtu: int = 1500) -> None:
        self.events: list = []
        self.stack = HostStack(
            [
                Interface("lan", ME_IPV4, 24, mtu, (Address(ME, 64),)),
                Interface("wan", pack("192.0.2.1"), 24, mtu, (Address(ME_WAN, 64),)),
            ],
            SeededEntropy("stack"),
            forwards=forwards,
            tap=lambda told: self.events.append(event_of(told)),
        )
        self.stack.routes.add(Route(Prefix.parse("10.9.0.0/16"), pack("192.0.2.2"), "wan"))
        self.stack.routes.add(Route(Prefix.parse("fd00:10:9::/48"), NEXT_HOP, "wan"))

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]

    def told(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def receive(self, packet: bytes, interface: str = "lan", now: int = 0):
        return self.stack.receive(interface, packet, now)


def read(packet: bytes):
    """The ICMPv6 message in a packet."""
    protocol, offset = ipv6.upper_layer(packet)
    assert protocol == IpProtocol.ICMPV6
    return icmpv6.parse(packet[ipv6.SOURCE], packet[ipv6.DESTINATION], packet[offset:])


def complaint(actions) -> IcmpError:
    """The one ICMPv6 error that was sent."""
    (transmit,) = actions
    message = read(transmit.packet)
    assert isinstance(message, IcmpError)
    return message


def ping(
    source: bytes = PEER, destination: bytes = ME, size: int = 56, front: bytes = b"", **options
) -> bytes:
    """An echo request; `front` are extension headers before it, and `first` the kind of the first of them."""
    message = Echo(False, 1, 1, b"x" * size).emit(source, destination)
    first = options.pop("first", IpProtocol.ICMPV6)
    return ipv6.build(source, destination, first, front + message, **options)


def datagram(port: int, source: bytes = PEER, destination: bytes = ME, *, checksum: bool = True) -> bytes:
    segment = udp.build(source, destination, 1000, port, b"data", checksum=checksum)
    return ipv6.build(source, destination, IpProtocol.UDP, segment)
