"""SPD verdicts, sealing and opening, and each reason for which this engine drops."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.actions import Acquire, Deliver, Expired, Expiring, SendDatagram, SendPacket
from ipsecsim.ipsec.association import LAST_SEQUENCE, Direction
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import SaExpired
from ipsecsim.ipsec.holding import HOLD_LIMIT, HOLD_TIME
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import esp, ipv4
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
)

SUITES = ["aes128gcm16", "aes256gcm16", "chacha20poly1305", "aes128-sha256", "aes256-sha384", "aes256-sha512"]


@pytest.mark.parametrize("words", SUITES)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 13, 14, 15, 16, 1400])
def test_what_is_sealed_is_opened(words, length):
    world = World(words)
    inner = packet(data=bytes(length))
    (delivered,) = world.receive(world.seal(inner))
    assert delivered == Deliver(inner, SPI)


def test_the_outer_header_copies_tos_and_df_and_nothing_else():
    world = World()
    (action,) = world.west.outbound(packet(tos=0xB9, dont_fragment=True, ttl=3), 0)
    assert isinstance(action, SendPacket)
    outer = ipv4.parse(action.packet)
    assert (outer.source, outer.destination, outer.protocol) == (WEST, EAST, IpProtocol.ESP)
    assert (outer.tos, outer.dont_fragment, outer.ttl) == (0xB9, True, 64)


def test_in_udp_the_checksum_is_left_out():
    world = World(udp_ports=(4500, 61002))
    (action,) = world.west.outbound(packet(), 0)
    assert isinstance(action, SendDatagram)
    assert (action.source_port, action.destination_port, action.checksum) == (4500, 61002, False)


def test_sequence_numbers_begin_at_one_and_ivs_never_repeat():
    world = World()
    sealed = [world.seal(packet()) for _ in range(50)]
    assert [esp.numbers(each)[1] for each in sealed] == list(range(1, 51))
    assert len({each[8:16] for each in sealed}) == 50


def test_the_first_rule_that_matches_decides():
    wide = Selector.between(Prefix.parse("10.0.0.0/8"), Prefix.parse("10.0.0.0/8"))
    events: list = []
    engine = IpsecEngine(
        [Policy("some", PolicyAction.BYPASS, NETS), Policy("all", PolicyAction.DISCARD, (wide,))],
        events.append,
    )
    assert engine.outbound(packet(), 0) is None
    assert engine.outbound(packet(destination=pack("10.3.0.1")), 0) == []
    assert engine.outbound(packet(destination=pack("192.0.2.9")), 0) == []
    drops = [event.reason for event in events if isinstance(event, PacketDropped)]
    assert drops == [DropReason.SPD_DISCARD, DropReason.SPD_NO_MATCH]
    engine.spd.replace([Policy("all", PolicyAction.DISCARD, (wide,))])
    assert engine.outbound(packet(), 0) == []  # the cache was emptied


def test_port_selectors_need_ports():
    dns = Selector(*(NETS[0].local, NETS[0].remote), IpProtocol.UDP, (0, 0xFFFF), (53, 53))
    engine = IpsecEngine([Policy("dns", PolicyAction.BYPASS, (dns,))])
    segment = (40000).to_bytes(2, "big") + (53).to_bytes(2, "big") + bytes(4)
    whole = ipv4.build(ALICE, BOB, IpProtocol.UDP, segment)
    later = ipv4.build(ALICE, BOB, IpProtocol.UDP, segment, fragment_offset=8)
    assert engine.outbound(whole, 0) is None
    assert engine.outbound(later, 0) == []


def test_a_packet_without_an_sa_waits_and_asks_once():
    events: list = []
    engine = IpsecEngine([Policy("net", PolicyAction.PROTECT, NETS)], events.append)
    first = engine.outbound(packet(), 0)
    assert [type(action) for action in first] == [Acquire]
    for _ in range(HOLD_LIMIT - 1):
        assert engine.outbound(packet(), 0) == []
    assert engine.held == HOLD_LIMIT
    engine.outbound(packet(), 0)
    drops = [event.reason for event in events if isinstance(event, PacketDropped)]
    assert drops == [DropReason.NO_SA_YET]
    released = engine.install(parameters(Direction.OUTBOUND), 0)
    assert len(released) == HOLD_LIMIT
    assert engine.held == 0
    assert engine.next_deadline() is None


def test_waiting_ends_when_its_time_is_over():
    events: list = []
    engine = IpsecEngine([Policy("net", PolicyAction.PROTECT, NETS)], events.append)
    engine.outbound(packet(), 5 * SECOND)
    assert engine.next_deadline() == 5 * SECOND + HOLD_TIME
    engine.handle_timeout(5 * SECOND + HOLD_TIME - 1)
    assert engine.held == 1
    engine.handle_timeout(5 * SECOND + HOLD_TIME)
    assert engine.held == 0
    assert events[-1].reason is DropReason.NO_SA_YET


def test_a_narrowed_sa_does_not_carry_the_rest():
    world = World(selectors=(Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/28")),))
    assert len(world.west.outbound(packet(), 0)) == 1
    (acquire,) = world.west.outbound(packet(destination=pack("10.2.0.99")), 0)
    assert isinstance(acquire, Acquire)


def test_clear_packets_that_policy_wants_protected_are_refused():
    events: list = []
    east = IpsecEngine([Policy("net", PolicyAction.PROTECT, mirrored(NETS))], events.append)
    assert not east.inbound_clear(packet(), 0)
    assert not east.inbound_clear(packet(source=pack("203.0.113.9")), 0)
    assert [e.reason for e in events if isinstance(e, PacketDropped)] == [
        DropReason.INBOUND_CLEAR_PROTECTED,
        DropReason.SPD_NO_MATCH,
    ]
    east.spd.replace([Policy("all", PolicyAction.DISCARD, mirrored(NETS))])
    assert not east.inbound_clear(packet(), 0)
    assert events[-1].reason is DropReason.SPD_DISCARD
    east.spd.replace([Policy("all", PolicyAction.BYPASS, mirrored(NETS))])
    assert east.inbound_clear(packet(), 0)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


INNER = packet()
GOOD_TAIL = esp.trailer(len(INNER), 4, IpProtocol.IPV4)

BAD = {
    DropReason.NO_SA: lambda world: _flip(world.seal(packet()), 0),
    DropReason.ESP_SHORT: lambda world: world.seal(packet())[: 8 + 8 + 16 + 1],
    DropReason.ICV_FAIL: lambda world: _flip(world.seal(packet()), 20),
    DropReason.SEQ_ZERO: lambda world: world.reseal(INNER + GOOD_TAIL, sequence=0),
    DropReason.ESP_BAD_PAD: lambda world: world.reseal(INNER + b"\x09\x01\x04"),
    DropReason.DUMMY: lambda world: world.reseal(bytes(6) + bytes([0, IpProtocol.NO_NEXT])),
    DropReason.MODE_MISMATCH: lambda world: world.reseal(bytes(6) + bytes([0, IpProtocol.UDP])),
    DropReason.INNER_MALFORMED: lambda world: world.reseal(bytes(6) + bytes([0, IpProtocol.IPV4])),
    DropReason.SA_SELECTOR_MISMATCH: lambda world: world.reseal(
        packet(source=pack("10.9.9.9")) + esp.trailer(len(INNER), 4, IpProtocol.IPV4)
    ),
}


@pytest.mark.parametrize("reason", list(BAD), ids=lambda reason: reason.name)
def test_bad_packets_end_with_their_reason(reason):
    world = World()
    assert world.receive(BAD[reason](world)) == []
    assert world.drops == [reason]


def test_ciphertext_that_is_no_whole_number_of_blocks():
    world = World("aes128-sha256")
    sealed = world.seal(packet())
    world.receive(sealed[:-1])
    assert world.drops == [DropReason.ESP_ALIGN]


def test_the_window_moves_only_for_authentic_packets():
    world = World()
    forged = esp.HEADER.pack(SPI, 4_000_000_000) + world.seal(packet())[8:]
    world.receive(forged)
    assert world.east.sad.inbound(IpProtocol.ESP, SPI).replay.top == 0
    world.receive(world.seal(packet()))
    assert world.east.sad.inbound(IpProtocol.ESP, SPI).replay.top == 2


def test_a_replayed_and_an_old_packet_are_told_apart():
    world = World()
    sealed = [world.seal(packet()) for _ in range(40)]
    world.receive(sealed[0])
    world.receive(sealed[0])
    world.receive(sealed[39])
    world.receive(sealed[1])
    assert world.drops == [DropReason.REPLAY_SEEN, DropReason.REPLAY_OLD]


@pytest.mark.conf("ESP-03")
def test_the_sequence_number_never_cycles():
    """The SA ends: RFC 4303 3.3.3 asks for a new one before the number would come again."""
    world = World(sequence=LAST_SEQUENCE - 2)
    sent, asked = world.west.outbound(packet(), 0)
    assert isinstance(sent, SendPacket)
    assert asked == Expiring("net", Direction.OUTBOUND, SPI, IpProtocol.ESP)
    assert [type(action) for action in world.west.outbound(packet(), 0)] == [SendPacket]
    assert [type(action) for action in world.west.outbound(packet(), 0)] == [Expired]
    assert world.drops == [DropReason.SEQ_EXHAUSTED]
    assert [e.limit for e in world.events if isinstance(e, SaExpired)] == ["sequence numbers"]
    assert world.west.sad.all() == []


def test_traffic_flow_padding_behind_the_inner_packet_is_cut_off():
    world = World()
    padded = INNER + bytes(11)
    sealed = world.reseal(padded + esp.trailer(len(padded), 4, IpProtocol.IPV4))
    assert world.receive(sealed) == [Deliver(INNER, SPI)]


def test_removed_sas_are_gone():
    world = World()
    sealed = world.seal(packet())
    world.east.remove(Direction.INBOUND, SPI)
    world.east.remove(Direction.INBOUND, SPI)
    world.receive(sealed)
    assert world.drops == [DropReason.NO_SA]


def test_without_a_tap_the_bytes_are_the_same():
    told, silent = World(), World()
    silent.west.tap = silent.east.tap = None
    assert [told.seal(packet()) for _ in range(3)] == [silent.seal(packet()) for _ in range(3)]
