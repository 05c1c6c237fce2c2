"""Faults that somebody makes: a session sent again, routes in a circle, a bug (tests/data/faults.csv)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import StateChanged
from ipsecsim.ipsec.events import PacketOpened, SaInstalled, SaRemoved
from ipsecsim.net.events import PacketReplayed
from ipsecsim.observe.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import EchoAnswered, PacketForwarded
from tests.support.life import sites


@pytest.mark.fault("FLT-22")
def test_a_whole_session_that_is_sent_again_delivers_nothing_twice_and_changes_no_tunnel():
    run = Run(read("replay_attack")).run()
    assert check(run.recorder, run.world.simulator) == []
    began = min(row.turn.at for row, _ in run.recorder.of(PacketReplayed))
    before, after = (
        [(event.direction, event.spi) for _, event in run.recorder.of(SaInstalled)],
        [
            row
            for kind in (SaInstalled, SaRemoved)
            for row, _ in run.recorder.of(kind)
            if row.turn.at >= began
        ],
    )
    assert len(before) == 4
    assert after == []
    opened = [(row.node, event.spi, event.sequence) for row, event in run.recorder.of(PacketOpened)]
    assert len(opened) == len(set(opened)) == 8
    # east begins to answer an initiator that is not there, and that is all that any IKE SA does
    steps = {event.after for row, event in run.recorder.of(StateChanged) if row.turn.at >= began}
    assert steps <= {"INIT_ANSWERED", "DEAD"}


@pytest.mark.fault("FLT-23")
def test_what_was_recorded_before_new_keys_and_before_a_crash_is_worth_nothing_afterwards():
    """Every SPI is fresh, so that no old packet meets a new SA."""
    text = """
name: recorded
until: 12s
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
  mallory: {kind: attacker, tap: wan}
links:
  left: [alice, west]
  wan: {endpoints: [west, east], delay: 10ms}
  right: [east, bob]
tunnels:
  net: {ends: [west, east], child: {start_action: start}}
script:
  - {at: 1s, do: ping alice bob count=3 interval=100ms}
  - {at: 2s, do: rekey net}
  - {at: 3s, do: rekey net sa=ike}
  - {at: 4s, do: ping alice bob name=new count=3 interval=100ms}
  - {at: 5s, do: replay mallory}
  - {at: 6s, do: crash west}
  - {at: 7s, do: restart west}
  - {at: 8s, do: replay mallory}
  - {at: 10s, do: ping alice bob name=last}
"""
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert [run.world.results[name].received for name in ("ping", "new", "last")] == [3, 3, 1]
    inbound = [event.spi for _, event in run.recorder.of(SaInstalled) if event.direction == "in"]
    assert len(inbound) == len(set(inbound)) == 6
    assert len([row for row, _ in run.recorder.of(EchoAnswered) if row.node == "bob"]) == 7
    replayed = {event.packet for _, event in run.recorder.of(PacketReplayed)}
    drops = [event for _, event in run.recorder.of(PacketDropped) if event.packet in replayed]
    reasons = {event.reason for event in drops}
    assert {DropReason.NO_SA, DropReason.REPLAY_SEEN} <= reasons


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
