"""What the script does to nodes: they crash, come up again, reboot, and forget."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.ipsec.events import SaInstalled, SaRemoved
from ipsecsim.net.events import NodeAskedInVain, NodeCrashed, NodeStarted
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.nat.events import MappingMade
from tests.support.life import sites, told


def test_a_node_that_has_crashed_takes_nothing_in():
    run = sites("do: ping alice bob count=6 interval=500ms", "{at: 1250ms, do: crash east}")
    assert run.world.pings["ping"].received == 3
    assert told(run, NodeCrashed, "east") == [SECOND * 5 // 4]
    lost = [row.node for row, event in run.recorder.of(PacketDropped) if event.reason is DropReason.NODE_DOWN]
    assert lost
    assert set(lost) == {"east"}
    assert not [
        row
        for row, _ in run.recorder.of(IkeMessageSent)
        if row.node == "east" and row.turn.at > SECOND * 5 // 4
    ]


def test_the_sas_of_a_node_that_has_crashed_are_gone_and_its_books_are_closed():
    run = sites("do: ping alice bob", "{at: 1s, do: crash west}", until="2s")
    assert len(told(run, SaInstalled, "west")) == len(told(run, SaRemoved, "west")) == 2
    west = run.world.simulator.nodes["west"]
    assert west.ipsec.sad.all() == []
    assert west.ike.sas == ()


def test_a_packet_that_waited_for_an_sa_is_lost_in_the_crash():
    run = sites("do: ping alice bob", "{at: 5ms, do: crash west}", until="2s")
    (reason,) = {event.reason for row, event in run.recorder.of(PacketDropped) if row.node == "west"}
    assert reason is DropReason.NODE_DOWN


def test_a_restarted_gateway_begins_anew_with_other_spis():
    run = sites("do: ping alice bob", "{at: 1s, do: crash west}", "{at: 2s, do: restart west}", start="start")
    assert told(run, NodeStarted, "west") == [2 * SECOND]
    spis = [event.spi for row, event in run.recorder.of(SaInstalled) if row.node == "west"]
    assert len(spis) == len(set(spis)) == 4


def test_a_reboot_is_a_crash_and_a_restart():
    run = sites("do: ping alice bob", "{at: 1s, do: reboot west}", "{at: 7s, do: ping alice bob name=again}")
    assert told(run, NodeCrashed, "west") == [SECOND]
    assert told(run, NodeStarted, "west") == [6 * SECOND]
    assert run.world.pings["again"].received == 1


def test_who_is_down_does_not_do_what_the_script_asks_for():
    run = sites("do: crash alice", "{at: 1s, do: [ping alice bob, crash alice]}", "{at: 2s, do: note on}")
    assert told(run, NodeAskedInVain, "alice") == [SECOND, SECOND]
    assert "ping" not in run.world.pings


def test_a_restart_of_what_is_up_changes_nothing():
    run = sites("do: ping alice bob", "{at: 1s, do: restart west}")
    assert told(run, NodeStarted, "west") == []
    assert len(told(run, SaInstalled, "west")) == 2


def test_a_packet_that_was_on_its_way_through_a_short_crash_arrives():
    run = sites(
        "do: ping alice bob",
        "{at: 1s, do: ping alice east name=short}",
        "{at: 1001ms, do: crash alice}",
        "{at: 1002ms, do: restart alice}",
    )
    assert not [event for row, event in run.recorder.of(PacketDropped) if row.node == "alice"]


def test_flush_makes_a_gateway_forget_without_a_word():
    run = sites("do: ping alice bob", "{at: 1s, do: flush west}", until="2s")
    assert told(run, SaRemoved, "west") == [SECOND, SECOND]
    assert not [at for at in told(run, IkeMessageSent, "west") if at >= SECOND]
    assert run.world.simulator.nodes["east"].ike.sas


HOME = """
name: home
until: 20s
nodes: {pc: {kind: host}, box: {kind: nat}, internet: {kind: router}, server: {kind: host}}
links: {lan: [pc, box], dsl: [box, internet], web: [internet, server]}
script:
  - do: ping pc server count=10 interval=1s
  - {at: 1500ms, do: VERB box}
"""


def test_a_nat_that_was_flushed_gives_the_same_port_again_and_one_that_rebooted_another():
    for verb, same in (("flush", True), ("reboot", False)):
        run = Run(read(HOME.replace("VERB", verb))).run()
        before, after = (event.outside for _, event in run.recorder.of(MappingMade))
        assert (before == after) is same, verb
        assert check(run.recorder, run.world.simulator) == []


def test_the_rules_that_a_firewall_was_given_are_those_after_its_crash():
    text = """
name: guarded
nodes: {pc: {kind: host}, box: {kind: firewall, firewall: open}, server: {kind: host}}
links: {lan: [pc, box], web: [box, server]}
script:
  - do: ping pc server count=6 interval=1s
  - {at: 1500ms, do: set nodes.box.firewall.default drop}
  - {at: 2500ms, do: crash box}
  - {at: 3500ms, do: restart box}
"""
    run = Run(read(text)).run()
    assert run.world.results["ping"].received == 2
    reasons = [event.reason for row, event in run.recorder.of(PacketDropped) if row.node == "box"]
    assert reasons == [DropReason.FW_RULE, DropReason.NODE_DOWN, DropReason.FW_RULE, DropReason.FW_RULE]
