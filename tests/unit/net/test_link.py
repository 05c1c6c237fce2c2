"""Queue, serialisation and delay, computed and never queued for real."""

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.nodes import Host
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.interface import Interface

ADDRESSES = [pack(f"10.1.0.{number}") for number in range(1, 5)]


class Wire:
    """Hosts on one link; `send` hands packets over in one turn."""

    def __init__(self, hosts: int = 2, **options) -> None:
        self.recorder = Recorder()
        self.simulator = Simulator("link", self.recorder.observe)
        self.link = Link("wire", self.simulator, LinkOptions(**options))
        self.hosts = [
            Host(f"h{number}", self.simulator, [(Interface("eth", ADDRESSES[number], 24), self.link)])
            for number in range(hosts)
        ]

    def send(self, *sizes: int, to: bytes = ADDRESSES[1]) -> None:
        sender = self.hosts[0]

        def work() -> None:
            for size in sizes:
                self.link.carry(sender, "eth", to, bytes(size))

        self.simulator.plan(self.simulator.now, sender, work)
        while self.simulator.step():
            pass

    @property
    def arrivals(self) -> list[int]:
        return [record.at for record, _ in self.recorder.of(FrameArrived)]

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
