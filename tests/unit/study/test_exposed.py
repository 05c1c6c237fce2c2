"""What an attacker came to have is found, and only where she has it."""

import pytest

from ipsecsim.base.exposures import Exposure
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.study.exposed import Exposed, exposed


def given_away(name: str, *settings: tuple[str, str]) -> list[Exposed]:
    return list(exposed(Run(read(name, settings=settings)).run()))


def test_a_forgery_that_was_believed_is_one_finding_for_who_believed_it():
    (found,) = given_away("encryption_only")
    assert found.exposure is Exposure.FORGERY_BELIEVED
    assert {row.node for row in found.rows} == {"east"}
    assert len(found.rows) == 3
    assert found.sentence == "east opened 3 packets after mallory had changed what was encrypted"


@pytest.mark.parametrize("suite", ["aes128-sha256", "aes128gcm16"])
def test_where_somebody_checks_nothing_is_given_away(suite):
    assert given_away("encryption_only", ("tunnels.net.child.esp_proposals", suite)) == []


def test_encryption_alone_gives_nothing_away_until_somebody_changes_it():
    assert (
        given_away("encryption_only", ("script", "[{do: ping alice bob}]"), ("expect", "{ping: received 1}"))
        == []
    )


def test_what_a_nat_rewrites_around_it_is_no_forgery():
    assert given_away("esp_meets_nat", ("tunnels.esp.child.esp_proposals", "aes128")) == []
