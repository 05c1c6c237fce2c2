"""A peer that can do no more than it must: four messages, and answers to INFORMATIONAL (RFC 7296 4)."""

import pytest

from ipsecsim.ike.events import ReauthenticationBegan
from ipsecsim.ike.v2.exchanges import create_child, rekey_ike
from ipsecsim.ike.v2.states import State
from tests.support.pair import Pair


@pytest.fixture
def pair(monkeypatch) -> Pair:
    """East makes one Child SA with each IKE SA and refuses every CREATE_CHILD_SA with NO_ADDITIONAL_SAS."""
    monkeypatch.setattr(create_child, "MOST_CHILDREN", 1)
    monkeypatch.setattr(rekey_ike, "MOST_STANDING", 1)
    pair = Pair()
    pair.establish()
    return pair


@pytest.mark.conf("IK2-102")
@pytest.mark.parametrize("what", ["rekey", "rekey_ike"])
def test_where_new_keys_are_refused_a_new_ike_sa_takes_the_place_of_the_old_one(pair, what):
    (old,) = pair.west.endpoint.sas
    before = set(pair.west.sas)
    pair.perform(pair.west, getattr(pair.west.endpoint, what)("net", pair.now))
    pair.settle()
    assert len(pair.west.seen(ReauthenticationBegan)) == 1
    (new,) = pair.west.endpoint.sas
    assert new.state is State.ESTABLISHED
    assert new.spi_i != old.spi_i
    assert old.is_dead
    assert len(pair.east.endpoint.sas) == 1
    assert len(new.children) == 1
    assert before.isdisjoint(pair.west.sas), "the keys are new"
    assert {spi for _, spi in pair.west.sas} == {spi for _, spi in pair.east.sas}


@pytest.mark.conf("IK2-102")
def test_it_can_be_asked_whether_it_lives_and_be_told_goodbye(pair):
    pair.terminate()
    pair.settle()
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas
    assert not pair.west.sas
    assert not pair.east.sas
