"""Virtual addresses: whose they are, and which packets come from them."""

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.stack.actions import Transmit
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.events import AddressReleased, AddressTaken
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire import icmpv4, ip
from ipsecsim.wire.numbers import IpProtocol

OWN, VIRTUAL, ROUTER, SERVER = (
    pack(f"{text}") for text in ("192.0.2.7", "10.9.0.1", "192.0.2.1", "10.1.0.2")
)
OFFICE = ((pack("10.1.0.0"), pack("10.1.0.255")),)


def host() -> tuple[HostStack, list]:
    events: list = []
    stack = HostStack(
        [Interface("eth0", OWN, 24)], SeededEntropy("host").fork("stack"), forwards=False, tap=events.append
    )
    stack.routes.add(Route(Prefix(bytes(4), 0), ROUTER, "eth0"))
    return stack, events


def test_only_packets_to_its_destinations_come_from_a_virtual_address():
    stack, _ = host()
    stack.use_address(VIRTUAL, OFFICE)
    assert stack.address_towards(SERVER) == VIRTUAL
    assert stack.address_towards(pack("10.2.0.2")) == OWN


def test_a_packet_without_a_source_gets_it_and_leaves_by_the_usual_route():
    stack, _ = host()
    stack.use_address(VIRTUAL, OFFICE)
    (sent,) = stack.send(None, SERVER, IpProtocol.ICMP, icmpv4.Echo(False, 1, 1, b"").emit())
    assert isinstance(sent, Transmit)
    assert (ip.source(sent.packet), sent.next_hop) == (VIRTUAL, ROUTER)


def test_the_node_takes_packets_for_it_and_no_longer_once_it_is_released():
    stack, events = host()
    echo = ip.build(SERVER, VIRTUAL, IpProtocol.ICMP, icmpv4.Echo(False, 1, 1, b"").emit(), identification=1)
    assert stack.receive("eth0", echo, 0) == []
    stack.use_address(VIRTUAL, OFFICE)
    assert stack.receive("eth0", echo, 0) != []
    stack.release_address(VIRTUAL)
    assert stack.receive("eth0", echo, 0) == []
    assert [each for each in events if isinstance(each, AddressTaken | AddressReleased)] == [
        AddressTaken(VIRTUAL),
        AddressReleased(VIRTUAL),
    ]


def test_two_that_gave_the_same_address_must_both_take_it_back():
    stack, _ = host()
    stack.use_address(VIRTUAL, OFFICE)
    stack.use_address(VIRTUAL, OFFICE)
    stack.release_address(VIRTUAL)
    assert stack.address_towards(SERVER) == VIRTUAL
    stack.release_address(VIRTUAL)
    assert stack.address_towards(SERVER) == OWN


def test_the_address_of_a_link_stays_whatever_a_gateway_gives():
    stack, _ = host()
    stack.use_address(OWN, OFFICE)
    stack.release_address(OWN)
    stack.release_address(OWN)
    assert OWN in stack.addresses


def test_ipv6_destinations_are_told_from_those_of_ipv4():
    stack, _ = host()
    stack.use_address(pack("fd09::1"), ((bytes(16), b"\xff" * 16),))
    assert stack.address_towards(SERVER) == OWN
    assert stack.address_towards(pack("fd01::2")) == pack("fd09::1")
