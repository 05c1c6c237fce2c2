"""Sites and the ways to join them: what the parameters of these topologies change."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import IkeMessageSent, IkeRekeyed
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.events import FrameSent
from ipsecsim.scenario import read
from ipsecsim.wire import ip


def sizes(**params: str) -> list[int]:
    """The lengths of the four messages that moon and sun exchange."""
    run = Run(read("illustrated_ikev2", params=params)).run()
    return [event.length for _, event in run.recorder.of(IkeMessageSent)]


def test_the_four_messages_have_no_byte_too_many():
    assert sizes() == [200, 200, 201, 200]


@pytest.mark.parametrize("name", ["a.b", "moon.example", "gateway.of.the.moon.example"])
def test_the_third_message_grows_with_the_name_of_its_sender_alone(name):
    assert sizes(moon_id=name) == [200, 200, 189 + len(name), 200]


def test_another_secret_changes_no_length():
    assert sizes(psk="a quite different secret") == sizes()


@pytest.mark.parametrize("name", ["four_in_six", "six_in_four"])
def test_one_version_is_inside_and_the_other_outside(name):
    run = Run(read(name)).run()
    inner = {ip.version(event.inner) for _, event in run.recorder.of(PacketSealed)}
    outer = {ip.version(event.packet) for _, event in run.recorder.of(FrameSent) if event.link == "wan"}
    assert (inner, outer) == (({4}, {6}) if name == "four_in_six" else ({6}, {4}))


def renewals(**params: str) -> list[int]:
    """The whole seconds in which IKE SAs of the hub and its branches got new keys."""
    run = Run(read("hub_and_spoke", params={"branches": "3", **params})).run()
    assert all(verdict.is_met for verdict in run.verdicts())
    return [row.at // 10**9 for row, _ in run.recorder.of(IkeRekeyed) if row.node == "hub"]


def test_without_jitter_all_branches_get_new_keys_in_the_same_second():
    assert renewals() == [600, 600, 600]


def test_with_jitter_each_has_a_moment_of_its_own():
    moments = renewals(spread="5m")
    assert len(moments) >= 3
    assert len(set(moments)) == len(moments)
    assert all(300 <= moment <= 720 for moment in moments)
