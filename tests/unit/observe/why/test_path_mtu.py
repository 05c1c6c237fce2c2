"""Black holes and lost IKE fragments are found, and where somebody is told in time nothing is."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from tests.support.why import diagnoses, found_in, topology

LOSSY = """
name: lossy
nodes: {alice: {kind: host}, r: {kind: router}, bob: {kind: host}}
links:
  left: {endpoints: [alice, r], from: {r: {loss: 100%}}}
  right: {endpoints: [r, bob], mtu: 600}
script: [do: ping alice bob size=1000 df=yes count=2]
"""
"""The error is sent, and lost on its way back."""


def test_a_black_hole_is_found_with_the_place_where_the_icmp_error_ended():
    (finding,) = found_in(topology("pmtu_blackhole"))
    assert finding.diagnosis is Diagnosis.PMTU_BLACKHOLE
    assert {(row.node, row.event.reason) for row in finding.rows} == {("core", DropReason.IP_DF_TOO_BIG)}
    assert "the ICMP error ended at filter (FW_RULE)" in finding.sentence


def test_where_the_sender_is_told_there_is_no_black_hole():
    assert diagnoses(topology("pmtu_blackhole"), params={"icmp": "open"}) == []


def test_an_error_that_is_lost_on_its_way_makes_a_black_hole_too():
    (finding,) = found_in(LOSSY)
    assert finding.diagnosis is Diagnosis.PMTU_BLACKHOLE
    assert "ended at r (LINK_LOSS)" in finding.sentence


def test_fragments_of_ike_that_a_firewall_does_not_know_are_found_with_the_firewall():
    (finding,) = found_in(topology("ike_fragments_dropped"))
    assert finding.diagnosis is Diagnosis.IKE_FRAG_LOST
    assert {row.event.reason for row in finding.rows} == {DropReason.FW_RULE, DropReason.FRAG_TIMEOUT}
    assert finding.sentence.startswith("east waited in vain for the other IP fragments of 6 IKE messages")
    assert finding.sentence.endswith("they ended at filter (FW_RULE)")


@pytest.mark.parametrize("size", ["576", "4000"])
def test_where_ike_cuts_its_messages_itself_nothing_is_found(size):
    assert diagnoses(topology("ike_fragments_dropped"), params={"fragmentation": "yes", "size": size}) == []


def test_ip_fragments_that_get_through_are_no_fault():
    passing = topology("ike_fragments_dropped").replace("default: drop", "default: accept")
    assert diagnoses(passing) == []
