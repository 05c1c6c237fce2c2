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


def test_a_common_word_is_found_by_who_posed_as_the_peer():
    (found,) = given_away("weak_psk")
    assert (found.exposure, found.by) == (Exposure.SECRET_GUESSED, "mallory")
    assert "'letmein'" in found.sentence


@pytest.mark.parametrize("secret", ["Letmein", "0x" + 32 * "5a"])
def test_a_secret_that_is_no_common_word_is_not_found(secret):
    assert given_away("weak_psk", ("nodes.carol.ipsec.secrets.ike-home.secret", secret)) == []


def test_a_common_word_gives_nothing_away_where_the_peer_is_the_true_one():
    assert given_away("weak_psk", ("nodes.mallory.ipsec.secrets.ike-home.secret", "letmein")) == []


def test_it_is_found_behind_a_cookie_and_another_group_too():
    """AUTH is over the request that was answered, and not over the one before it (RFC 7296 2.15)."""
    group = ("nodes.mallory.ipsec.connections.home.proposals", "aes256-sha256-ecp256")
    offer = ("nodes.carol.ipsec.connections.home.proposals", "aes256-sha256-x25519-ecp256")
    (found,) = given_away("weak_psk", group, offer)
    assert "'letmein'" in found.sentence


def test_a_link_that_spoils_bits_by_chance_is_no_attacker():
    quiet = ("script", "[{do: ping alice bob count=40 interval=10ms}]")
    assert (
        given_away("encryption_only", quiet, ("links.access.corrupt", "50%"), ("expect", "{leaks: none}"))
        == []
    )
