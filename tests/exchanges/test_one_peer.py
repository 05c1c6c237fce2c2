"""Several IKE SAs with one peer: who has forgotten, who comes twice, and who began at once (RFC 7296 2.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import HalfOpenLimits, Uniqueness
from ipsecsim.ike.events import (
    DuplicatesEnded,
    IkeMessageSent,
    InitiationsCrossed,
    NotifyReceived,
    PeerRefused,
)
from ipsecsim.ike.v2.states import State
from tests.support.pair import Pair

CONTACT = "N(INITIAL_CONTACT)"


def said(side) -> list[bool]:
    """Of each IKE_AUTH request of a side, whether INITIAL_CONTACT was in it."""
    sent = side.seen(IkeMessageSent)
    return [CONTACT in each.payloads for each in sent if each.exchange == "IKE_AUTH" and not each.is_response]


def both(unique: Uniqueness, **limits) -> Pair:
    side = {"unique": unique}
    return Pair(west=dict(side), east=dict(side), limits=HalfOpenLimits(**limits) if limits else None)


def come_back(pair: Pair) -> None:
    """West loses its memory, and begins again."""
    pair.perform(pair.west, pair.west.endpoint.forget())
    pair.establish()


@pytest.mark.conf("IK2-15")
@pytest.mark.parametrize("unique", [Uniqueness.NO, Uniqueness.KEEP, Uniqueness.REPLACE])
def test_who_has_forgotten_and_comes_back_replaces_its_old_sa_without_a_goodbye(unique):
    pair = both(unique)
    pair.establish()
    (old,) = pair.east.endpoint.sas
    come_back(pair)
    assert said(pair.west) == [True, True]
    assert pair.east.seen(DuplicatesEnded) == [DuplicatesEnded("west.example", (old.spi_i,), True)]
    assert [sa.spi_i for sa in pair.east.endpoint.sas] == [sa.spi_i for sa in pair.west.endpoint.sas]
    assert {spi for _, spi in pair.east.sas} == {spi for _, spi in pair.west.sas}
    assert not any(each.exchange == "INFORMATIONAL" for each in pair.east.seen(IkeMessageSent))


@pytest.mark.conf("IK2-16")
def test_an_identity_of_several_machines_never_says_that_it_is_alone_and_nobody_goes():
    pair = both(Uniqueness.NEVER)
    pair.establish()
    come_back(pair)
    assert said(pair.west) == [False, False]
    assert len(pair.east.endpoint.sas) == 2
    # nor does it believe it
    believing = Pair(east={"unique": Uniqueness.NEVER})
    believing.establish()
    come_back(believing)
    assert said(believing.west) == [True, True]
    assert len(believing.east.endpoint.sas) == 2


@pytest.mark.conf("IK2-16")
def test_initial_contact_is_said_only_where_no_other_sa_with_the_peer_stands_or_is_about_to():
    other = {"local_ts": ["10.3.0.0/24"]}
    pair = Pair(west={"others": [other]}, east={"others": [{"remote_ts": ["10.3.0.0/24"]}]})
    for policy in ("net", "net1"):
        pair.perform(pair.west, pair.west.endpoint.initiate(policy, pair.now))
    pair.settle()
    assert said(pair.west) == [True, False]
    assert len(pair.west.endpoint.sas) == len(pair.east.endpoint.sas) == 2


@pytest.mark.parametrize(("unique", "standing"), [(Uniqueness.NO, 2), (Uniqueness.REPLACE, 1)])
def test_a_second_sa_of_a_peer_stands_beside_the_first_or_replaces_it(unique, standing):
    pair = Pair(west={"unique": Uniqueness.NEVER}, east={"unique": unique})
    pair.establish()
    (old,) = pair.west.endpoint.sas
    pair.another_west()
    pair.establish()
    states = [sa.state for sa in pair.east.endpoint.sas]
    assert states.count(State.ESTABLISHED) == standing
    if unique is Uniqueness.REPLACE:
        assert pair.east.seen(DuplicatesEnded) == [DuplicatesEnded("west.example", (old.spi_i,), False)]
        assert pair.east.endpoint.sas[0].state is State.DELETING  # it says goodbye


def test_a_second_sa_from_elsewhere_is_refused_where_the_first_is_kept():
    pair = Pair(west={"unique": Uniqueness.NEVER}, east={"unique": Uniqueness.KEEP})
    pair.establish()
    (old,) = pair.east.endpoint.sas
    pair.another_west()
    pair.initiate()
    for _ in range(4):
        datagram = pair.wire.pop(0)
        if datagram.destination == pair.east.address:
            datagram.source_port = 1024  # another machine, behind the same NAT
        pair.inject(datagram)
    assert pair.east.seen(PeerRefused)[0].identity == "west.example"
    assert "unique: keep" in pair.east.seen(PeerRefused)[0].why
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]
    assert pair.east.endpoint.sas == (old,)
    assert not pair.west.endpoint.sas


def test_a_second_sa_from_the_same_place_is_no_second_peer():
    pair = Pair(west={"unique": Uniqueness.NEVER}, east={"unique": Uniqueness.KEEP})
    pair.establish()
    pair.another_west()
    pair.establish()
    assert not pair.east.seen(PeerRefused)
    assert len(pair.east.endpoint.sas) == 2


def begin_at_once(pair: Pair, order: str) -> None:
    """Both ends begin; `order` says whose datagram arrives next."""
    for side in (pair.west, pair.east):
        pair.perform(side, side.endpoint.initiate("net", pair.now))
    for letter in order + "we" * 8:
        pair.now += SECOND // 1000
        towards = {"w": pair.west, "e": pair.east}[letter].address
        datagram = next((each for each in pair.wire if each.destination == towards), None)
        if datagram is not None:
            pair.wire.remove(datagram)
            pair.inject(datagram)


@pytest.mark.conf("IK2-15")
@pytest.mark.parametrize("order", ["we", "ew", "ewwe", "ewew", "eewwew", "wweeww", "eeewww"])
@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
@pytest.mark.parametrize("unique", [Uniqueness.NO, Uniqueness.REPLACE, Uniqueness.KEEP])
def test_of_two_sas_begun_at_once_one_remains_and_it_is_the_same_at_both_ends(order, seed, unique):
    """COL-56: nothing in RFC 7296 settles this; here it is the rule for crossed rekeyings."""
    pair = Pair(seed=seed, west={"unique": unique}, east={"unique": unique})
    begin_at_once(pair, order)
    assert not pair.wire
    (ours,), (theirs,) = pair.west.endpoint.sas, pair.east.endpoint.sas
    assert (ours.spi_i, ours.spi_r, ours.state) == (theirs.spi_i, theirs.spi_r, State.ESTABLISHED)
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    assert {spi for _, spi in pair.east.sas} == {spi for _, spi in pair.west.sas}
    for side in (pair.west, pair.east):
        assert len(side.seen(InitiationsCrossed)) == 1
        assert not side.seen(PeerRefused)


def test_with_unique_never_both_sas_that_were_begun_at_once_stand():
    pair = both(Uniqueness.NEVER)
    begin_at_once(pair, "we")
    assert len(pair.west.endpoint.sas) == len(pair.east.endpoint.sas) == 2


def test_as_many_ike_sas_stand_as_the_cap_allows_and_no_more():
    pair = both(Uniqueness.NEVER, standing=2)
    for _ in range(3):
        pair.another_west()
        pair.initiate()
        pair.settle()
    assert len(pair.east.endpoint.sas) == 2
    assert pair.east.drops == [DropReason.IKE_SA_LIMIT]
