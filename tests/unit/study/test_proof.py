"""A setting is shown to help, or not to help, by running the same topology and seed once more with it."""

from dataclasses import replace

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.study.proof import Proof, prove
from ipsecsim.study.why import why


def proved(name: str, setting: str | None = None) -> Proof | None:
    run = Run(read(name)).run()
    answer = why(run)
    if setting is not None:
        answer = replace(answer, setting=setting)
    return prove(run, answer, lambda settings: read(name, settings=settings))


def test_what_is_gone_what_is_up_and_what_gets_through_is_said():
    assert proved("esp_proposal_mismatch").differences == (
        "NO_COMMON_TRANSFORM is gone",
        "tunnel net was down and is up",
        "ping: 0 of 1 got through, now 1 of 1",
    )


def test_drops_that_are_no_more_are_counted():
    assert "REPLAY_OLD: 55 drops, now none" in proved("reordering_small_window").differences


def test_a_setting_that_does_not_help_is_said_not_to():
    proof = proved("psk_mismatch", "links.wan.delay=5ms")
    assert not proof.is_cured
    assert proof.differences == ("AUTH_PSK_MISMATCH is still there",)


def test_another_trouble_in_its_place_is_named_and_is_no_cure():
    proof = proved("psk_mismatch", "nodes.east.ipsec.connections.net.proposals=aes128gcm16-prfsha384-ecp384")
    assert not proof.is_cured
    assert proof.differences[0] == "AUTH_PSK_MISMATCH is gone"
    assert "instead there is NO_COMMON_TRANSFORM" in proof.differences


def test_where_no_setting_helps_there_is_nothing_to_prove():
    assert proved("gateway_crash_dpd") is None


def test_a_setting_that_cannot_be_made_is_refused():
    with pytest.raises(ConfigError, match=r"there is no nodes\.nobody"):
        proved("psk_mismatch", "nodes.nobody.cert=good")
