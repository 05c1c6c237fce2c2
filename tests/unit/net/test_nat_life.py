"""What happens to a NAT while it serves: its table is lost, its ports are others, its outside address changes."""

from collections.abc import Callable

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import EchoReplyReceived
from ipsecsim.net.node import Node
from ipsecsim.net.translation import Translation
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.nat.events import MappingEnded, MappingMade

HOME = """
name: home
until: 20s
nodes:
  pc: {kind: host}
  box: {kind: nat, nat: NAT}
  internet: {kind: router}
  server: {kind: host}
links:
  lan: [pc, box]
  dsl: [box, internet]
  web: [internet, server]
script:
  - do: ping pc server count=10 interval=1s
"""


def home(work: Callable[[Translation], None], nat: str = "home_router") -> Run:
    """Ten pings, one a second; after four and a half seconds something happens to the box."""
    run = Run(read(HOME.replace("NAT", nat)))
    simulator = run.world.simulator
    box: Node = simulator.nodes["box"]
    assert box.translation is not None
    translation = box.translation
    simulator.plan(4 * SECOND + SECOND // 2, box, lambda: work(translation))
    run.run()
    assert check(run.recorder, simulator) == []
    assert len(run.recorder.of(EchoReplyReceived)) == 10
    return run


def outside_of(run: Run) -> list[tuple[str, int]]:
    return [(unpack(event.outside[0]), event.outside[1]) for _, event in run.recorder.of(MappingMade)]


def test_a_table_that_was_emptied_fills_again_with_the_same_ports():
    run = home(lambda translation: translation.forget("somebody emptied the table"))
    before, after = outside_of(run)
    assert before == after
    assert [event.why for _, event in run.recorder.of(MappingEnded)] == ["somebody emptied the table"]


def test_a_box_that_was_switched_off_and_on_gives_other_ports():
    for nat in ("home_router", "symmetric", "carrier_grade", "hotel"):
        before, after = outside_of(home(lambda translation: translation.reboot(), nat))
        assert before[0] == after[0]
        assert before[1] != after[1], nat


def test_a_box_that_was_moved_has_another_address_outside_and_answers_find_it():
    new = pack("192.0.2.77")
    run = home(lambda translation: translation.move([new]))
    before, after = outside_of(run)
    assert before[0] != after[0] == "192.0.2.77"
    link = run.world.simulator.links["dsl"]
    assert link.owners[new][0].name == "box"


def test_a_box_that_moves_on_leaves_the_address_it_had_from_its_pool():
    first, second = pack("192.0.2.77"), pack("192.0.2.78")
    run = home(lambda translation: translation.move([second]), f"{{pool: [{unpack(first)}]}}")
    assert [address for address, _ in outside_of(run)] == ["192.0.2.77", "192.0.2.78"]
    owners = run.world.simulator.links["dsl"].owners
    assert first not in owners
    assert owners[second][0].name == "box"
    assert owners[run.world.simulator.nodes["box"].address][0].name == "box", "its own it keeps"
