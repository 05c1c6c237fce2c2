"""Counting what nodes and links have handled."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND
from ipsecsim.observe.counters import Counters, LinkCounters, count
from tests.support.builders import World, two_gateways


def test_one_ping_through_a_tunnel_that_is_up() -> None:
    world = two_gateways()
    world.initiate("west")
    world.run()
    before = len(world.recorder.rows)
    world.ping("a", "b", at=world.simulator.now)
    world.run()
    counters = count(world.recorder.rows[before:])
    assert counters.links == {
        "lan_a": LinkCounters(2, 168),
        "wan_west": LinkCounters(2, 280),
        "wan_east": LinkCounters(2, 280),
        "lan_b": LinkCounters(2, 168),
    }
    west = counters.nodes["west"]
    assert (west.packets_received, west.bytes_received) == (2, 84 + 140)
    assert (west.packets_sent, west.bytes_sent) == (2, 84 + 140)
    assert (west.forwarded, west.originated, west.delivered) == (2, 1, 0)
    assert (counters.nodes["internet"].forwarded, counters.nodes["b"].delivered) == (2, 1)


def test_drops_by_reason_and_lost_frames() -> None:
    world = two_gateways(wan_rate=64_000, wan_queue=1)
    world.ping("a", "b", count=8, interval=MILLISECOND)
    counters = count(world.run().recorder.rows)
    assert counters.nodes["internet"].dropped[DropReason.QUEUE_FULL] == counters.links["wan_east"].lost > 0
    assert counters.nodes["b"].dropped.total() == 0


def test_up_to_the_cursor(ping_world: World) -> None:
    rows = ping_world.recorder.rows
    assert count([]) == Counters()
    middle = count(rows[: len(rows) // 4])
    assert 0 < middle.nodes["a"].packets_sent < count(rows).nodes["a"].packets_sent


def test_what_is_sent_is_received_when_nothing_is_lost(ping_world: World) -> None:
    nodes = count(ping_world.recorder.rows).nodes.values()
    assert sum(node.bytes_sent for node in nodes) == sum(node.bytes_received for node in nodes)
