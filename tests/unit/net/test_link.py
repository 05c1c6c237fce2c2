"""Queue, serialisation and delay, computed and never queued for real."""

from itertools import groupby
from statistics import mean, stdev

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameArrived, FrameCorrupted, FrameDoubled, FrameLost, FrameSent
from ipsecsim.net.impairments import Burst, Fate, Impairments
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.nodes import Host
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.interface import Interface
from ipsecsim.wire import ip, ipv4

ADDRESSES = [pack(f"10.1.0.{number}") for number in range(1, 5)]


class Wire:
    """Hosts on one link; `send` hands packets over in one turn."""

    def __init__(self, hosts: int = 2, from_nodes=None, **options) -> None:
        self.recorder = Recorder()
        self.simulator = Simulator("link", self.recorder.tell)
        self.link = Link("wire", self.simulator, LinkOptions(**options), from_nodes)
        self.hosts = [
            Host(f"h{number}", self.simulator, [(Interface("eth", ADDRESSES[number], 24), self.link)])
            for number in range(hosts)
        ]

    def send(self, *sizes: int, to: bytes = ADDRESSES[1], by: int = 0) -> None:
        self.send_packets(*(bytes(size) for size in sizes), to=to, by=by)

    def send_packets(self, *packets: bytes, to: bytes = ADDRESSES[1], by: int = 0) -> None:
        sender = self.hosts[by]

        def work() -> None:
            for packet in packets:
                self.link.carry(sender, "eth", to, packet)

        self.simulator.plan(self.simulator.now, sender, work)
        while self.simulator.step():
            pass

    @property
    def arrivals(self) -> list[int]:
        return [record.at for record, _ in self.recorder.of(FrameArrived)]

    def arrivals_at_h1(self) -> list[tuple[Record, FrameArrived]]:
        return [(record, event) for record, event in self.recorder.of(FrameArrived) if record.node == "h1"]

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for _, event in self.recorder.of(PacketDropped) if event.reason.layer == "link"]


def test_delay_alone():
    wire = Wire(delay=ms(3))
    wire.send(100, 1000)
    assert wire.arrivals == [ms(3), ms(3)]


def test_packets_leave_one_after_the_other():
    wire = Wire(delay=ms(1), rate=8_000_000)  # one byte a microsecond
    wire.send(1000, 500)
    assert wire.arrivals == [ms(2), ms(2.5)]


def test_a_link_is_free_again_after_a_pause():
    wire = Wire(rate=8_000_000)
    wire.send(1000)
    start = wire.simulator.now
    wire.send(1000)
    assert wire.arrivals == [ms(1), start + ms(1)]


def test_a_full_queue_drops_the_tail():
    wire = Wire(rate=8_000, queue_packets=2)
    wire.send(100, 100, 100, 100)
    assert len(wire.arrivals) == 3  # one on the wire, two waiting
    assert wire.drops == [DropReason.QUEUE_FULL]
    assert len(wire.recorder.of(FrameSent)) == 4
    assert len(wire.recorder.of(FrameLost)) == 1


def test_a_queue_may_be_bounded_in_bytes():
    wire = Wire(rate=8_000, queue_bytes=250)
    wire.send(100, 100, 100)
    assert wire.drops == [DropReason.QUEUE_FULL]


def test_nobody_has_that_address():
    wire = Wire()
    wire.send(100, to=ADDRESSES[3])
    assert wire.drops == [DropReason.NO_NEIGHBOUR]


def test_a_cable_that_is_down_carries_nothing():
    wire = Wire(up=False)
    wire.send(100)
    assert wire.drops == [DropReason.LINK_DOWN]


def test_a_lan_hands_the_packet_to_the_owner_of_the_next_hop():
    wire = Wire(hosts=4)
    wire.send(100, to=ADDRESSES[2])
    assert [record.node for record, _ in wire.recorder.of(FrameArrived)] == ["h2"]


# -- what happens by chance -------------------------------------------------------------------------


def test_a_link_loses_what_it_is_said_to_lose():
    wire = Wire(impairments=Impairments(loss=10.0))
    wire.send(*[100] * 2000)
    assert set(wire.drops) == {DropReason.LINK_LOSS}
    assert len(wire.drops) + len(wire.arrivals) == 2000
    assert 150 < len(wire.drops) < 250


def test_nothing_and_everything_are_possible():
    for percent, arrive in ((0.0, 50), (100.0, 0)):
        wire = Wire(impairments=Impairments(loss=percent, duplicate=1e-9))
        wire.send(*[100] * 50)
        assert len(wire.arrivals) == arrive


def runs(lost: list[bool]) -> list[int]:
    """How many packets in a row each burst of losses took."""
    return [len(list(group)) for is_lost, group in groupby(lost) if is_lost]


def test_losses_come_in_bursts():
    """Gilbert and Elliott: a bad state lasts 1 / r packets on average, and begins with p."""
    fate = Fate(Impairments(loss=Burst(1.0, 25.0)), SeededEntropy("bursts"))
    lost = [fate.is_lost() for _ in range(20_000)]
    assert 0.02 < sum(lost) / len(lost) < 0.06  # p / (p + r) is 3.8 %
    assert 3 < mean(runs(lost)) < 5
    alone = Fate(Impairments(loss=3.8), SeededEntropy("bursts"))
    assert mean(runs([alone.is_lost() for _ in range(20_000)])) < 1.2


def test_a_doubled_frame_arrives_twice_and_the_second_has_a_number_of_its_own():
    wire = Wire(impairments=Impairments(duplicate=100.0))
    wire.send(100)
    ((_, doubled),) = wire.recorder.of(FrameDoubled)
    assert [event.frame for _, event in wire.recorder.of(FrameArrived)] == [doubled.original, doubled.frame]


def test_one_bit_of_a_corrupted_frame_is_wrong():
    wire = Wire(impairments=Impairments(corrupt=100.0))
    wire.send(100)
    ((_, arrived),) = wire.recorder.of(FrameArrived)
    assert int.from_bytes(arrived.packet, "big").bit_count() == 1
    assert [event.packet for _, event in wire.recorder.of(FrameCorrupted)] == [arrived.packet]


@pytest.mark.parametrize("kind", ["uniform", "normal", "pareto", "paretonormal"])
def test_jitter_spreads_the_delay_around_what_it_is(kind):
    fate = Fate(Impairments(jitter=ms(1), distribution=kind), SeededEntropy(kind))
    delays = [fate.delay(ms(10)) for _ in range(5000)]
    assert abs(mean(delays) - ms(10)) < ms(0.1)
    assert ms(0.5) < stdev(delays) < ms(1.3)
    assert min(delays) >= 0


def test_a_packet_that_is_reordered_does_not_travel_at_all():
    fate = Fate(Impairments(reorder=25.0), SeededEntropy("reorder"))
    delays = [fate.delay(ms(10)) for _ in range(1000)]
    assert set(delays) == {0, ms(10)}
    assert 200 < delays.count(0) < 300


def test_more_loss_does_not_change_which_frames_are_doubled():
    few, many = (
        Fate(Impairments(loss=loss, duplicate=20.0), SeededEntropy("streams")) for loss in (1.0, 50.0)
    )
    drawn = [[(fate.is_lost(), fate.is_doubled())[1] for _ in range(200)] for fate in (few, many)]
    assert drawn[0] == drawn[1]


def test_each_direction_has_its_own_chances():
    wire = Wire(from_nodes={"h0": LinkOptions(impairments=Impairments(loss=100.0))})
    wire.send(100)
    assert wire.drops == [DropReason.LINK_LOSS]
    wire.send(100, to=ADDRESSES[0], by=1)
    assert len(wire.arrivals) == 1


# -- who goes first ---------------------------------------------------------------------------------


def marked(dscp: int) -> bytes:
    return ipv4.build(ADDRESSES[0], ADDRESSES[1], 253, bytes(80), tos=dscp << 2)


def test_the_highest_dscp_leaves_first_and_within_it_the_oldest():
    wire = Wire(delay=ms(1), rate=800_000, priority=True)
    wire.send_packets(*(marked(dscp) for dscp in (0, 0, 46, 10, 46)))
    arrivals = wire.arrivals_at_h1()
    dscps = [ip.traffic_class(event.packet) >> 2 for _, event in arrivals]
    assert dscps == [0, 46, 46, 10, 0], "the first was on its way before there was a choice"
    assert [record.at for record, _ in arrivals] == [ms(2 + each) for each in range(5)]
    assert {record.turn.cause for record, _ in arrivals} == {1}, "all were sent in the first turn"


def test_a_priority_queue_is_bounded_too():
    wire = Wire(rate=800_000, priority=True, queue_packets=2)
    wire.send_packets(*(marked(0) for _ in range(5)))
    assert wire.drops == [DropReason.QUEUE_FULL] * 2
