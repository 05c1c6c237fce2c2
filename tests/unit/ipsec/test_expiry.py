"""How SAs come to their end: by time, bytes, packets and numbers; and which one is used while they live."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.actions import Acquire, Deliver, Expired, Expiring, SendPacket
from ipsecsim.ipsec.association import LAST_EXTENDED_SEQUENCE, LAST_SEQUENCE, Direction
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import PacketOpened, PacketSealed, SaExpired, SaExpiring, SaRemoved
from ipsecsim.ipsec.lifetime import Lifetime, Limits
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import NETS, SPI, World, packet, parameters

LENGTH = len(packet())
ASKED = Expiring("net", Direction.OUTBOUND, SPI, IpProtocol.ESP)


def outbound_only(lifetime: Lifetime, *, negotiable: bool = True, **changes) -> tuple[IpsecEngine, list]:
    events: list = []
    rule = Policy("net", PolicyAction.PROTECT, NETS, negotiable=negotiable)
    engine = IpsecEngine([rule], events.append)
    engine.install(parameters(Direction.OUTBOUND, lifetime=lifetime, **changes), 0)
    return engine, events


def hard(**limits: int) -> Lifetime:
    return Lifetime(hard=Limits(**limits))


def soft(**limits: int) -> Lifetime:
    return Lifetime(soft=Limits(**limits))


def send(engine: IpsecEngine, now: int = 0) -> list:
    actions = engine.outbound(packet(), now)
    assert actions is not None
    return actions


# -- hard limits --------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-14", "ARC-47")
@pytest.mark.parametrize(
    ("lifetime", "word"),
    [
        (hard(packets=3), "packets"),
        (hard(octets=3 * LENGTH), "bytes"),
        (hard(octets=4 * LENGTH - 1), "bytes"),
    ],
)
def test_the_packet_that_would_go_over_ends_the_sa(lifetime, word):
    engine, events = outbound_only(lifetime, negotiable=False)
    told = [send(engine) for _ in range(4)]
    assert [[type(action) for action in each] for each in told] == [[SendPacket]] * 3 + [[Expired]]
    assert told[3][0].limit.value == word
    assert [e.limit for e in events if isinstance(e, SaExpired)] == [word]
    assert [(e.spi, e.packets) for e in events if isinstance(e, SaRemoved)] == [(SPI, 3)]
    assert engine.sad.all() == []
    assert send(engine) == []  # and nothing leaves under the old SPI
    assert len([e for e in events if isinstance(e, PacketSealed)]) == 3
    drops = [e.reason for e in events if hasattr(e, "reason")]
    assert drops == [DropReason.SA_EXPIRED, DropReason.SA_EXPIRED]


@pytest.mark.conf("ARC-14")
@pytest.mark.parametrize("is_timer_late", [False, True])
def test_time_ends_an_idle_sa(is_timer_late):
    engine, events = outbound_only(hard(duration=10 * SECOND))
    assert engine.next_deadline() == 10 * SECOND
    engine.handle_timeout(10 * SECOND - 1)
    assert len(engine.sad.all()) == 1
    if is_timer_late:
        send(engine, 10 * SECOND)
    else:
        engine.handle_timeout(10 * SECOND)
        engine.handle_timeout(10 * SECOND)
    assert [e.limit for e in events if isinstance(e, SaExpired)] == ["time"]
    assert engine.sad.all() == []
    assert not any(isinstance(e, PacketSealed) for e in events)


@pytest.mark.conf("ARC-14")
@pytest.mark.parametrize(("sent", "word"), [(5, "bytes"), (1, "time")])
def test_of_two_limits_the_one_that_is_reached_first_governs(sent, word):
    lifetime = hard(octets=4 * LENGTH, duration=10 * SECOND)
    engine, events = outbound_only(lifetime)
    for number in range(sent):
        send(engine, number * SECOND)
    engine.handle_timeout(10 * SECOND)
    assert [e.limit for e in events if isinstance(e, SaExpired)] == [word]


def test_after_a_hard_limit_traffic_asks_for_a_new_sa():
    engine, _ = outbound_only(hard(packets=1))
    send(engine)
    assert [type(action) for action in send(engine)] == [Expired]
    (acquire,) = send(engine)
    assert isinstance(acquire, Acquire)
    released = engine.install(parameters(Direction.OUTBOUND, spi=SPI + 1), 0)
    assert [type(action) for action in released] == [SendPacket]


def test_a_packet_changes_over_to_another_sa_of_its_rule_when_one_ends():
    engine, events = outbound_only(Lifetime())
    engine.install(parameters(Direction.OUTBOUND, spi=SPI + 1, lifetime=hard(packets=1)), 0)
    sent = [send(engine) for _ in range(3)]
    assert [[type(action) for action in each] for each in sent] == [
        [SendPacket],
        [SendPacket, Expired],
        [SendPacket],
    ]
    assert [e.spi for e in events if isinstance(e, PacketSealed)] == [SPI + 1, SPI, SPI]


@pytest.mark.conf("ARC-15")
def test_the_ends_may_count_differently():
    """A third of all packets is lost: the receiver is behind, and the sender alone says when it is over."""
    world = World(
        rules=[Policy("net", PolicyAction.PROTECT, NETS, negotiable=False)], lifetime=hard(packets=30)
    )
    arrived = 0
    for number in range(40):
        sent = world.west.outbound(packet(), 0)
        if number % 3:
            arrived += len(world.arrive([each.packet for each in sent if isinstance(each, SendPacket)]))
    assert (arrived, len(world.told(PacketSealed))) == (20, 30)
    assert [sa.packets for sa in world.east.sad.all()] == [20]
    assert set(world.drops) == {DropReason.SA_EXPIRED}


@pytest.mark.conf("ARC-14")
def test_an_inbound_sa_ends_as_well():
    world = World()
    world.east.install(parameters(Direction.INBOUND, lifetime=hard(packets=2)), 0)
    assert [len(world.carry(packet())) for _ in range(4)] == [1, 1, 0, 0]
    assert world.drops == [DropReason.SA_EXPIRED, DropReason.NO_SA]
    assert [(e.direction, e.limit) for e in world.told(SaExpired)] == [("in", "packets")]


def test_forged_packets_use_up_nothing():
    world = World()
    world.east.install(parameters(Direction.INBOUND, lifetime=hard(packets=1)), 0)
    (sent,) = world.west.outbound(packet(), 0)
    for number in range(5):
        world.arrive([sent.packet[:-1] + bytes([sent.packet[-1] ^ (number + 1)])])
    assert world.arrive([sent.packet]) == [packet()]


# -- soft limits --------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-47")
@pytest.mark.parametrize(
    ("lifetime", "word"), [(soft(packets=2), "packets"), (soft(octets=LENGTH + 1), "bytes")]
)
def test_a_soft_limit_is_told_once_and_traffic_goes_on(lifetime, word):
    engine, events = outbound_only(lifetime)
    assert [type(a) for a in send(engine)] == [SendPacket]
    sent, asked = send(engine)
    assert asked == ASKED
    assert isinstance(sent, SendPacket)
    assert [len(send(engine)) for _ in range(3)] == [1, 1, 1]
    assert [(e.limit, e.spi, e.protocol) for e in events if isinstance(e, SaExpiring)] == [(word, SPI, "ESP")]


@pytest.mark.conf("ARC-47")
def test_time_asks_first_and_then_ends():
    lifetime = Lifetime(Limits(duration=8 * SECOND), Limits(duration=10 * SECOND))
    engine, events = outbound_only(lifetime)
    assert engine.handle_timeout(8 * SECOND - 1) == []
    assert engine.handle_timeout(8 * SECOND) == [ASKED]
    assert engine.handle_timeout(8 * SECOND) == []
    assert engine.next_deadline() == 10 * SECOND
    assert [type(action) for action in engine.handle_timeout(10 * SECOND)] == [Expired]
    assert [type(e) for e in events[1:]] == [SaExpiring, SaExpired, SaRemoved]
    assert engine.next_deadline() is None


def test_an_inbound_sa_asks_too():
    world = World()
    world.east.install(parameters(Direction.INBOUND, lifetime=soft(packets=1)), 0)
    (sent,) = world.west.outbound(packet(), 0)
    delivered, asked = world.east.inbound(IpProtocol.ESP, sent.packet, ipv4.HEADER_LENGTH, 0)
    assert isinstance(delivered, Deliver)
    assert asked == Expiring("net", Direction.INBOUND, SPI, IpProtocol.ESP)


def test_a_removed_sa_has_no_timer():
    engine, _ = outbound_only(hard(duration=10 * SECOND))
    engine.remove(Direction.OUTBOUND, SPI)
    assert engine.next_deadline() is None


# -- sequence numbers ---------------------------------------------------------------------------------


@pytest.mark.conf("ESP-03", "AH-14")
@pytest.mark.parametrize("words", ["aes256gcm16", "ah-sha256"])
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.fault("FLT-27")
def test_the_last_number_is_used_and_none_after_it(words, extended):
    last = LAST_EXTENDED_SEQUENCE if extended else LAST_SEQUENCE
    world = World(words, sequence=last - 4, extended_sequence=extended)
    assert [len(world.carry(packet())) for _ in range(5)] == [1, 1, 1, 1, 0]
    assert [e.sequence for e in world.told(PacketOpened)] == [last - 3, last - 2, last - 1, last]
    assert world.drops == [DropReason.SEQ_EXHAUSTED]
    assert len(world.told(SaExpiring)) == 1
    (ended,) = world.told(SaExpired)
    assert (ended.limit, ended.selectors) == ("sequence numbers", tuple(map(str, NETS)))


def test_a_replacement_is_asked_for_when_a_sixteenth_of_the_numbers_is_left():
    soft_number = LAST_SEQUENCE - LAST_SEQUENCE // 16
    world = World(sequence=soft_number - 2)
    assert [len(world.west.outbound(packet(), 0)) for _ in range(3)] == [1, 2, 1]
