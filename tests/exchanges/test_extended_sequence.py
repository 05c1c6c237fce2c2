"""Extended sequence numbers are used where both ends want them (RFC 7296 3.3.2, RFC 4303 2.2.1)."""

import pytest

from ipsecsim.ike.events import ChildSaCreated, ChildSaFailed
from tests.support.pair import Pair

BOTH = "aes256gcm16-esn-noesn"
ONLY = "aes256gcm16-esn"
NEVER = "aes256gcm16"


def connected(west, east):
    """Two ends that have had their handshake, each with its own proposal."""
    pair = Pair(west={"esp": [west]}, east={"esp": [east]})
    pair.establish()
    return pair


@pytest.mark.conf("ESN-01")
@pytest.mark.parametrize(
    ("west", "east", "extended"),
    [
        (ONLY, ONLY, True),
        (ONLY, BOTH, True),
        (BOTH, ONLY, True),
        (BOTH, BOTH, True),
        (BOTH, "aes256gcm16-noesn-esn", False),
        (BOTH, NEVER, False),
        (NEVER, BOTH, False),
        (NEVER, NEVER, False),
    ],
)
def test_sequence_numbers_are_extended_where_both_ends_want_it(west, east, extended):
    pair = connected(west, east)
    for side in (pair.west, pair.east):
        assert len(side.sas) == 2
        assert {sa.extended_sequence for sa in side.sas.values()} == {extended}
        (created,) = side.seen(ChildSaCreated)
        assert created.suite == ("aes256gcm16-esn" if extended else "aes256gcm16")


@pytest.mark.conf("ESN-01")
@pytest.mark.parametrize(("west", "east"), [(ONLY, NEVER), (NEVER, ONLY)])
def test_ends_that_do_not_agree_on_sequence_numbers_have_no_child(west, east):
    pair = connected(west, east)
    for side in (pair.west, pair.east):
        assert not side.sas
        assert side.seen(ChildSaFailed)[0].notify == "NO_PROPOSAL_CHOSEN"


def test_a_child_keeps_its_sequence_numbers_extended_when_it_gets_new_keys():
    pair = connected(ONLY, BOTH)
    before = set(pair.west.sas)
    pair.perform(pair.east, pair.east.endpoint.rekey("net", pair.now))
    pair.settle()
    assert not before & set(pair.west.sas)
    assert {sa.extended_sequence for sa in pair.west.sas.values()} == {True}
