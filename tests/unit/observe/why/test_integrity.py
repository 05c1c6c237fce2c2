"""One algorithm, two lengths."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from tests.support.why import diagnoses, found_in, topology


def test_the_two_lengths_are_told_with_both_suites():
    (finding,) = found_in("icv_length")
    assert finding.diagnosis is Diagnosis.ICV_LEN_MISMATCH
    assert len(finding.rows) == 3
    assert "has 16 B and is looked for as one of 12 B" in finding.sentence
    assert "aes128ctr-sha256 there, aes128ctr-sha256_96 here" in finding.sentence


@pytest.mark.parametrize("proposal", ["esp_proposals: aes128-sha256", "ah_proposals: sha256"])
def test_it_is_found_where_it_shows_as_something_else(proposal):
    other = topology("icv_length").replace("esp_proposals: aes128ctr-sha256", proposal)
    if "ah" in proposal:
        other = other.replace("child.esp_proposals", "child.ah_proposals")
    assert diagnoses(other) == [Diagnosis.ICV_LEN_MISMATCH]


def test_two_ends_that_cut_it_to_the_same_length_are_well():
    both = "nodes.west.ipsec.connections.net.children.net.sha256_96"
    assert diagnoses("icv_length", settings=[(both, "yes")]) == []


def test_other_algorithms_are_left_alone():
    assert diagnoses("icv_length", settings=[("tunnels.net.child.esp_proposals", "aes128-sha384")]) == []


def test_a_packet_that_is_spoilt_on_the_way_fails_for_another_reason():
    spoilt = [("links.wan.corrupt", "50%")]
    assert diagnoses("site_to_site", settings=spoilt, do=["1s ping alice bob count=10 interval=10ms"]) == []
