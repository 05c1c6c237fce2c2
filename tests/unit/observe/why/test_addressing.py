"""Networks with the same numbers, and packets from where no rule looks."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from tests.support.why import diagnoses, found_in, topology


def test_the_same_numbers_on_both_sides_are_found():
    (finding,) = found_in("overlapping_subnets")
    assert finding.diagnosis is Diagnosis.SUBNET_OVERLAP
    assert [row.node for row in finding.rows] == ["alice"]
    assert "10.1.0.102 on its own network, 10.1.0.0/24, and bob has it on right" in finding.sentence


def test_other_numbers_on_the_right_are_well():
    other = topology("overlapping_subnets").replace(
        "net: 10.1.0.0/24, addrs: {east: 10.1.0.101, bob: 10.1.0.102}", "net: 10.2.0.0/24"
    )
    assert diagnoses(other) == []


def test_a_neighbour_whose_interface_is_down_is_no_overlap():
    """It has the address still, and nobody has it on another link."""
    lan = """
name: lan
nodes: {alice: {kind: host}, carol: {kind: host, interfaces: {cable: {state: down}, wifi: {}}}}
links: {lan: [alice, carol:cable], air: [alice, carol:wifi]}
script: [do: ping alice carol]
expect: {drops: NO_NEIGHBOUR}
"""
    assert diagnoses(lan) == []


def test_what_the_gateway_sends_itself_is_outside_the_selectors():
    (finding,) = found_in("ping_from_gateway")
    assert finding.diagnosis is Diagnosis.SRC_NOT_IN_TS
    assert finding.sentence.startswith("west: 1 packet from 192.0.2.1 met no rule; rule net is for")
    assert finding.rules == (("west", "net"),)


@pytest.mark.parametrize(
    "line",
    [
        "ping alice bob",  # from inside
        "ping alice east",  # no rule is for what goes there, wherever it comes from
    ],
)
def test_what_comes_from_inside_is_no_matter_of_its_source(line):
    assert Diagnosis.SRC_NOT_IN_TS not in diagnoses("site_to_site", do=[f"1s {line}"])


def test_what_a_stranger_sends_in_clear_is_no_matter_of_its_source():
    assert diagnoses("site_to_site", do=["1s ping east alice", "2s ping west alice"]) == [
        Diagnosis.SRC_NOT_IN_TS
    ]
