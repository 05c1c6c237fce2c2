"""No table of a node grows past its cap: a recording in which one does is noticed."""

import pytest

from ipsecsim.base.trace import TraceEvent
from ipsecsim.ipsec.events import PacketHeld
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.turn import Turn
from ipsecsim.observe.invariants.bounds import FOLLOWED, check_bounds
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import ConnectionOpened, FragmentStored
from ipsecsim.stack.nat.events import MappingEnded, MappingMade
from tests.support.builders import two_gateways

MAPPING = (17, (b"\x0a\x01\x00\x02", 1), (b"\xc0\x00\x02\x01", 1))
FILLING: dict[str, TraceEvent] = {
    "packets that wait for an SA": PacketHeld("net", b"packet"),
    "fragments that wait": FragmentStored(1, 0, 4),
    "connections of a firewall": ConnectionOpened(17, (b"\x0a\x01\x00\x02", 1), (b"\xc0\x00\x02\x01", 1), 1),
    "NAT mappings of one outside address": MappingMade(*MAPPING, 1),
}


def told(*events: TraceEvent) -> list[str]:
    """What is said when all of this happens to one node."""
    recorder = Recorder()
    for event in events:
        recorder.observe(Turn(1, 0, "node", "frame", 0), event)
    return [each.sentence for each in check_bounds(recorder, Simulator("none"))]


def test_every_table_that_is_followed_is_filled_here() -> None:
    assert {each.what for each in FOLLOWED} == set(FILLING)


@pytest.mark.parametrize("table", FOLLOWED, ids=lambda table: table.what)
def test_a_table_may_be_full_and_not_fuller(table) -> None:
    full = [FILLING[table.what]] * table.most
    assert told(*full) == []
    assert told(*full, *full[:2]) == [f"{table.what}: {table.most + 1}, and {table.most} are the most"]


def test_what_left_makes_room_and_another_outside_address_has_ports_of_its_own() -> None:
    table = next(each for each in FOLLOWED if "NAT" in each.what)
    full = [FILLING[table.what]] * table.most
    assert told(*full, MappingEnded(*MAPPING, "why"), full[0]) == []
    assert told(*full, MappingMade(17, MAPPING[1], (b"\xc0\x00\x02\x09", 1), 1)) == []


def test_too_many_children_of_an_ike_sa_are_noticed() -> None:
    world = two_gateways()
    world.ping("a", "b")
    world.run()
    (sa,) = world.gateway("west").ike.sas
    assert list(check_bounds(world.recorder, world.simulator)) == []
    sa.children.extend(sa.children * 1000)
    assert [str(each) for each in check_bounds(world.recorder, world.simulator)] == [
        "at the end, west: Child SAs of an IKE SA: 1001, and 1000 are the most"
    ]
