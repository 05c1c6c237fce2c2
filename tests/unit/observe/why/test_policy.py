"""SPD rules in the wrong order, and in the right one."""

from ipsecsim.base.diagnoses import Diagnosis
from tests.support.why import diagnoses, found_in, topology


def test_each_coarse_rule_before_a_finer_one_is_found_once():
    bob, carol = found_in("spd_order_wrong")
    assert {bob.diagnosis, carol.diagnosis} == {Diagnosis.SPD_ORDER}
    assert bob.sentence == (
        "alice: rule out|in (PROTECT) stands before the finer rule #2 (BYPASS) and takes what that one is for"
    )
    assert "rule #3 (DISCARD) stands before the finer rule #4" in carol.sentence
    assert [row.event.verdict for row in (*bob.rows, *carol.rows)] == ["protect", "discard"]


def test_a_coarse_rule_behind_the_fine_one_is_right():
    assert diagnoses("spd_order") == []


def test_an_order_that_no_packet_suffers_from_is_not_told():
    quiet = (
        topology("spd_order_wrong")
        .replace("ping alice bob, send", "send")
        .replace("ping alice", "send alice")
    )
    assert diagnoses(quiet.replace("do: send alice carol", "do: note the end")) == []
