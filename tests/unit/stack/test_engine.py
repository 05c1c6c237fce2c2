"""Receiving, forwarding and complaining, one packet at a time."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.trace import PacketDropped
from ipsecsim.stack.actions import (
    DatagramArrived,
    EchoReplyArrived,
    IcmpErrorArrived,
    PacketArrived,
    Transmit,
)
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.reassembly import TIMEOUT
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import icmpv4, ipv4, udp
from ipsecsim.wire.icmpv4 import Echo, IcmpError, IcmpType, TimeExceededCode, UnreachableCode
from ipsecsim.wire.numbers import IpProtocol

ME, PEER, FAR = pack("10.1.0.1"), pack("10.1.0.2"), pack("10.9.0.1")
GROUP = pack("224.0.0.9")


class Node:
    def __init__(self, *, forwards: bool = True, mtu: int = 1500) -> None:
        self.events: list = []
        self.stack = HostStack(
            [Interface("lan", ME, 24, mtu), Interface("wan", pack("192.0.2.1"), 24, mtu)],
            SeededEntropy("stack"),
            forwards=forwards,
            tap=self.events.append,
        )
        self.stack.routes.add(Route(Prefix.parse("10.9.0.0/16"), pack("192.0.2.2"), "wan"))

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]

    def receive(self, packet: bytes, interface: str = "lan"):
        return self.stack.receive(interface, packet, 0)


def complaint(actions) -> IcmpError:
    (transmit,) = actions
    message = icmpv4.parse(ipv4.payload(transmit.packet))
    assert isinstance(message, IcmpError)
    return message


def ping(source: bytes = PEER, destination: bytes = ME, **options) -> bytes:
    return ipv4.build(source, destination, IpProtocol.ICMP, Echo(False, 1, 1, b"x" * 56).emit(), **options)


def test_a_ping_is_answered_with_its_own_data():
    (transmit,) = Node().receive(ping())
    assert (transmit.interface, transmit.next_hop) == ("lan", PEER)
    assert icmpv4.parse(ipv4.payload(transmit.packet)) == Echo(True, 1, 1, b"x" * 56)
    assert ipv4.parse(transmit.packet).source == ME


def test_a_router_forwards_with_one_hop_less_and_a_good_checksum():
    (transmit,) = Node().receive(ping(destination=FAR))
    assert (transmit.interface, transmit.next_hop) == ("wan", pack("192.0.2.2"))
    assert ipv4.parse(transmit.packet).ttl == 63


def test_a_host_forwards_nothing():
    node = Node(forwards=False)
    assert node.receive(ping(destination=FAR)) == []
    assert node.drops == [DropReason.IP_NOT_LOCAL]


def test_the_last_hop_is_reported():
    node = Node()
    error = complaint(node.receive(ping(destination=FAR, ttl=1)))
    assert (error.type, error.code) == (IcmpType.TIME_EXCEEDED, TimeExceededCode.IN_TRANSIT)
    assert error.quoted == ping(destination=FAR, ttl=1)[:28]
    assert node.drops == [DropReason.IP_TTL]


def test_no_route_is_reported():
    node = Node()
    error = complaint(node.receive(ping(destination=pack("203.0.113.1"))))
    assert (error.type, error.code) == (IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.NET)
    assert node.drops == [DropReason.IP_NO_ROUTE]


def test_too_big_and_df_is_reported_with_the_mtu():
    node = Node(mtu=80)
    error = complaint(node.receive(ping(destination=FAR, dont_fragment=True)))
    assert (error.code, error.mtu) == (UnreachableCode.FRAGMENTATION_NEEDED, 80)
    assert node.drops == [DropReason.IP_DF_TOO_BIG]


def test_too_big_without_df_is_cut():
    pieces = Node(mtu=60).receive(ping(destination=FAR))
    assert [len(each.packet) for each in pieces] == [60, 44]
    assert all(isinstance(each, Transmit) for each in pieces)


def test_fragments_for_this_node_are_put_together():
    sender, receiver = Node(mtu=60), Node()
    pieces = sender.stack.send(None, PEER, IpProtocol.ICMP, Echo(False, 1, 1, b"x" * 100).emit())
    receiver.stack.interfaces["lan"].address = PEER
    other = HostStack([Interface("lan", PEER, 24)], SeededEntropy("x"), forwards=False)
    results = [other.receive("lan", each.packet, 0) for each in pieces]
    assert results[:-1] == [[]] * (len(pieces) - 1)
    assert icmpv4.parse(ipv4.payload(results[-1][0].packet)).data == b"x" * 100


def test_fragments_that_stay_alone_time_out():
    node = Node()
    whole = ping()
    node.receive(ipv4.build(PEER, ME, IpProtocol.ICMP, whole[20:36], identification=5, more_fragments=True))
    assert node.stack.next_deadline() == TIMEOUT[4]
    node.stack.handle_timeout(TIMEOUT[4])
    assert node.drops == [DropReason.FRAG_TIMEOUT]


def test_udp_reaches_bound_ports_only():
    node = Node()
    node.stack.ports.add(500)
    segment = udp.build(PEER, ME, 1000, 500, b"data")
    (arrived,) = node.receive(ipv4.build(PEER, ME, IpProtocol.UDP, segment))
    assert isinstance(arrived, DatagramArrived)
    assert (arrived.source_port, arrived.payload) == (1000, b"data")
    closed = udp.build(PEER, ME, 1000, 501, b"data")
    error = complaint(node.receive(ipv4.build(PEER, ME, IpProtocol.UDP, closed)))
    assert error.code == UnreachableCode.PORT
    assert node.drops == [DropReason.PORT_CLOSED]


def test_protocols_reach_whoever_asked_for_them():
    node = Node()
    error = complaint(node.receive(ipv4.build(PEER, ME, IpProtocol.ESP, bytes(16))))
    assert error.code == UnreachableCode.PROTOCOL
    node.stack.protocols.add(IpProtocol.ESP)
    assert isinstance(node.receive(ipv4.build(PEER, ME, IpProtocol.ESP, bytes(16)))[0], PacketArrived)


def test_who_listens_to_a_group_gets_what_is_for_it_however_few_hops_are_left():
    """RFC 1112 7.2."""
    node = Node()
    segment = udp.build(PEER, GROUP, 520, 520, b"hello")
    packet = ipv4.build(PEER, GROUP, IpProtocol.UDP, segment, ttl=1)
    assert node.receive(packet) == []
    assert node.drops == [DropReason.IP_TTL]  # and nobody is told, for it was meant for many (RFC 1122 3.2.2)
    node.stack.groups.add(GROUP)
    node.stack.ports.add(520)
    (arrived,) = node.receive(packet)
    assert (arrived.destination, arrived.payload) == (GROUP, b"hello")


def test_what_is_sent_to_a_group_stays_on_the_link_and_an_answer_comes_from_one_node():
    """RFC 1112 6.1: the time to live is 1."""
    node = Node()
    node.stack.routes.add(Route(Prefix.parse("0.0.0.0/0"), PEER, "lan"))
    node.stack.groups.add(GROUP)
    (transmit,) = node.stack.send_datagram(None, 520, GROUP, 520, b"hello")
    assert (transmit.interface, transmit.packet[ipv4.TTL]) == ("lan", 1)
    (transmit,) = node.receive(ping(destination=GROUP))
    assert transmit.packet[ipv4.SOURCE] == ME


def test_answers_and_errors_are_handed_up():
    node = Node()
    (reply,) = node.receive(ipv4.build(PEER, ME, IpProtocol.ICMP, Echo(True, 4, 2, b"z").emit()))
    assert reply == EchoReplyArrived(PEER, 4, 2, b"z")
    error = IcmpError(IcmpType.TIME_EXCEEDED, 0, ping()[:28])
    (arrived,) = node.receive(ipv4.build(PEER, ME, IpProtocol.ICMP, error.emit()))
    assert isinstance(arrived, IcmpErrorArrived)


BROKEN_ICMP = Echo(False, 1, 1, b"x").emit()[:-1] + b"y"
BROKEN_UDP = udp.build(PEER, ME, 1, 500, b"data")[:-1] + b"!"


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", DropReason.IP_MALFORMED),
        (ping()[:19], DropReason.IP_MALFORMED),
        (b"\x55" + ping()[1:], DropReason.IP_MALFORMED),
        (ping()[:8] + b"\x01" + ping()[9:], DropReason.IP_MALFORMED),
        (ipv4.build(PEER, ME, IpProtocol.ICMP, BROKEN_ICMP), DropReason.ICMP_CHECKSUM),
        (ipv4.build(PEER, ME, IpProtocol.UDP, BROKEN_UDP), DropReason.UDP_CHECKSUM),
        (ipv4.build(PEER, ME, IpProtocol.UDP, b"\0\0\0\0\0\x07\0\0"), DropReason.UDP_SHORT),
    ],
)
def test_broken_packets_end_with_their_reason(packet, reason):
    node = Node()
    assert node.receive(packet) == []
    assert node.drops == [reason]


def test_nobody_complains_about_a_complaint():
    node = Node()
    error = IcmpError(IcmpType.TIME_EXCEEDED, 0, ping()[:28]).emit()
    assert node.receive(ipv4.build(PEER, FAR, IpProtocol.ICMP, error, ttl=1)) == []
    assert node.receive(ping(destination=FAR, ttl=1, fragment_offset=8)) == []
    assert node.drops == [DropReason.IP_TTL] * 2


def test_the_longest_prefix_wins_and_a_new_route_is_seen_at_once():
    table = RouteTable()
    default = Route(Prefix.parse("0.0.0.0/0"), PEER, "a")
    wide = Route(Prefix.parse("10.0.0.0/8"), PEER, "b")
    exact = Route(Prefix.parse("10.9.0.1/32"), None, "c")
    for route in (default, exact, wide):
        table.add(route)
    assert table.lookup(FAR) is exact
    assert table.lookup(pack("10.9.0.2")) is wide
    assert table.lookup(pack("192.0.2.1")) is default
    closer = Route(Prefix.parse("10.9.0.0/24"), None, "d")
    table.add(closer)
    assert table.lookup(pack("10.9.0.2")) is closer
    assert [route.interface for route in table.all()] == ["c", "d", "b", "a"]
    assert RouteTable().lookup(FAR) is None


def test_a_packet_to_oneself_never_touches_a_link():
    actions = Node().stack.send(None, ME, IpProtocol.ICMP, Echo(False, 1, 1, b"").emit())
    assert actions == [EchoReplyArrived(ME, 1, 1, b"")]
