"""A rule that sleeps while its tunnel is down, and one that does not."""

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.net.events import FrameSent
from tests.support.why import diagnoses, found_in


def test_what_leaves_in_clear_is_found_at_each_gateway_that_lets_it():
    west, east = found_in("leak_while_down")
    assert west.diagnosis is east.diagnosis is Diagnosis.PLAINTEXT_LEAK
    assert west.rules == (("west", "net"),)
    assert east.sentence.startswith("east: 2 packets left in clear; the first: sent in clear on wan though")
    assert all(isinstance(row.event, FrameSent) for row in (*west.rows, *east.rows))


def test_a_trap_lets_nothing_pass():
    assert diagnoses("leak_trap") == []


def test_a_rule_that_lets_it_pass_before_the_one_that_protects_is_meant():
    assert diagnoses("spd_order") == []
