"""IPv6 in the stack: forwarding, delivering, complaining (RFC 8200, RFC 4443)."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.budget import Budget
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.actions import (
    DatagramArrived,
    EchoReplyArrived,
    IcmpErrorArrived,
    PacketArrived,
    Transmit,
)
from ipsecsim.stack.events import PacketForwarded, PacketOriginated
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import icmpv6, ip, ipv4, ipv6
from ipsecsim.wire.icmpv6 import Echo, IcmpError, Icmpv6Type, ParameterProblemCode, UnreachableCode
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.dual import (
    FAR,
    FAR_IPV4,
    ME,
    ME_IPV4,
    ME_WAN,
    NEXT_HOP,
    PEER,
    PEER_IPV4,
    Dual,
    complaint,
    datagram,
    ping,
    read,
)

ESP_PACKET = ipv6.build(PEER, ME, IpProtocol.ESP, bytes(16))
MULTICAST, UNSPECIFIED = pack("ff02::1"), bytes(16)


def test_a_ping_is_answered_from_the_address_it_was_for():
    (transmit,) = Dual().receive(ping(destination=ME_WAN, traffic_class=0xB8))
    assert (transmit.interface, transmit.next_hop) == ("lan", PEER)
    assert ipv6.parse(transmit.packet).source == ME_WAN
    assert ip.traffic_class(transmit.packet) == 0xB8
    assert read(transmit.packet) == Echo(True, 1, 1, b"x" * 56)


def test_a_router_changes_the_hop_limit_and_nothing_else():
    node = Dual()
    sent = ping(destination=FAR, flow_label=0x12345)
    (transmit,) = node.receive(sent)
    assert (transmit.interface, transmit.next_hop) == ("wan", NEXT_HOP)
    assert transmit.packet == sent[:7] + b"\x3f" + sent[8:]
    assert node.told(PacketForwarded)[0].ttl == 63


@pytest.mark.parametrize(
    "sent",
    [ping(destination=FAR), ipv4.build(PEER_IPV4, FAR_IPV4, IpProtocol.UDP, bytes(8))],
    ids=["IPv6", "IPv4"],
)
def test_what_a_link_has_put_behind_a_packet_stays_on_that_link(sent):
    """An Ethernet frame is never shorter than 46 bytes of packet; the header says where the packet ends."""
    node = Dual(mtu=1280)
    (plain,) = node.receive(sent)
    for padding in (1, 18, 1280):
        assert node.receive(sent + bytes(padding)) == [plain]


def test_a_host_forwards_nothing():
    node = Dual(forwards=False)
    assert node.receive(ping(destination=FAR)) == []
    assert node.drops == [DropReason.IP_NOT_LOCAL]


@pytest.mark.parametrize("hop_limit", [0, 1])
def test_the_last_hop_is_reported(hop_limit):
    node = Dual()
    packet = ping(destination=FAR, hop_limit=hop_limit)
    error = complaint(node.receive(packet))
    assert (error.type, error.code, error.quoted) == (Icmpv6Type.TIME_EXCEEDED, 0, packet)
    assert node.drops == [DropReason.IP_TTL]


def test_no_route_is_reported():
    node = Dual()
    error = complaint(node.receive(ping(destination=pack("2001:db8:99::1"))))
    assert (error.type, error.code) == (Icmpv6Type.DESTINATION_UNREACHABLE, UnreachableCode.NO_ROUTE)
    assert node.drops == [DropReason.IP_NO_ROUTE]


def test_a_router_never_cuts_and_says_what_would_fit():
    node = Dual(mtu=1280)
    packet = ping(destination=FAR, size=1400)
    error = complaint(node.receive(packet))
    assert (error.type, error.code, error.mtu) == (Icmpv6Type.PACKET_TOO_BIG, 0, 1280)
    assert error.quoted[8:] == packet[8 : icmpv6.MOST_QUOTED]
    assert node.drops == [DropReason.IP_DF_TOO_BIG]


def test_udp_reaches_bound_ports_only():
    node = Dual()
    node.stack.ports.add(500)
    (arrived,) = node.receive(datagram(500))
    assert isinstance(arrived, DatagramArrived)
    assert (arrived.source, arrived.source_port, arrived.payload) == (PEER, 1000, b"data")
    error = complaint(node.receive(datagram(501)))
    assert (error.type, error.code) == (Icmpv6Type.DESTINATION_UNREACHABLE, UnreachableCode.PORT)
    assert node.drops == [DropReason.PORT_CLOSED]


def test_the_one_who_was_addressed_complains():
    (transmit,) = Dual().receive(datagram(501, destination=ME_WAN))
    assert ipv6.parse(transmit.packet).source == ME_WAN


def test_udp_without_a_checksum_is_refused_and_never_sent():
    node = Dual()
    node.stack.ports.add(500)
    assert node.receive(datagram(500, checksum=False)) == []
    assert node.drops == [DropReason.UDP_CHECKSUM]
    (sent,) = node.stack.send_datagram(None, 4500, PEER, 4500, b"esp", checksum=False)
    assert sent.packet[46:48] != bytes(2)


def test_an_unknown_next_header_is_pointed_at():
    node = Dual()
    error = complaint(node.receive(ESP_PACKET))
    assert error.type == Icmpv6Type.PARAMETER_PROBLEM
    assert (error.code, error.rest) == (ParameterProblemCode.UNKNOWN_NEXT_HEADER, 6)
    behind_options = ipv6.build(
        PEER, ME, IpProtocol.DESTINATION_OPTIONS, bytes((IpProtocol.ICMP, 0, 1, 4, 0, 0, 0, 0)) + b"icmp"
    )
    assert complaint(node.receive(behind_options)).rest == 40
    assert node.drops == [DropReason.PORT_CLOSED] * 2


def test_protocols_reach_whoever_asked_for_them_with_their_offset():
    node = Dual()
    node.stack.protocols.add(IpProtocol.ESP)
    assert node.receive(ESP_PACKET) == [PacketArrived(IpProtocol.ESP, ESP_PACKET, 40)]
    options = bytes((IpProtocol.ESP, 0, 1, 4, 0, 0, 0, 0))
    longer = ipv6.build(PEER, ME, IpProtocol.HOP_BY_HOP, options + bytes(16))
    assert node.receive(longer) == [PacketArrived(IpProtocol.ESP, longer, 48)]
    old = ipv4.build(PEER_IPV4, ME_IPV4, IpProtocol.ESP, bytes(16), options=bytes(8))
    assert node.receive(old) == [PacketArrived(IpProtocol.ESP, old, 28)]


def test_no_next_header_is_nothing_to_complain_about():
    node = Dual()
    assert node.receive(ipv6.build(PEER, ME, IpProtocol.NO_NEXT, b"ignored")) == []
    assert node.drops == [DropReason.PORT_CLOSED]


def test_each_version_has_its_own_icmp():
    node = Dual()
    message = Echo(False, 1, 1, b"").emit(PEER, ME)
    assert complaint(node.receive(ipv6.build(PEER, ME, IpProtocol.ICMP, message))).rest == 6
    (transmit,) = node.receive(ipv4.build(PEER_IPV4, ME_IPV4, IpProtocol.ICMPV6, message))
    assert ipv4.payload(transmit.packet)[:2] == bytes((3, 2))


def test_answers_and_errors_are_handed_up():
    node = Dual()
    reply = Echo(True, 4, 2, b"z").emit(PEER, ME)
    (arrived,) = node.receive(ipv6.build(PEER, ME, IpProtocol.ICMPV6, reply))
    assert arrived == EchoReplyArrived(PEER, 4, 2, b"z")
    error = IcmpError(99, 0, ping())
    (arrived,) = node.receive(ipv6.build(PEER, ME, IpProtocol.ICMPV6, error.emit(PEER, ME)))
    assert arrived == IcmpErrorArrived(PEER, error)


def test_broken_packets_end_with_their_reason():
    good = ping()
    for packet, reason in [
        (good[:39], DropReason.IP_MALFORMED),
        (good[:4] + b"\xff\xff" + good[6:], DropReason.IP_MALFORMED),
        (good[:-1] + b"y", DropReason.ICMP_CHECKSUM),
        (datagram(500)[:-1] + b"!", DropReason.UDP_CHECKSUM),
        (ipv6.build(PEER, ME, IpProtocol.UDP, b"\0\0\0\0\0\x07\0\0"), DropReason.UDP_SHORT),
    ]:
        node = Dual()
        assert node.receive(packet) == []
        assert node.drops == [reason]


@pytest.mark.parametrize(
    "packet",
    [
        ipv6.build(PEER, FAR, 58, IcmpError(1, 0, ping()).emit(PEER, FAR), hop_limit=1),
        ipv6.build(PEER, FAR, 58, icmpv6.UnknownIcmp(Icmpv6Type.REDIRECT, 0).emit(PEER, FAR), hop_limit=1),
        ping(UNSPECIFIED, FAR, hop_limit=1),
        ping(MULTICAST, FAR, hop_limit=1),
        ping(PEER, MULTICAST),
        ping(ME_WAN, FAR, hop_limit=1),
    ],
    ids=["an error", "a redirect", "from nobody", "from many", "for many", "from this node"],
)
def test_nobody_complains_where_that_is_forbidden(packet):
    node = Dual()
    assert node.receive(packet) == []
    assert len(node.drops) == 1


def test_a_node_tells_only_so_many_errors_and_more_later():
    node = Dual()
    sent = [len(node.receive(datagram(501))) for _ in range(Budget.BURST + 3)]
    assert sent == [1] * Budget.BURST + [0] * 3
    assert node.drops.count(DropReason.ICMP_RATE) == 3
    assert len(node.told(PacketOriginated)) == Budget.BURST + 3
    assert len(node.receive(datagram(501), now=SECOND // 10)) == 1
    assert node.receive(datagram(501), now=SECOND // 10) == []
    assert len(node.receive(datagram(501), now=10 * SECOND)) == 1


def test_a_packet_sent_takes_the_address_of_its_own_version():
    node = Dual()
    (sent,) = node.stack.send(None, FAR, IpProtocol.UDP, b"12345678", tos=3)
    assert (sent.interface, sent.next_hop) == ("wan", NEXT_HOP)
    header = ipv6.parse(sent.packet)
    assert (header.source, header.hop_limit, header.traffic_class) == (ME_WAN, 64, 3)
    (sent,) = node.stack.send(None, FAR_IPV4, IpProtocol.UDP, b"12345678")
    assert ipv4.parse(sent.packet).source == pack("192.0.2.1")


def test_a_packet_to_oneself_never_touches_a_link():
    actions = Dual().stack.send(None, ME, IpProtocol.ICMPV6, Echo(False, 1, 1, b"").emit(ME, ME))
    assert actions == [EchoReplyArrived(ME, 1, 1, b"")]


def test_finished_packets_of_both_versions_are_sent_as_they_are():
    node = Dual()
    old = ipv4.build(ME_IPV4, FAR_IPV4, IpProtocol.ESP, bytes(16), identification=7)
    new = ipv6.build(ME, FAR, IpProtocol.ESP, bytes(16))
    for packet in (old, new):
        (sent,) = node.stack.send_packet(packet)
        assert isinstance(sent, Transmit)
        assert sent.packet == packet


def test_routes_of_the_two_versions_do_not_meet():
    table = RouteTable()
    old = Route(Prefix.parse("0.0.0.0/0"), PEER_IPV4, "a")
    new = Route(Prefix.parse("::/0"), PEER, "b")
    close = Route(Prefix.parse("fd00:10::/32"), PEER, "c")
    for route in (old, new, close):
        table.add(route)
    assert table.lookup(FAR_IPV4) is old
    assert table.lookup(FAR) is close
    assert table.lookup(ME_WAN) is new
    assert table.all() == [old, close, new]
