"""Path MTUs that are told, believed, used and forgotten (RFC 1191, RFC 8201)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.actions import IcmpErrorArrived, Transmit
from ipsecsim.stack.events import PacketFragmented, PathMtuLowered
from ipsecsim.stack.icmp import Problem
from ipsecsim.stack.path import Hook
from ipsecsim.stack.path_mtu import LIFETIME, MOST_DESTINATIONS, PathMtuTable
from ipsecsim.wire import icmpv4, icmpv6, ip, ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.dual import FAR, FAR_IPV4, ME, ME_IPV4, ME_WAN, PEER, PEER_IPV4, Dual, complaint

ROUTER, ROUTER_IPV4 = pack("2001:db8:1::2"), pack("192.0.2.2")
OLD_FAR = ipv4.build(ME_IPV4, FAR_IPV4, IpProtocol.UDP, bytes(1400), dont_fragment=True)
NEW_FAR = ipv6.build(ME_WAN, FAR, IpProtocol.UDP, bytes(1400))


def too_big(quoted: bytes, mtu: int) -> bytes:
    """A router's message about a packet."""
    if ip.version(quoted) == 4:
        error = icmpv4.IcmpError(3, 4, quoted[:28], mtu).emit()
        return ipv4.build(ROUTER_IPV4, ME_IPV4, IpProtocol.ICMP, error)
    message = icmpv6.IcmpError(2, 0, quoted[: icmpv6.MOST_QUOTED], mtu).emit(ROUTER, ME_WAN)
    return ipv6.build(ROUTER, ME_WAN, IpProtocol.ICMPV6, message)


@pytest.mark.parametrize(("quoted", "destination"), [(OLD_FAR, FAR_IPV4), (NEW_FAR, FAR)])
def test_a_router_lowers_the_path_mtu_and_time_raises_it(quoted, destination):
    node = Dual()
    assert node.stack.mtu_towards(destination) == 1500
    (arrived,) = node.receive(too_big(quoted, 1300), now=5)
    assert isinstance(arrived, IcmpErrorArrived)
    assert arrived.error.mtu == 1300
    assert node.stack.mtu_towards(destination) == 1300
    assert node.told(PathMtuLowered) == [PathMtuLowered(destination, 1300)]
    node.receive(too_big(quoted, 1350), now=6)  # never more again by a message
    assert node.stack.mtu_towards(destination) == 1300
    assert node.stack.next_deadline() == 5 + LIFETIME
    node.stack.handle_timeout(4 + LIFETIME)
    assert node.stack.mtu_towards(destination) == 1300
    node.stack.handle_timeout(5 + LIFETIME)
    assert node.stack.mtu_towards(destination) == 1500
    assert node.stack.next_deadline() is None


@pytest.mark.parametrize(
    ("quoted", "mtu", "after"),
    [
        (OLD_FAR, 0, 576),  # from a router older than RFC 1191
        (OLD_FAR, 68, 576),
        (NEW_FAR, 1279, 1500),  # RFC 8201 4: discarded
        (NEW_FAR, 1280, 1280),
        (OLD_FAR, 1428, 1500),  # it would have fitted
        (ipv4.build(PEER_IPV4, FAR_IPV4, 17, bytes(1400)), 1300, 1500),  # not ours
        (ipv6.build(PEER, FAR, 17, bytes(1400)), 1300, 1500),
        (OLD_FAR[:19], 1300, 1500),
        (NEW_FAR[:39], 1300, 1500),
    ],
)
def test_no_message_is_believed_blindly(quoted, mtu, after):
    node = Dual()
    node.receive(too_big(quoted, mtu))
    assert node.stack.mtu_towards(FAR_IPV4 if ip.version(quoted) == 4 else FAR) == after


def test_packets_of_this_node_are_cut_to_the_path_and_forwarded_ones_are_not():
    node = Dual()
    for quoted in (OLD_FAR, NEW_FAR):
        node.receive(too_big(quoted, 1300))
    for destination in (FAR, FAR_IPV4):
        sent = node.stack.send(None, destination, IpProtocol.UDP, bytes(1400))
        assert [len(each.packet) <= 1300 for each in sent] == [True, True]
    assert node.told(PacketFragmented) == [PacketFragmented(2, 1300, 6), PacketFragmented(2, 1300, 4)]
    through = ipv6.build(PEER, FAR, IpProtocol.UDP, bytes(1400))
    (passed,) = node.receive(through)
    assert len(passed.packet) == len(through)


@pytest.mark.parametrize("destination", [FAR, FAR_IPV4])
def test_a_packet_that_is_to_stay_whole_is_refused_and_its_sender_told(destination):
    node = Dual()
    for quoted in (OLD_FAR, NEW_FAR):
        node.receive(too_big(quoted, 1300))
    (told,) = node.stack.send(None, destination, IpProtocol.UDP, bytes(1400), dont_fragment=True)
    assert isinstance(told, IcmpErrorArrived)
    assert told.source == node.stack.address_towards(destination)
    assert told.error.mtu == 1300
    assert node.drops == [DropReason.IP_DF_TOO_BIG]


def test_a_packet_that_has_no_way_out_is_told_to_its_sender():
    node = Dual()
    (told,) = node.stack.send(ME, pack("2001:db8:99::1"), IpProtocol.UDP, b"12345678")
    assert (told.source, told.error.type, told.error.code) == (ME, 1, 0)
    assert node.drops == [DropReason.IP_NO_ROUTE]


def test_what_a_hook_reports_goes_to_the_source_by_icmp():
    node = Dual()
    through = ipv6.build(PEER, FAR, IpProtocol.UDP, bytes(1400))
    error = complaint(node.stack.report_error(through, Problem.TOO_BIG, 0, mtu=1400))
    assert (error.type, error.mtu) == (2, 1400)
    error = complaint(node.stack.report_error(through, Problem.PROHIBITED, 0))
    assert (error.type, error.code) == (1, 1)
    old = ipv4.build(PEER_IPV4, FAR_IPV4, IpProtocol.UDP, bytes(1400), dont_fragment=True)
    (sent,) = node.stack.report_error(old, Problem.PROHIBITED, 0)
    assert ipv4.payload(sent.packet)[:2] == bytes((3, 13))


@pytest.mark.parametrize("own", [OLD_FAR, NEW_FAR])
def test_what_a_hook_reports_about_packets_of_this_node_stays_here(own):
    """The tunnel takes 1338 bytes where the path takes 1500: only what goes through the tunnel is cut to that."""
    node = Dual()
    destination = ip.destination(own)
    seen: list[int] = []

    def tunnel(packet, passage):
        if not passage.exempt:
            seen.append(len(packet))
        return packet

    node.stack.hooks.add(Hook.POSTROUTING, tunnel)
    (told,) = node.stack.report_error(own, Problem.TOO_BIG, 0, mtu=1338)
    assert isinstance(told, IcmpErrorArrived)
    assert told.error.mtu == 1338
    assert node.stack.mtu_towards(destination) == 1500
    sent = node.stack.send(None, destination, IpProtocol.UDP, bytes(1400))
    assert len(seen) == len(sent) == 2
    assert max(seen) <= 1338
    (outer,) = node.stack.send(None, destination, IpProtocol.ESP, bytes(1440), exempt=True)
    assert isinstance(outer, Transmit)
    (refused,) = node.stack.send(None, destination, IpProtocol.UDP, bytes(1400), dont_fragment=True)
    assert refused.error.mtu == 1338


def test_without_a_route_nothing_limits():
    assert Dual().stack.mtu_towards(pack("2001:db8:99::1")) == 0xFFFF


def test_the_table_is_bounded_and_forgets_the_oldest():
    table = PathMtuTable()
    destinations = [(number + 1).to_bytes(4, "big") for number in range(MOST_DESTINATIONS + 1)]
    for at, destination in enumerate(destinations):
        table.lower(destination, 1400, at)
    assert table.get(destinations[0]) is None
    assert table.get(destinations[1]) == 1400
    table.lower(destinations[1], 1300, 9999)
    assert table.get(destinations[1]) == 1300
    assert table.next_deadline() == 2 + LIFETIME
