"""SAs that one end has lost, by a crash or on its own, and those that both ends took leave of."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from tests.support.why import diagnoses, found_in


def test_a_gateway_that_went_down_is_named_with_what_still_came_for_its_sas():
    (finding,) = found_in("gateway_crash_dpd")
    assert finding.diagnosis is Diagnosis.PEER_REBOOTED
    assert finding.sentence == (
        "east went down at 3.000 s; 2 packets still came for what it had: NODE_DOWN 1, NO_SA 1"
    )
    assert finding.rules == (("east", "net"),)


def test_a_gateway_that_nobody_misses_is_well():
    assert diagnoses("site_to_site", do=["1s crash east", "2s restart east"]) == []


def test_sas_that_were_flushed_are_stale_for_whoever_still_sends_to_them():
    (finding,) = found_in("site_to_site", do=["1s flush east", "2s ping alice bob count=2"])
    assert finding.diagnosis is Diagnosis.STALE_SA
    assert "east forgot SAs and told nobody at 1.000 s; 2 packets still came" in finding.sentence


@pytest.mark.parametrize("line", ["terminate net", "rekey net", "reauth net"])
def test_sas_that_both_ends_took_leave_of_are_no_stale_ones(line):
    lines = [f"{100 + number}ms ping alice bob" for number in range(0, 100, 10)]
    assert diagnoses("site_to_site", do=[*lines, f"150ms {line}"]) == []
