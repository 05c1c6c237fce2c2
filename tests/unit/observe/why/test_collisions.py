"""Both ends want new keys at once, and the old ones end before anybody asks again."""

from ipsecsim.base.diagnoses import Diagnosis
from tests.support.why import diagnoses, found_in, topology


def test_an_ike_sa_that_ends_while_its_node_waits_is_named_with_what_still_came_for_it():
    (finding,) = found_in("rekey_collision")
    assert finding.diagnosis is Diagnosis.REKEY_COLLISION
    assert finding.sentence == (
        "east: its peer was busy at 10.250 s, it was to ask again at 21.499 s, "
        "and the IKE SA ended at 11.150 s; 5 packets still came for it"
    )


def test_one_that_lives_until_it_may_ask_again_is_well():
    longer = [("nodes.east.ipsec.connections.net.over_time", "60s")]
    assert diagnoses(topology("rekey_collision"), settings=longer) == []


def test_a_refusal_for_another_reason_is_no_collision():
    assert set(diagnoses("pfs_mismatch")) == {Diagnosis.PFS_MISMATCH_LATENT}
