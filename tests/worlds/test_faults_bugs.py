"""Faults of whoever builds a world: routes in a circle, a bug (tests/data/faults.csv)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import PacketForwarded
from tests.support.life import sites


@pytest.mark.fault("FLT-33")
def test_a_routing_loop_ends_with_the_time_to_live():
    text = """
name: circle
nodes:
  alice: {kind: host}
  one: {kind: router, routes: [10.7.0.0/24 via=two]}
  two: {kind: router, routes: [10.7.0.0/24 via=one]}
  three: {kind: router}
  bob: {kind: host}
links:
  left: [alice, one]
  middle: [one, two]
  right: [two, three]
  far: {endpoints: [three, bob], net: 10.7.0.0/24}
script: [do: ping alice bob]
"""
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert len(run.recorder.of(PacketForwarded)) <= 64 + 1, "and one for the router's complaint"
    reasons = [event.reason for _, event in run.recorder.of(PacketDropped)]
    assert reasons == [DropReason.IP_TTL]


@pytest.mark.fault("FLT-33")
def test_what_comes_out_of_a_tunnel_and_is_routed_back_into_the_world_is_stopped_by_policy():
    run = sites(
        "do: ping alice bob",
        "{at: 1s, do: ping alice bob name=again}",
        until="3s",
        settings=(("nodes.east.routes", "[10.2.0.0/24 via=west]"),),
    )
    dropped = [(row.node, event.reason) for row, event in run.recorder.of(PacketDropped)]
    assert dropped == [("east", DropReason.SPD_NO_MATCH)] * 2


class Bug(Exception):
    """A mistake of ours, in the middle of a turn."""


@pytest.mark.fault("FLT-37")
def test_a_bug_in_one_node_reaches_whoever_runs_the_world_with_its_turn():
    run = Run(read("site_to_site", do=["2s ping alice bob name=late"]))
    east = run.world.simulator.nodes["east"]

    def fail(*_: object) -> None:
        raise Bug("in the stack of east")

    run.world.simulator.plan(SECOND, east, lambda: setattr(east.stack, "receive", fail))
    with pytest.raises(Bug, match="in the stack of east"):
        run.run()
    assert run.world.results["ping"].received == 1
    (node,) = {row.node for row in run.recorder.turn(run.turns)}
    assert node == "east"
