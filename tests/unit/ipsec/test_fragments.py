"""Plaintext fragments at the boundary: which rule or SA is theirs when the ports are elsewhere (RFC 4301 7)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.actions import Acquire
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.fragment_ports import MOST_PACKETS, TIMEOUT
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import ANY_PORT, OPAQUE_PORT, Selector
from ipsecsim.wire import esp, ipv6
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import ALICE, BOB, NETS, World, mirrored, with_ports

PROTECT, BYPASS, DISCARD = PolicyAction.PROTECT, PolicyAction.BYPASS, PolicyAction.DISCARD
UDP, TCP = IpProtocol.UDP, IpProtocol.TCP


def row(port: tuple[int, int] = ANY_PORT, protocol: int = UDP) -> Selector:
    """Traffic of the two nets with this port at the far end."""
    return Selector(NETS[0].local, NETS[0].remote, protocol, ANY_PORT, port)


def first(port: int, identification: int = 7, protocol: int = UDP, **ends) -> bytes:
    return with_ports(
        1000, port, protocol, bytes(20), identification=identification, more_fragments=True, **ends
    )


def later(identification: int = 7, offset: int = 24, protocol: int = UDP, **ends) -> bytes:
    return with_ports(0, 0, protocol, bytes(8), identification=identification, fragment_offset=offset, **ends)


class Boundary:
    """One engine with some rules."""

    def __init__(self, *rules: Policy) -> None:
        self.events: list = []
        self.engine = IpsecEngine(rules, self.events.append)

    def leaves(self, packet: bytes, now: int = 0) -> str:
        """'clear', 'asks' for an SA, or the reason why not."""
        self.events.clear()
        actions = self.engine.outbound(packet, now)
        if actions is None:
            return "clear"
        if any(isinstance(action, Acquire) for action in actions) or not self.reasons:
            return "asks"
        return self.reasons[0].name

    def arrives(self, packet: bytes, now: int = 0) -> str:
        """'clear', or the reason why not."""
        self.events.clear()
        return "clear" if self.engine.inbound_clear(packet, now) else self.reasons[0].name

    @property
    def reasons(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]


# -- rules -------------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-07")
@pytest.mark.parametrize("protocol", [UDP, TCP, IpProtocol.ICMP])
def test_a_later_fragment_towards_a_rule_with_ports_has_no_ports(protocol):
    boundary = Boundary(
        Policy("port", PROTECT, (row((53, 53), protocol),)), Policy("rest", BYPASS, (row(protocol=0),))
    )
    assert boundary.leaves(later(protocol=protocol)) == "FRAG_NO_PORTS"


def test_what_may_be_of_a_discarded_packet_does_not_slip_through():
    boundary = Boundary(Policy("port", DISCARD, (row((53, 53)),)), Policy("rest", BYPASS, (row(),)))
    assert boundary.leaves(first(80)) == "clear"
    assert boundary.leaves(later()) == "clear"
    assert boundary.leaves(later(identification=8)) == "FRAG_NO_PORTS"
    assert boundary.leaves(first(53, identification=9)) == "SPD_DISCARD"
    assert boundary.leaves(later(identification=9)) == "SPD_DISCARD"


@pytest.mark.conf("ARC-40")
def test_a_bypass_rule_with_ports_lets_a_later_fragment_follow_its_first_one():
    boundary = Boundary(Policy("dns", BYPASS, (row((53, 53)),)), Policy("net", PROTECT, NETS))
    assert boundary.leaves(first(53)) == "clear"
    assert boundary.leaves(later()) == "clear"
    assert boundary.leaves(first(80, identification=8)) == "asks"
    assert boundary.leaves(later(identification=8)) == "asks"


@pytest.mark.conf("ARC-40")
def test_the_same_holds_for_what_arrives_and_each_direction_has_its_own_memory():
    boundary = Boundary(Policy("dns", BYPASS, mirrored((row((53, 53)),))))
    assert boundary.arrives(later()) == "FRAG_NO_PORTS"
    assert boundary.arrives(first(53)) == "clear"
    assert boundary.arrives(later()) == "clear"
    assert boundary.leaves(later(source=BOB, destination=ALICE)) == "FRAG_NO_PORTS"


def test_out_of_order_a_fragment_takes_the_rule_that_is_no_hole():
    """It may be of a packet for the first rule; protecting it as well harms nobody."""
    boundary = Boundary(Policy("dns", BYPASS, (row((53, 53)),)), Policy("net", PROTECT, NETS))
    assert boundary.leaves(later()) == "asks"
    assert Boundary(Policy("dns", BYPASS, (row((53, 53)),))).leaves(later()) == "FRAG_NO_PORTS"


@pytest.mark.conf("ARC-40")
def test_half_datagrams_fill_no_memory_and_time_out():
    boundary = Boundary(Policy("dns", BYPASS, (row((53, 53)),)))
    memory = boundary.engine.spd.fragments[Direction.OUTBOUND]
    for number in range(MOST_PACKETS + 10):
        boundary.leaves(first(53, identification=number))
    assert len(memory) == MOST_PACKETS
    assert boundary.leaves(later(identification=5)) == "FRAG_NO_PORTS"
    assert boundary.leaves(later(identification=20), TIMEOUT - 1) == "clear"
    assert boundary.leaves(later(identification=20), TIMEOUT) == "FRAG_NO_PORTS"
    assert len(memory) == 0


def test_rules_without_ports_make_nobody_remember_anything():
    boundary = Boundary(Policy("net", BYPASS, NETS))
    assert boundary.leaves(first(53)) == "clear"
    assert boundary.leaves(later()) == "clear"
    assert len(boundary.engine.spd.fragments[Direction.OUTBOUND]) == 0


def test_an_ipv6_fragment_may_hide_even_its_protocol():
    ends = (pack("2001:db8::1"), pack("2001:db8::2"))

    def piece(offset: int, data: bytes) -> bytes:
        fields = FragmentFields(IpProtocol.DESTINATION_OPTIONS, offset, not offset, 77)
        return ipv6.build(*ends, IpProtocol.FRAGMENT, ipv6.fragment_header(fields) + data)

    options = bytes([UDP, 0, 1, 4, 0, 0, 0, 0])
    port = (53).to_bytes(2, "big")
    web = Selector((ends[0],) * 2, (ends[1],) * 2, TCP)
    dns = Selector((ends[0],) * 2, (ends[1],) * 2, UDP, ANY_PORT, (53, 53))
    boundary = Boundary(Policy("web", DISCARD, (web,)), Policy("dns", BYPASS, (dns,)))
    assert boundary.leaves(piece(16, bytes(8))) == "FRAG_NO_PORTS"
    assert boundary.leaves(piece(0, options + port + port + bytes(4))) == "clear"
    assert boundary.leaves(piece(16, bytes(8))) == "clear"


# -- SAs ---------------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-37")
def test_a_tunnel_for_any_port_carries_all_fragments():
    world = World()
    for piece in (first(53), later(), first(53, protocol=TCP), later(protocol=TCP)):
        assert world.carry(piece) == [piece]
    assert world.drops == []


@pytest.mark.conf("ARC-53")
@pytest.mark.parametrize("piece", [first(53), later()], ids=["first", "later"])
def test_a_fragment_is_not_put_into_transport_mode(piece):
    world = World(mode=Mode.TRANSPORT, selectors=NETS)
    assert world.west.outbound(piece, 0) == []
    assert world.drops == [DropReason.MODE_MISMATCH]


@pytest.mark.conf("ARC-53")
def test_a_fragment_in_transport_mode_is_not_taken_out():
    ends = (pack("2001:db8::1"), pack("2001:db8::2"))
    both = (Selector((ends[0],) * 2, (ends[1],) * 2),)
    world = World(mode=Mode.TRANSPORT, source=ends[0], destination=ends[1], selectors=both)
    piece = ipv6.fragment_header(FragmentFields(UDP, 0, True, 1)) + bytes(16)
    sealed = world.reseal(piece + esp.trailer(len(piece), 4, IpProtocol.FRAGMENT))
    assert world.arrive([ipv6.build(*ends, IpProtocol.ESP, sealed)]) == []
    assert world.drops == [DropReason.INNER_MALFORMED]


DNS = (row((53, 53)),)


@pytest.mark.conf("ARC-07")
def test_an_sa_with_ports_lets_no_later_fragment_out_of_it():
    world = World(selectors=DNS)
    piece = later()
    sealed = world.reseal(piece + esp.trailer(len(piece), 4, IpProtocol.IPV4))
    assert world.receive(sealed) == []
    assert world.drops == [DropReason.FRAG_NO_PORTS]


@pytest.mark.conf("ARC-39")
@pytest.mark.parametrize("agreed", [True, False])
def test_later_fragments_go_into_an_sa_with_ports_once_both_ends_agreed(agreed):
    world = World(rules=[Policy("net", PROTECT, DNS)], selectors=DNS, stateful_fragments=agreed)
    assert world.carry(first(53)) == [first(53)]
    assert world.carry(later()) == ([later()] if agreed else [])
    assert world.drops == ([] if agreed else [DropReason.FRAG_NO_PORTS])


def test_a_fragment_of_another_flow_does_not_come_out_of_a_stateful_sa():
    world = World(selectors=DNS, stateful_fragments=True)
    pieces = [first(53), later(), later(identification=8)]
    sealed = [
        world.reseal(each + esp.trailer(len(each), 4, IpProtocol.IPV4), n + 1)
        for n, each in enumerate(pieces)
    ]
    assert [len(world.receive(each)) for each in sealed] == [1, 1, 0]
    assert world.drops == [DropReason.FRAG_NO_PORTS]


@pytest.mark.conf("ARC-38")
def test_an_sa_for_hidden_ports_takes_the_later_fragments_of_all_others():
    rules = [Policy("web", PROTECT, (row((80, 80), TCP),)), Policy("rest", PROTECT, (row(OPAQUE_PORT, TCP),))]
    world = World(rules=rules, policy="web", spi=0x1001, selectors=rules[0].selectors)
    world.add(policy="rest", spi=0x1002, selectors=rules[1].selectors)
    whole = with_ports(1000, 80, TCP, bytes(20))
    for piece in (whole, first(80, protocol=TCP), later(protocol=TCP)):
        assert world.carry(piece) == [piece]
    assert {sa.spi: sa.packets for sa in world.west.sad.all()} == {0x1001: 2, 0x1002: 1}


@pytest.mark.conf("ARC-38")
@pytest.mark.parametrize(
    ("protocol", "offset", "passes"), [(TCP, 8, False), (TCP, 16, True), (UDP, 8, True), (132, 8, True)]
)
def test_a_later_fragment_must_not_reach_into_the_header_of_the_first(protocol, offset, passes):
    hidden = (row(OPAQUE_PORT, protocol),)
    world = World(rules=[Policy("net", PROTECT, hidden)], selectors=hidden)
    piece = later(offset=offset, protocol=protocol)
    assert world.carry(piece) == ([piece] if passes else [])
    assert world.drops == ([] if passes else [DropReason.FRAG_OVERLAP])
