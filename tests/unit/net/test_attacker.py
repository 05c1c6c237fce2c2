"""An attacker on the path: what it sees, keeps, spoils and sends again, and what it can not do."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import BitFlipped, FrameSent, NothingSeen, PacketReplayed
from ipsecsim.net.nodes import attacker as attackers
from ipsecsim.net.nodes.attacker import Attacker, Deed, Order
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways


def is_esp(_: str, packet: bytes) -> bool:
    return packet[9] == IpProtocol.ESP


def anything(_: str, __: bytes) -> bool:
    return True


@pytest.fixture
def world() -> World:
    """Mallory taps both links between the gateways; a ping each second for four seconds."""
    world = two_gateways()
    mallory = Attacker("mallory", world.simulator, [])
    for link in ("wan_west", "wan_east"):
        mallory.tap_link(world.simulator.links[link])
    world.ping("a", "b", count=4)
    return world


def mallory(world: World) -> Attacker:
    node = world.nodes["mallory"]
    assert isinstance(node, Attacker)
    return node


def plan(world: World, at: int, work) -> None:
    world.simulator.plan(at, mallory(world), lambda: work(mallory(world)))


def drops(world: World) -> list[DropReason]:
    return [event.reason for _, event in world.recorder.of(PacketDropped)]


def finish(world: World) -> World:
    world.run()
    assert check(world.recorder, world.simulator) == []
    return world


def test_one_that_only_looks_changes_no_frame(world):
    def frames(each: World) -> list[bytes]:
        return [event.packet for _, event in each.recorder.of(FrameSent)]

    untouched = two_gateways()
    untouched.ping("a", "b", count=4)
    assert frames(finish(world)) == frames(untouched.run())


def test_what_passes_is_taken_out_as_often_as_asked(world):
    plan(world, 500 * MILLISECOND, lambda each: each.order(Order(Deed.DROP, is_esp, left=1), "words"))
    finish(world)
    assert drops(world) == [DropReason.ADVERSARY_DROP]


def test_without_a_number_it_goes_on_for_ever(world):
    plan(world, 500 * MILLISECOND, lambda each: each.order(Order(Deed.DROP, is_esp), "words"))
    finish(world)
    assert drops(world) == [DropReason.ADVERSARY_DROP] * 3


def test_two_are_at_least_an_interval_apart(world):
    order = Order(Deed.DROP, is_esp, interval=3 * SECOND // 2)
    plan(world, 500 * MILLISECOND, lambda each: each.order(order, "words"))
    finish(world)
    rows = [row.at // SECOND for row, _ in world.recorder.of(PacketDropped)]
    assert rows == [1, 3]  # the ping of second 2 comes too soon


def test_a_flipped_bit_is_noticed_where_a_key_is_needed(world):
    plan(world, 500 * MILLISECOND, lambda each: each.order(Order(Deed.FLIP, is_esp, left=1), "words"))
    finish(world)
    ((row, flip),) = world.recorder.of(BitFlipped)
    assert (row.node, flip.attacker, flip.link) == ("west", "mallory", "wan_west")
    assert drops(world) == [DropReason.ICV_FAIL]


def test_what_was_seen_is_sent_again_to_whom_it_was_for_and_does_nothing(world):
    plan(world, 10 * SECOND, lambda each: each.replay(is_esp, None, 0))
    finish(world)
    sent = [event.packet for _, event in world.recorder.of(PacketReplayed)]
    assert len(sent) == 4 * 2 * 2  # four pings, there and back, on two links
    # what is replayed on the first link is forwarded to the gateway, too
    assert set(drops(world)) == {DropReason.REPLAY_SEEN}
    assert len(world.recorder.of(PacketOpened)) == 8


def test_a_number_of_packets_goes_round_and_round_at_the_pace_asked_for(world):
    plan(
        world,
        10 * SECOND,
        lambda each: each.replay(lambda link, p: link == "wan_east" and is_esp(link, p), 20, SECOND),
    )
    finish(world)
    rows = [(row.at // SECOND, event.packet) for row, event in world.recorder.of(PacketReplayed)]
    assert [at for at, _ in rows] == list(range(10, 30))
    assert [packet for _, packet in rows[8:16]] == [packet for _, packet in rows[:8]]


def test_where_nothing_fits_nothing_is_sent(world):
    plan(world, 10 * SECOND, lambda each: each.replay(lambda *_: False, 5, 0))
    finish(world)
    assert len(world.recorder.of(NothingSeen)) == 1
    assert not world.recorder.of(PacketReplayed)


def test_its_memory_is_bounded(world, monkeypatch):
    monkeypatch.setattr(attackers, "MOST_SEEN", 6)
    other = Attacker("oscar", world.simulator, [])
    other.tap_link(world.simulator.links["wan_east"])
    world.simulator.plan(10 * SECOND, other, lambda: other.replay(anything, None, 0))
    finish(world)
    assert len(world.recorder.of(PacketReplayed)) == 6


def test_a_link_that_is_down_carries_nothing_of_it_either(world):
    def cut_and_replay(each: Attacker) -> None:
        world.simulator.links["wan_east"].options.up = False
        each.replay(lambda link, _: link == "wan_east", 3, 0)

    plan(world, 10 * SECOND, cut_and_replay)
    finish(world)
    assert drops(world) == [DropReason.LINK_DOWN] * 3
