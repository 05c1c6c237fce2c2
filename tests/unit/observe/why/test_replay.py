"""A window that is too small for its path, one that is not, and copies that it is there to refuse."""

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from tests.support.why import diagnoses, found_in, topology

LAN = """
name: copies
nodes: {alice: {kind: host}, bob: {kind: host}}
links: {lan: {endpoints: [alice, bob], duplicate: 50%, reorder: 50%, delay: 5ms}}
tunnels: {pair: {ends: [alice, bob], child: {mode: transport, replay_window: 32}}}
script: [do: ping alice bob count=20 interval=1ms]
"""


def test_a_window_that_urgent_packets_overtake_is_too_small():
    (finding,) = found_in("priority_and_replay")
    assert finding.diagnosis is Diagnosis.REPLAY_WINDOW_TOO_SMALL
    assert {row.event.reason for row in finding.rows} == {DropReason.REPLAY_OLD}
    assert {row.node for row in finding.rows} == {"east"}


def test_the_window_that_the_finding_asks_for_is_the_smallest_that_is_large_enough():
    (finding,) = found_in("priority_and_replay")
    enough = int(finding.sentence.partition("one of ")[2].split()[0])
    wide = topology("priority_and_replay").replace("replay_window: 32", f"replay_window: {enough}")
    assert diagnoses(wide) == []
    narrow = topology("priority_and_replay").replace("replay_window: 32", f"replay_window: {enough - 1}")
    assert diagnoses(narrow) == [Diagnosis.REPLAY_WINDOW_TOO_SMALL]


def test_copies_that_the_window_refuses_are_its_work():
    assert diagnoses(LAN) == []
