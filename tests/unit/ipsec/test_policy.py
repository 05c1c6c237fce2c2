"""The SPD: order, dispositions, caches, and what is asked of a packet that came in clear."""

import struct
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.actions import Acquire, Deliver, SendPacket
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import PolicyMatched
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import ANY_PORT, OPAQUE_PORT, Selector
from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import (
    ALICE,
    BOB,
    EAST,
    NETS,
    SPI,
    WEST,
    World,
    mirrored,
    packet,
    parameters,
    with_ports,
)

PROTECT, BYPASS, DISCARD = PolicyAction.PROTECT, PolicyAction.BYPASS, PolicyAction.DISCARD
EVERYWHERE = (bytes(4), b"\xff" * 4)
ANYTHING = (Selector(EVERYWHERE, EVERYWHERE),)


def reasons(events: list) -> list[DropReason]:
    return [event.reason for event in events if isinstance(event, PacketDropped)]


def outcome(engine: IpsecEngine, data: bytes) -> PolicyAction | None:
    """What the engine did with a packet that was to leave."""
    events: list = []
    engine.tap = events.append
    actions = engine.outbound(data, 0)
    if actions is None:
        return BYPASS
    if reasons(events) == [DropReason.SPD_DISCARD]:
        return DISCARD
    return None if reasons(events) == [DropReason.SPD_NO_MATCH] else PROTECT


# -- order ----------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-03")
@pytest.mark.parametrize("order", list(permutations(PolicyAction)))
def test_of_rules_that_overlap_the_first_one_decides(order):
    engine = IpsecEngine([Policy(action.value, action, NETS) for action in order])
    assert outcome(engine, packet()) is order[0]


@pytest.mark.conf("ARC-02")
def test_what_matches_no_rule_passes_in_neither_direction():
    events: list = []
    engine = IpsecEngine([], events.append)
    for _ in range(2):
        assert engine.outbound(packet(), 0) == []
        assert not engine.inbound_clear(packet(), 0)
    assert reasons(events) == [DropReason.SPD_NO_MATCH] * 4


@pytest.mark.conf("ARC-04")
def test_the_three_dispositions():
    world = World(
        rules=[
            Policy("dns", BYPASS, (Selector(*(NETS[0].local, NETS[0].remote), 17, ANY_PORT, (53, 53)),)),
            Policy("telnet", DISCARD, (Selector(*(NETS[0].local, NETS[0].remote), 6, ANY_PORT, (23, 23)),)),
            Policy("net", PROTECT, NETS),
        ]
    )
    assert world.west.outbound(with_ports(1000, 53), 0) is None
    assert world.west.outbound(with_ports(1000, 23, IpProtocol.TCP), 0) == []
    assert world.drops == [DropReason.SPD_DISCARD]
    (sent,) = world.west.outbound(with_ports(1000, 80, IpProtocol.TCP), 0)
    assert ipv4.parse(sent.packet).protocol == IpProtocol.ESP
    assert world.arrive([sent.packet]) == [with_ports(1000, 80, IpProtocol.TCP)]


@pytest.mark.conf("ARC-01")
def test_every_crossing_asks_the_spd():
    world = World()
    crossings = 0
    for data in (packet(), with_ports(500, 500), packet(source=pack("10.9.0.1")), packet(data=b"again")):
        world.west.outbound(data, 0)
        world.west.inbound_clear(data, 0)
        crossings += 2
    no_match = [reason for reason in world.drops if reason is DropReason.SPD_NO_MATCH]
    assert len(world.told(PolicyMatched)) + len(no_match) == crossings


# -- selectors against an oracle --------------------------------------------------------------------

PROTOCOLS = (0, 1, 6, 17, 47, 132)
PORTS = (0, 1, 22, 23, 24, 0x0800, 0x0801, 0xFFFF)
_address = st.integers(0, 7)
_range = st.tuples(_address, _address).map(sorted)
_ports = st.one_of(
    st.just(ANY_PORT), st.just(OPAQUE_PORT), st.tuples(*[st.sampled_from(PORTS)] * 2).map(sorted)
)


def _packed(low: int, high: int) -> tuple[bytes, bytes]:
    return bytes([10, 0, 0, low]), bytes([10, 0, 0, high])


_selector = st.builds(
    lambda local, remote, protocol, local_ports, remote_ports: Selector(
        _packed(*local), _packed(*remote), protocol, tuple(local_ports), tuple(remote_ports)
    ),
    _range,
    _range,
    st.sampled_from(PROTOCOLS),
    _ports,
    _ports,
)
_rules = st.lists(
    st.builds(
        lambda action, selectors, direction: (action, tuple(selectors), direction),
        st.sampled_from(list(PolicyAction)),
        st.lists(_selector, min_size=1, max_size=3),
        st.sampled_from([None, Direction.INBOUND, Direction.OUTBOUND]),
    ),
    max_size=6,
)
_packets = st.lists(
    st.builds(
        lambda source, destination, protocol, one, two: ipv4.build(
            bytes([10, 0, 0, source]), bytes([10, 0, 0, destination]), protocol, struct.pack("!HH", one, two)
        ),
        _address,
        _address,
        st.sampled_from(PROTOCOLS[1:]),
        st.sampled_from(PORTS),
        st.sampled_from(PORTS),
    ),
    min_size=1,
    max_size=12,
)


def oracle(rules, data: bytes, direction: Direction) -> PolicyAction | None:
    """Read the bytes and ask each rule in turn, without the product's selectors."""
    source, destination, protocol = data[15], data[19], data[9]
    ports: tuple[int, int] | None = struct.unpack("!HH", data[20:24]) if protocol in (6, 17, 132) else None
    if protocol == 1:
        ports = (data[20] * 256 + data[21],) * 2
    ends, seen = [source, destination], list(ports) if ports else None
    if direction is Direction.INBOUND:
        ends.reverse()
        seen = seen and seen[::-1]
    for action, selectors, only in rules:
        if only not in (None, direction):
            continue
        for row in selectors:
            fits = (
                row.local[0][3] <= ends[0] <= row.local[1][3]
                and row.remote[0][3] <= ends[1] <= row.remote[1][3]
            )
            fits = fits and row.protocol in (0, protocol)
            for allowed, port in zip((row.local_ports, row.remote_ports), seen or (None, None), strict=True):
                if allowed == ANY_PORT:
                    continue
                if allowed == OPAQUE_PORT:
                    fits = fits and port is None
                else:
                    fits = fits and port is not None and port in range(allowed[0], allowed[1] + 1)
            if fits:
                return action
    return None


@pytest.mark.conf("ARC-03", "ARC-05", "ARC-51")
@settings(max_examples=150, deadline=None)
@given(_rules, _rules, _packets)
def test_the_cached_verdict_is_that_of_an_ordered_search(before, after, packets):
    engine = IpsecEngine()
    for rules in (before, after):
        engine.spd.replace(
            [
                Policy(f"r{number}", action, selectors, direction=direction)
                for number, (action, selectors, direction) in enumerate(rules)
            ]
        )
        for data in packets * 2:  # the second time from the cache
            events: list = []
            engine.tap = events.append
            expected = oracle(rules, data, Direction.OUTBOUND)
            actions = engine.outbound(data, 0)
            assert (actions is None) == (expected is BYPASS)
            ended = set(reasons(events))
            assert (DropReason.SPD_NO_MATCH in ended) == (expected is None)
            assert (DropReason.SPD_DISCARD in ended) == (expected is DISCARD)
            expected = oracle(rules, data, Direction.INBOUND)
            events.clear()
            assert engine.inbound_clear(data, 0) == (expected is BYPASS)
            assert (DropReason.INBOUND_CLEAR_PROTECTED in set(reasons(events))) == (expected is PROTECT)


@pytest.mark.conf("ARC-06")
@pytest.mark.parametrize(
    ("first", "last"), [((8, 0), (8, 0)), ((3, 1), (3, 13)), ((3, 13), (5, 2)), ((0, 0), (255, 255))]
)
def test_icmp_types_and_codes_are_compared_as_one_number(first, last):
    bounds = (first[0] * 256 + first[1], last[0] * 256 + last[1])
    rule = Policy("icmp", BYPASS, (Selector(NETS[0].local, NETS[0].remote, 1, bounds, bounds),))
    engine = IpsecEngine([rule])
    engine.spd.CACHE_LIMIT = 100  # type: ignore[misc]
    inside = [
        (kind, code)
        for kind in range(256)
        for code in range(256)
        if engine.outbound(packet(data=bytes([kind, code, 0, 0])), 0) is None
    ]
    assert inside == [(k, c) for k in range(256) for c in range(256) if first <= (k, c) <= last]


@pytest.mark.conf("ARC-36")
def test_a_ping_needs_a_rule_like_anything_else():
    udp_only = Policy("udp", PROTECT, (Selector(NETS[0].local, NETS[0].remote, 17),))
    world = World(rules=[udp_only])
    assert world.west.outbound(packet(data=bytes([8, 0, 0, 0, 0, 1, 0, 1])), 0) == []
    assert world.drops == [DropReason.SPD_NO_MATCH]


def test_a_mobility_header_is_matched_by_its_type():
    ends = (pack("2001:db8::1"), pack("2001:db8::2"))

    def message(kind: int) -> bytes:
        return ipv6.build(*ends, IpProtocol.MOBILITY, bytes([59, 0, kind, 0, 0, 0, 0, 0]))

    binding_update = (5 << 8, (5 << 8) + 255)
    row = Selector((ends[0],) * 2, (ends[1],) * 2, IpProtocol.MOBILITY, binding_update, binding_update)
    engine = IpsecEngine([Policy("mobility", BYPASS, (row,))])
    assert engine.outbound(message(5), 0) is None
    assert engine.outbound(message(6), 0) == []


# -- direction, SPD-I and SPD-O ----------------------------------------------------------------------


@pytest.mark.conf("ARC-08")
@pytest.mark.parametrize(
    ("direction", "leaves", "arrives"),
    [(None, True, True), (Direction.OUTBOUND, True, False), (Direction.INBOUND, False, True)],
)
def test_a_rule_may_be_for_one_direction_only(direction, leaves, arrives):
    engine = IpsecEngine([Policy("one way", BYPASS, ANYTHING, direction=direction)])
    assert (engine.outbound(packet(), 0) is None) == leaves
    assert engine.inbound_clear(packet(), 0) == arrives


@pytest.mark.conf("ARC-08", "ARC-52")
def test_a_clear_packet_that_is_to_be_protected_asks_nobody_for_an_sa():
    events: list = []
    engine = IpsecEngine([Policy("net", PROTECT, mirrored(NETS))], events.append)
    assert not engine.inbound_clear(packet(), 0)
    assert reasons(events) == [DropReason.INBOUND_CLEAR_PROTECTED]
    assert engine.held == 0
    assert engine.next_deadline() is None


@pytest.mark.conf("ARC-41")
def test_ike_that_arrives_needs_a_bypass_rule():
    events: list = []
    engine = IpsecEngine([Policy("net", PROTECT, NETS)], events.append)
    ike = with_ports(500, 500, source=EAST, destination=WEST)
    assert not engine.inbound_clear(ike, 0)
    assert reasons(events) == [DropReason.SPD_NO_MATCH]


@pytest.mark.conf("ARC-41")
def test_esp_for_this_node_goes_by_its_spi_and_no_rule():
    world = World()
    sealed = world.seal(packet())
    assert world.receive(sealed) == [Deliver(packet(), SPI)]
    for wrong in range(SPI + 1, SPI + 101):
        assert world.receive(wrong.to_bytes(4, "big") + sealed[4:]) == []
    assert world.drops == [DropReason.NO_SA] * 100


@pytest.mark.conf("ARC-42")
def test_a_rule_for_ike_of_this_node_lets_no_other_ike_through():
    own = Policy("ike", BYPASS, (Selector((WEST, WEST), EVERYWHERE, 17, (500, 500)),))
    engine = IpsecEngine([own, Policy("net", PROTECT, NETS)])
    assert engine.outbound(with_ports(500, 500, source=WEST, destination=EAST), 0) is None
    assert engine.inbound_clear(with_ports(500, 500, source=EAST, destination=WEST), 0)
    (acquire,) = engine.outbound(with_ports(500, 500), 0)  # alice speaks IKE with bob
    assert isinstance(acquire, Acquire)
    assert not engine.inbound_clear(with_ports(500, 500, source=BOB, destination=ALICE), 0)


@pytest.mark.conf("ARC-26")
def test_a_rule_that_nobody_negotiates_drops_instead():
    events: list = []
    engine = IpsecEngine([Policy("net", PROTECT, NETS, negotiable=False)], events.append)
    assert engine.outbound(packet(), 0) == []
    assert engine.held == 0
    assert reasons(events) == [DropReason.NO_SA_YET]
    engine.install(parameters(Direction.OUTBOUND), 0)
    (sent,) = engine.outbound(packet(), 0)
    assert isinstance(sent, SendPacket)


# -- what came out of an SA ---------------------------------------------------------------------------


@pytest.mark.conf("ARC-51")
@pytest.mark.parametrize("before", [BYPASS, DISCARD, PROTECT])
def test_an_sa_does_not_carry_what_an_earlier_rule_is_for(before):
    """Its selectors are those of its rule, which say nothing of the rules before it."""
    telnet = (Selector(NETS[0].local, NETS[0].remote, 6, ANY_PORT, (23, 23)),)
    world = World()
    world.east.spd.replace(
        [Policy("telnet", before, mirrored(telnet)), Policy("net", PROTECT, mirrored(NETS))]
    )
    assert world.carry(with_ports(1000, 80, IpProtocol.TCP)) == [with_ports(1000, 80, IpProtocol.TCP)]
    assert world.carry(with_ports(1000, 23, IpProtocol.TCP)) == []
    assert world.drops == [DropReason.SA_SELECTOR_MISMATCH]


def test_flows_that_were_let_in_are_asked_about_again_once_the_rules_change():
    world = World()
    world.east.spd.replace([Policy("net", PROTECT, mirrored(NETS))])
    assert world.carry(packet()) == [packet()]
    world.east.spd.replace([Policy("no", DISCARD, mirrored(NETS)), Policy("net", PROTECT, mirrored(NETS))])
    assert world.carry(packet()) == []
    assert world.drops == [DropReason.SA_SELECTOR_MISMATCH]


# -- protection of what is protected --------------------------------------------------------------


@pytest.mark.conf("ARC-45")
@pytest.mark.parametrize(
    ("protocols", "action", "is_again"),
    [
        ((IpProtocol.ESP,), PROTECT, True),
        ((IpProtocol.ESP, IpProtocol.AH), PROTECT, True),
        ((IpProtocol.AH,), PROTECT, False),
        ((0,), PROTECT, False),  # a rule for any protocol speaks of what is inside
        ((IpProtocol.ESP,), BYPASS, False),
    ],
)
@pytest.mark.parametrize("direction", list(Direction))
def test_only_a_rule_that_names_esp_protects_it_again(protocols, action, is_again, direction):
    rows = tuple(Selector(EVERYWHERE, EVERYWHERE, protocol) for protocol in protocols)
    engine = IpsecEngine([Policy("around", action, rows), Policy("inside", PROTECT, ANYTHING)])
    sealed = ipv4.build(WEST, EAST, IpProtocol.ESP, bytes(40))
    assert engine.spd.protects_again(sealed, direction) == is_again
    engine.spd.replace([Policy("first", PROTECT, ANYTHING), *engine.spd.policies])
    assert not engine.spd.protects_again(sealed, direction)


# -- rules that follow their SAs ------------------------------------------------------------------

CAROL, DAVE = pack("10.9.0.1"), pack("10.9.0.2")


def visitor(address: bytes, policy: str = "visitors", **changes):
    """The gateway's SA to one of those who got an address from it."""
    row = Selector(NETS[0].local, (address, address))
    return parameters(Direction.OUTBOUND, selectors=(row,), policy=policy, spi=address[-1] + 256, **changes)


def test_a_rule_that_follows_its_sas_speaks_of_what_they_carry_and_of_nothing_else():
    engine = IpsecEngine([Policy("visitors", PROTECT, (), follows_sas=True)])
    to_carol, to_dave = packet(destination=CAROL), packet(destination=DAVE)
    assert outcome(engine, to_carol) is None
    engine.install(visitor(CAROL), 0)
    assert outcome(engine, to_carol) is PROTECT
    assert outcome(engine, to_dave) is None
    engine.install(visitor(DAVE), 0)
    assert outcome(engine, to_dave) is PROTECT
    engine.remove(Direction.OUTBOUND, visitor(CAROL).spi)
    assert outcome(engine, to_carol) is None
    assert outcome(engine, to_dave) is PROTECT


def test_two_rules_that_follow_their_sas_do_not_stand_in_each_others_way():
    rules = [Policy(name, PROTECT, (), follows_sas=True) for name in ("first", "second")]
    engine = IpsecEngine(rules)
    engine.install(visitor(DAVE, "second"), 0)
    engine.install(visitor(CAROL, "first"), 0)
    assert outcome(engine, packet(destination=DAVE)) is PROTECT
    assert [rule.hits for rule in rules] == [0, 1]


def test_an_sa_that_takes_the_place_of_another_leaves_its_traffic_in_the_rule():
    engine = IpsecEngine([Policy("visitors", PROTECT, (), follows_sas=True)])
    engine.install(visitor(CAROL), 0)
    engine.install(visitor(CAROL, destination=pack("192.0.2.9")), 0)
    engine.remove(Direction.OUTBOUND, visitor(CAROL).spi, destination=EAST)
    assert outcome(engine, packet(destination=CAROL)) is PROTECT


def test_other_rules_put_in_place_know_what_the_sas_carry():
    engine = IpsecEngine([Policy("visitors", PROTECT, (), follows_sas=True)])
    engine.install(visitor(CAROL), 0)
    engine.spd.replace([Policy("visitors", PROTECT, (), follows_sas=True)])
    assert outcome(engine, packet(destination=CAROL)) is PROTECT


def test_a_clear_packet_from_a_virtual_address_nobody_has_passes_no_rule():
    engine = IpsecEngine([Policy("visitors", PROTECT, (), follows_sas=True)])
    assert not engine.inbound_clear(packet(source=CAROL, destination=ALICE), 0)


def test_a_rule_that_is_there_only_with_an_sa_leaves_its_traffic_to_the_next_one_meanwhile():
    engine = IpsecEngine([Policy("net", PROTECT, NETS, only_with_sa=True), Policy("rest", BYPASS, ANYTHING)])
    back = packet(source=BOB, destination=ALICE)
    assert outcome(engine, packet()) is BYPASS
    assert engine.inbound_clear(back, 0)
    engine.install(parameters(Direction.OUTBOUND, policy="net"), 0)
    assert outcome(engine, packet()) is PROTECT
    assert not engine.inbound_clear(back, 0)
    engine.remove(Direction.OUTBOUND, SPI)
    assert outcome(engine, packet()) is BYPASS
    assert engine.inbound_clear(back, 0)
