"""ICMP errors through SAs that do not list them, and what a sender hears of a boundary (RFC 4301 5.1.1, 6.2)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.actions import Complaint, ReportError, SendPacket
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.holding import HOLD_TIME
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import ANY_PORT, Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.wire import esp, icmpv6, ipv4, ipv6
from ipsecsim.wire.icmpv4 import IcmpError
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import ALICE, BOB, NETS, World, mirrored, packet, parameters, with_ports

PROTECT, BYPASS, DISCARD = PolicyAction.PROTECT, PolicyAction.BYPASS, PolicyAction.DISCARD
TCP = IpProtocol.TCP
WEB = (Selector(NETS[0].local, NETS[0].remote, TCP, (80, 80), ANY_PORT),)
EVERYWHERE = (bytes(4), b"\xff" * 4)
REST = Policy("rest", DISCARD, (Selector(EVERYWHERE, EVERYWHERE),))
ROUTER = pack("10.1.0.1")
TOO_BIG = (3, 4)


def error(quoted: bytes, source=ROUTER, destination=BOB, kind=TOO_BIG, shown: int = 28) -> bytes:
    """What a router behind west sends about a packet that bob sent."""
    message = IcmpError(*kind, quoted[:shown], 1300).emit()
    return ipv4.build(source, destination, IpProtocol.ICMP, message)


def from_bob(port: int = 80, source=BOB, destination=ALICE, **options) -> bytes:
    return with_ports(40000, port, TCP, bytes(1400), source=source, destination=destination, **options)


def web(*rules: Policy, **changes) -> World:
    """A tunnel for alice's web server only."""
    return World(rules=[Policy("net", PROTECT, WEB), *rules], selectors=WEB, **changes)


# -- out ---------------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-49")
@pytest.mark.parametrize("rules", [(), (REST,)], ids=["no rule", "a last one for all"])
def test_an_error_goes_with_the_traffic_that_answers_what_it_is_about(rules):
    world = web(*rules)
    assert world.carry(error(from_bob())) == [error(from_bob())]
    assert world.drops == []


@pytest.mark.conf("ARC-49")
@pytest.mark.parametrize(
    "about",
    [
        from_bob(port=81),
        from_bob(source=pack("10.2.9.9")),
        ipv4.build(BOB, ALICE, IpProtocol.UDP, bytes(100)),
        from_bob(fragment_offset=800),  # its ports are elsewhere
        from_bob()[:19],
        b"",
    ],
)
def test_an_error_about_other_traffic_is_not_sent(about):
    world = web()
    assert world.west.outbound(error(about), 0) == []
    assert world.drops == [DropReason.SPD_NO_MATCH]
    assert world.west.held == 0


@pytest.mark.conf("ARC-49")
def test_no_sa_is_made_for_the_sake_of_an_error():
    events: list = []
    engine = IpsecEngine([Policy("net", PROTECT, WEB)], events.append)
    assert engine.outbound(error(from_bob()), 0) == []
    assert engine.held == 0
    assert events[-1].reason is DropReason.SPD_NO_MATCH


def test_an_error_goes_to_nobody_but_the_sender_of_what_it_quotes():
    world = web()
    assert world.west.outbound(error(from_bob(), destination=pack("10.2.0.77")), 0) == []
    assert world.drops == [DropReason.SPD_NO_MATCH]


@pytest.mark.conf("ARC-49")
def test_a_rule_about_icmp_itself_decides():
    no_icmp = Policy("no icmp", DISCARD, (Selector(EVERYWHERE, EVERYWHERE, 1),))
    world = web(no_icmp)
    assert world.west.outbound(error(from_bob()), 0) == []
    assert world.drops == [DropReason.SPD_DISCARD]
    clear = web(Policy("icmp", BYPASS, no_icmp.selectors))
    assert clear.west.outbound(error(from_bob()), 0) is None


def test_transport_mode_takes_no_error_of_somebody_else():
    """It is for what its own ends send, and a router's error is not alice's."""
    world = web(mode=Mode.TRANSPORT)
    assert world.west.outbound(error(from_bob()), 0) == []
    assert world.drops == [DropReason.SPD_NO_MATCH]
    (sent,) = world.west.outbound(error(from_bob(), source=ALICE), 0)
    assert isinstance(sent, SendPacket)


@pytest.mark.conf("ARC-36")
def test_a_ping_does_not_go_with_other_traffic():
    world = web()
    assert world.west.outbound(packet(data=bytes([8, 0, 0, 0]) + from_bob()[:60]), 0) == []
    assert world.drops == [DropReason.SPD_NO_MATCH]


@pytest.mark.conf("ARC-49", "ARC-35")
def test_in_ipv6_it_is_the_same():
    alice, bob, router = pack("fd00:1::2"), pack("fd00:2::2"), pack("fd00:1::1")
    row = (Selector((alice, alice), (bob, bob), TCP, (80, 80)),)
    world = World(rules=[Policy("net", PROTECT, row)], selectors=row)
    ports = (40000).to_bytes(2, "big") + (80).to_bytes(2, "big")
    quoted = ipv6.build(bob, alice, TCP, ports + bytes(1400))
    message = icmpv6.IcmpError(2, 0, quoted[:1200], 1280).emit(router, bob)
    told = ipv6.build(router, bob, IpProtocol.ICMPV6, message)
    assert world.carry(told) == [told]
    other = ipv6.build(bob, alice, TCP, ports[:2] + bytes(1400))
    message = icmpv6.IcmpError(2, 0, other[:1200], 1280).emit(router, bob)
    assert world.west.outbound(ipv6.build(router, bob, IpProtocol.ICMPV6, message), 0) == []


# -- in ----------------------------------------------------------------------------------------------


def sealed(world: World, inner: bytes, sequence: int = 1) -> list:
    """What east does with any packet that west's end of the SA may seal."""
    return world.receive(world.reseal(inner + esp.trailer(len(inner), 4, IpProtocol.IPV4), sequence))


@pytest.mark.conf("ARC-35")
def test_an_inbound_error_is_judged_by_what_it_quotes():
    world = web()
    assert len(sealed(world, error(from_bob()))) == 1
    assert sealed(world, error(from_bob(port=81)), 2) == []  # a forged one about a foreign flow
    assert sealed(world, error(from_bob(source=pack("10.2.0.99")), destination=BOB), 3) == []
    assert sealed(world, error(from_bob(), destination=pack("10.9.9.9")), 4) == []
    assert sealed(world, error(b"E"), 5) == []
    assert world.drops == [DropReason.ICMP_PAYLOAD_MISMATCH] * 4
    assert len(sealed(world, error(from_bob()), 6)) == 1  # and a good one is not remembered for bad ones


@pytest.mark.conf("ARC-35")
def test_an_sa_that_lists_icmp_does_not_look_inside():
    both = (*WEB, Selector(NETS[0].local, NETS[0].remote, 1))
    world = World(rules=[Policy("net", PROTECT, both)], selectors=both)
    foreign = error(from_bob(source=pack("203.0.113.5")))
    assert world.carry(foreign) == [foreign]
    assert world.drops == []


@pytest.mark.conf("ARC-35")
def test_what_is_no_error_has_a_selector_that_does_not_fit():
    world = web()
    assert sealed(world, packet(data=bytes([8, 0, 0, 0]) + from_bob()[:60])) == []
    assert world.drops == [DropReason.SA_SELECTOR_MISMATCH]


@pytest.mark.conf("ARC-35", "ARC-51")
def test_the_rules_are_asked_about_the_traffic_that_an_error_belongs_to():
    world = web()
    world.east.spd.replace([Policy("no", DISCARD, mirrored(WEB)), Policy("net", PROTECT, mirrored(WEB))])
    assert sealed(world, error(from_bob())) == []
    assert world.drops == [DropReason.SA_SELECTOR_MISMATCH]


# -- answers -----------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-50")
@pytest.mark.parametrize("rules", [[], [REST]], ids=["no rule", "discard"])
def test_whoever_is_not_let_out_may_be_told(rules):
    silent = IpsecEngine(rules)
    assert silent.outbound(packet(), 0) == []
    telling = IpsecEngine(rules, settings=Settings(answers_discards=True))
    assert telling.outbound(packet(), 0) == [ReportError(packet(), Complaint.PROHIBITED)]


@pytest.mark.conf("ARC-50")
@pytest.mark.parametrize(
    ("reached", "complaint"), [(True, Complaint.PROHIBITED), (False, Complaint.UNREACHABLE)]
)
def test_whoever_waited_in_vain_may_be_told_why(reached, complaint):
    engine = IpsecEngine([Policy("net", PROTECT, NETS)], settings=Settings(answers_discards=True))
    engine.outbound(packet(), 0)
    assert engine.give_up("net", reached=reached) == [ReportError(packet(), complaint)]
    engine.outbound(packet(), SECOND)
    assert engine.handle_timeout(SECOND + HOLD_TIME) == [ReportError(packet(), Complaint.UNREACHABLE)]
    engine.outbound(packet(), 0)
    (sent,) = engine.install(parameters(Direction.OUTBOUND), 0)
    assert isinstance(sent, SendPacket)
