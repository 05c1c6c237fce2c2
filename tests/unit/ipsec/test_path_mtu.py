"""Packets that are too long for their path once protected, and the ICMP errors that say so (RFC 4301 6.1, 8)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.actions import Complaint, ReportError, SendDatagram, SendPacket
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import SaPathMtuLowered
from ipsecsim.ipsec.outbound import protected_length
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.ipsec.surroundings import Nowhere
from ipsecsim.ipsec.tunnel import OuterDontFragment
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.icmpv4 import IcmpError, IcmpType
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import ALICE, BOB, EAST, NETS, WEST, World, packet

SUITES = ["aes256gcm16", "chacha20poly1305", "aes128-sha256", "aes256-sha512", "ah-sha256", "ah-sha512"]
V6_WEST, V6_EAST = pack("2001:db8::1"), pack("2001:db8::2")
V6_ALICE, V6_BOB = pack("fd00:1::2"), pack("fd00:2::2")
V6_NETS = (Selector((V6_ALICE,) * 2, (V6_BOB,) * 2),)


def sized(length: int, **options) -> bytes:
    """An inner IPv4 packet of so many bytes."""
    return packet(data=bytes(length - ipv4.HEADER_LENGTH), **options)


def sized6(length: int) -> bytes:
    return ipv6.build(V6_ALICE, V6_BOB, IpProtocol.UDP, bytes(length - ipv6.HEADER_LENGTH))


def v6_world(outer: int, **options) -> World:
    ends = {"source": V6_WEST, "destination": V6_EAST} if outer == 6 else {}
    rules = [Policy("net", PolicyAction.PROTECT, V6_NETS)]
    return World(rules=rules, selectors=V6_NETS, **ends, **options)


def on_the_wire(action) -> int:
    """Bytes of the IP packet that an action becomes."""
    if isinstance(action, SendDatagram):
        return ipv4.HEADER_LENGTH + udp.HEADER_LENGTH + len(action.payload)
    return len(action.packet)


def too_big(world: World, sealed: bytes, mtu: int, now: int = 0) -> None:
    """A router could not pass on what west sent, and quotes as little as it may."""
    world.west.packet_too_big(sealed[: ipv4.HEADER_LENGTH + 8], mtu, now)


# -- what fits ----------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-31")
@pytest.mark.parametrize("words", SUITES)
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("mtu", [1500, 1400, 1300, 1299, 1298, 1297, 576])
def test_the_reported_mtu_is_exact(words, mode, mtu):
    """A packet of just that length fits, one byte more does not."""
    world = World(words, mtu=mtu, mode=mode)
    (report,) = world.west.outbound(sized(mtu, dont_fragment=True), 0)
    assert isinstance(report, ReportError)
    assert (report.complaint, report.packet) == (Complaint.TOO_BIG, sized(mtu, dont_fragment=True))
    (sent,) = world.west.outbound(sized(report.mtu, dont_fragment=True), 0)
    assert on_the_wire(sent) <= mtu
    (again,) = world.west.outbound(sized(report.mtu + 1, dont_fragment=True), 0)
    refused = sized(report.mtu + 1, dont_fragment=True)
    assert again == ReportError(refused, Complaint.TOO_BIG, report.mtu, takes_fragments=mode is Mode.TUNNEL)
    assert protected_length(world.west.sad.all()[0], sized(report.mtu + 1)) > mtu
    assert world.drops == [DropReason.IP_DF_TOO_BIG] * 2


@pytest.mark.conf("ARC-31")
def test_udp_around_esp_counts():
    world = World(mtu=1400, udp_ports=(4500, 4500))
    (report,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    (sent,) = world.west.outbound(sized(report.mtu, dont_fragment=True), 0)
    assert 1400 - 4 < on_the_wire(sent) <= 1400


def test_transport_mode_counts_the_header_that_the_packet_has():
    """With options the payload is shorter, and so is its padding, by another number of bytes."""
    world = World(mtu=1300, mode=Mode.TRANSPORT)
    options = bytes([1] * 40)
    for length in range(1240, 1300):
        data = bytes(length - ipv4.HEADER_LENGTH - len(options))
        data = ipv4.build(ALICE, BOB, IpProtocol.ICMP, data, options=options, dont_fragment=True)
        (action,) = world.west.outbound(data, 0)
        fits = protected_length(world.west.sad.all()[0], data) <= 1300
        assert isinstance(action, SendPacket if fits else ReportError), length


# -- IPv4 without DF ---------------------------------------------------------------------------------


@pytest.mark.conf("ARC-48")
def test_a_packet_that_may_be_cut_is_cut_before_and_nobody_is_told():
    world = World(mtu=1300)
    sent = world.west.outbound(sized(2900), 0)
    assert [type(action) for action in sent] == [SendPacket] * 3
    assert all(on_the_wire(action) <= 1300 for action in sent)
    assert world.drops == []
    pieces = world.arrive([action.packet for action in sent])
    assert all(ip.is_fragment(piece) for piece in pieces)
    assert b"".join(map(ipv4.payload, pieces)) == ipv4.payload(sized(2900))


@pytest.mark.conf("ARC-48")
@pytest.mark.parametrize("dont_fragment", [OuterDontFragment.COPY, OuterDontFragment.CLEAR])
def test_or_afterwards_when_the_sa_says_so(dont_fragment):
    world = World(mtu=1300, fragment_first=False, dont_fragment=dont_fragment)
    (sent,) = world.west.outbound(sized(2900), 0)
    assert on_the_wire(sent) > 2900
    assert ip.may_be_fragmented_on_the_way(sent.packet)
    assert world.stack.cuts == 0
    assert world.arrive([sent.packet]) == [sized(2900)]


def test_with_df_set_outside_there_is_only_before():
    world = World(mtu=1300, fragment_first=False, dont_fragment=OuterDontFragment.SET)
    assert len(world.west.outbound(sized(2900), 0)) == 3


@pytest.mark.conf("ARC-48", "ARC-53")
def test_transport_mode_and_sas_with_ports_are_cut_afterwards():
    """The one carries no fragments, the other finds no ports in them."""
    for options in (
        {"mode": Mode.TRANSPORT},
        {"selectors": (Selector(NETS[0].local, NETS[0].remote, 1, (0, 0), (0, 0)),)},
    ):
        world = World(mtu=1300, **options)
        (sent,) = world.west.outbound(sized(1400), 0)
        assert on_the_wire(sent) > 1300
        assert world.arrive([sent.packet]) == [sized(1400)]


# -- IPv6 --------------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-31")
@pytest.mark.parametrize("outer", [4, 6])
def test_an_ipv6_packet_is_refused_and_its_source_told(outer):
    world = v6_world(outer, mtu=1400)
    (report,) = world.west.outbound(sized6(1400), 0)
    assert report.complaint is Complaint.TOO_BIG
    (sent,) = world.west.outbound(sized6(report.mtu), 0)
    assert 1400 - 4 < on_the_wire(sent) <= 1400
    assert world.drops == [DropReason.IP_DF_TOO_BIG]


@pytest.mark.parametrize("outer", [4, 6])
def test_what_every_ipv6_link_takes_gets_through_a_smaller_path_in_pieces(outer):
    """Nobody may be told an MTU below 1280 (RFC 8200 5), so the outside is cut."""
    world = v6_world(outer, mtu=1300)
    (report,) = world.west.outbound(sized6(1281), 0)
    assert report.mtu == ipv6.MINIMUM_MTU
    (sent,) = world.west.outbound(sized6(1280), 0)
    assert on_the_wire(sent) > 1300
    assert outer == 6 or ip.may_be_fragmented_on_the_way(sent.packet)
    ip.check(sent.packet)
    assert world.arrive([sent.packet]) == [sized6(1280)]


def test_ah_does_not_mind_that_df_is_cleared_behind_its_back():
    world = v6_world(4, words="ah-sha256", mtu=1300)
    (sent,) = world.west.outbound(sized6(1280), 0)
    assert ip.may_be_fragmented_on_the_way(sent.packet)
    assert world.arrive([sent.packet]) == [sized6(1280)]


def test_in_transport_mode_the_source_itself_cuts_its_ipv6_packet_afterwards():
    ends = {"source": V6_WEST, "destination": V6_EAST}
    both = (Selector((V6_WEST,) * 2, (V6_EAST,) * 2),)
    rules = [Policy("net", PolicyAction.PROTECT, both)]
    world = World(rules=rules, selectors=both, mode=Mode.TRANSPORT, mtu=1500, **ends)
    long = ipv6.build(V6_WEST, V6_EAST, IpProtocol.UDP, bytes(3000))
    (sent,) = world.west.outbound(long, 0)
    assert on_the_wire(sent) > 3000
    assert world.arrive([sent.packet]) == [long]


# -- 64 KiB ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", SUITES)
@pytest.mark.parametrize("length", [65535, 65534, 65500])
def test_a_packet_near_the_largest_is_cut_or_refused_and_never_wraps(words, length):
    """CVE-2022-27666: a payload near 64 KiB, and the overhead on top of it."""
    world = World(words)
    assert [r.complaint for r in world.west.outbound(sized(length, dont_fragment=True), 0)] == [
        Complaint.TOO_BIG
    ]
    assert world.drops == [DropReason.TOO_BIG]
    sent = world.west.outbound(sized(length), 0)
    assert [type(action) for action in sent] == [SendPacket] * 2
    assert world.drops == [DropReason.TOO_BIG]


def test_a_packet_near_the_largest_has_no_way_in_transport_mode():
    world = World(mode=Mode.TRANSPORT)
    assert world.west.outbound(sized(65535), 0) == []
    assert world.drops == [DropReason.TOO_BIG]


def test_without_anybody_to_cut_it_a_long_packet_is_dropped():
    world = World()
    world.stack.cut = Nowhere().cut
    assert world.west.outbound(sized(65535), 0) == []
    assert world.drops == [DropReason.TOO_BIG]


# -- what routers tell --------------------------------------------------------------------------------


@pytest.mark.conf("ARC-31")
@pytest.mark.parametrize("words", ["aes256gcm16", "ah-sha256"])
def test_an_error_is_mapped_to_its_sa_by_what_it_quotes(words):
    world = World(words)
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, sent.packet, 1300)
    (report,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    assert report.mtu == world.told(SaPathMtuLowered)[0].inner
    assert [event.mtu for event in world.told(SaPathMtuLowered)] == [1300]
    (sent,) = world.west.outbound(sized(report.mtu, dont_fragment=True), 0)
    assert on_the_wire(sent) <= 1300


@pytest.mark.conf("ARC-31")
def test_an_error_about_esp_in_udp_is_mapped_by_its_ports():
    world = World(udp_ports=(4500, 61000))
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    segment = udp.build(WEST, EAST, 4500, 61000, sent.payload)
    datagram = ipv4.build(WEST, EAST, IpProtocol.UDP, segment, dont_fragment=True)
    too_big(world, ipv4.build(WEST, EAST, IpProtocol.UDP, udp.build(WEST, EAST, 4500, 61001, b"....")), 1200)
    assert world.told(SaPathMtuLowered) == []
    too_big(world, datagram, 1300)
    assert [event.mtu for event in world.told(SaPathMtuLowered)] == [1300]


@pytest.mark.conf("ARC-31")
def test_an_icmpv6_error_counts_too():
    world = v6_world(6)
    (sent,) = world.west.outbound(sized6(1400), 0)
    world.west.packet_too_big(sent.packet[:200], 1400, 0)
    (report,) = world.west.outbound(sized6(1400), 0)
    assert report.mtu == world.told(SaPathMtuLowered)[0].inner < 1400


def _changed(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


@pytest.mark.conf("ARC-33")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: _changed(sealed, 20),  # another SPI
        lambda sealed: _changed(sealed, 15),  # another source
        lambda sealed: _changed(sealed, 19),  # another destination
        lambda sealed: _changed(sealed, 9),  # AH instead of ESP
        lambda sealed: sealed[:20],
        lambda sealed: sealed[:10],
        lambda sealed: b"",
        lambda sealed: bytes([0x4F]) + sealed[1:],
        lambda sealed: sealed[:6] + b"\0\x10" + sealed[8:],  # a later fragment
    ],
)
def test_an_error_that_quotes_nothing_of_ours_changes_nothing(spoil):
    world = World()
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, spoil(sent.packet), 1300)
    assert world.told(SaPathMtuLowered) == []
    assert len(world.west.outbound(sized(1400, dont_fragment=True), 0)) == 1


@pytest.mark.conf("ARC-33", "ARC-34")
@pytest.mark.parametrize("mtu", [0, 68, 575])
def test_a_false_mtu_does_not_make_packets_tiny(mtu):
    world = World()
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, sent.packet, mtu)
    assert [event.mtu for event in world.told(SaPathMtuLowered)] == [576]
    assert len(world.west.sad.all()) == 1
    too_big(world, sent.packet, 1000)  # never raised by a message
    assert [sa.path_mtu for sa in world.west.sad.all()] == [576]


@pytest.mark.conf("ARC-34")
def test_below_1280_an_icmpv6_error_says_nothing():
    world = v6_world(6)
    (sent,) = world.west.outbound(sized6(1400), 0)
    world.west.packet_too_big(sent.packet[:200], 1279, 0)
    assert world.told(SaPathMtuLowered) == []


@pytest.mark.conf("ARC-32")
def test_after_ten_minutes_larger_packets_are_tried_again():
    world = World()
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, sent.packet, 1300, now=SECOND)
    assert world.west.next_deadline() == 601 * SECOND
    world.west.handle_timeout(601 * SECOND - 1)
    assert isinstance(world.west.outbound(sized(1400, dont_fragment=True), 0)[0], ReportError)
    world.west.handle_timeout(601 * SECOND)
    assert isinstance(world.west.outbound(sized(1400, dont_fragment=True), 0)[0], SendPacket)
    assert world.west.next_deadline() is None


@pytest.mark.conf("ARC-32")
def test_the_time_can_be_set():
    world = World(settings=Settings(path_mtu_lifetime=SECOND))
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, sent.packet, 1300)
    assert world.west.next_deadline() == SECOND


def test_what_the_host_learns_counts_without_delay():
    world = World(mtu=1500)
    assert len(world.carry(sized(1400, dont_fragment=True))) == 1
    world.stack.mtu = 1300
    (sent,) = world.west.outbound(sized(1400, dont_fragment=True), 0)
    too_big(world, sent.packet, 1300)
    assert isinstance(world.west.outbound(sized(1400, dont_fragment=True), 0)[0], ReportError)
    world.stack.mtu = 1500
    world.west.handle_timeout(600 * SECOND)
    assert isinstance(world.west.outbound(sized(1400, dont_fragment=True), 0)[0], SendPacket)


# -- which errors are believed ------------------------------------------------------------------------


def error(kind: int, code: int = 0) -> bytes:
    quoted = ipv4.build(WEST, EAST, IpProtocol.ESP, bytes(8))
    return ipv4.build(pack("198.51.100.7"), WEST, IpProtocol.ICMP, IcmpError(kind, code, quoted, 1300).emit())


@pytest.mark.conf("ARC-33")
def test_each_type_can_be_refused_and_routing_advice_is():
    kinds = [IcmpType.DESTINATION_UNREACHABLE, IcmpType.TIME_EXCEEDED, IcmpType.PARAMETER_PROBLEM]
    world = World()
    assert [world.west.inbound_error(error(kind)) for kind in kinds] == [True] * 3
    assert not world.west.inbound_error(error(IcmpType.REDIRECT))
    assert not world.west.inbound_error(error(IcmpType.SOURCE_QUENCH))
    assert world.drops == [DropReason.ICMP_POLICY] * 2
    strict = World(settings=Settings(refused_icmp=frozenset([(1, 3, 4), (1, 11), (58, 2)])))
    assert strict.west.inbound_error(error(3, code=3))
    assert not strict.west.inbound_error(error(3, code=4))
    assert not strict.west.inbound_error(error(11, code=0))
    assert not strict.west.inbound_error(error(11, code=1))
    v6 = ipv6.build(V6_EAST, V6_WEST, IpProtocol.ICMPV6, bytes([2, 0]) + bytes(60))
    assert not strict.west.inbound_error(v6)
    assert world.west.inbound_error(v6)


def test_what_is_no_icmp_error_is_left_to_the_rules():
    world = World()
    echo = packet(data=bytes([8, 0, 0, 0, 0, 0, 0, 0]))
    assert world.west.inbound_error(echo) is None
    assert world.west.inbound_error(packet(data=bytes([3, 4]))) is None
    assert world.west.inbound_error(ipv4.build(EAST, WEST, IpProtocol.UDP, bytes(8))) is None
    later = ipv4.build(EAST, WEST, IpProtocol.ICMP, bytes([3, 4]) + bytes(30), fragment_offset=8)
    assert world.west.inbound_error(later) is None
