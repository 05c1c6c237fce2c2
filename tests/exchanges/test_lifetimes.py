"""Children come of age: their SAs reach limits, and IKE replaces them or says goodbye (RFC 7296 2.8)."""

from collections import Counter

import pytest

from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import StartAction
from ipsecsim.ike.events import IkeMessageSent, RekeyPostponed, ReplacementFailed
from ipsecsim.ike.v2.renewal.jitter import drawn
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import Expired, Expiring
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.expiry import Limit
from ipsecsim.ipsec.lifetime import ENDLESS, Lifetime, Limits
from ipsecsim.ipsec.options import SaOptions
from ipsecsim.wire.numbers import IpProtocol
from tests.exchanges.test_create_child_sa import assert_agree, spis
from tests.support.pair import Pair, established

WITH_PFS = {"esp": ["aes256gcm16-x25519"]}
WITHOUT = {"esp": ["aes256gcm16"]}


def expiring(pair, side, direction=Direction.OUTBOUND):
    """The oldest SA of a side and a direction reaches a soft limit."""
    spi = next(spi for way, spi in side.sas if way == direction.value)
    limit = Expiring("net", direction, spi, IpProtocol.ESP)
    pair.perform(side, side.endpoint.expiring(limit, pair.now))


def expired(pair, side, direction=Direction.OUTBOUND):
    """The oldest SA of a side and a direction reaches a hard limit."""
    spi = next(spi for way, spi in side.sas if way == direction.value)
    del side.sas[(direction.value, spi)]
    limit = Expired("net", direction, spi, IpProtocol.ESP, Limit.TIME)
    pair.perform(side, side.endpoint.expired(limit, pair.now))


def asked(side, exchange="CREATE_CHILD_SA"):
    """How many requests of an exchange a side has sent."""
    sent = [event for event in side.seen(IkeMessageSent) if not event.is_response]
    return Counter(event.exchange for event in sent)[exchange]


# -- soft limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["west", "east"])
@pytest.mark.parametrize("direction", Direction)
def test_a_soft_limit_starts_a_rekeying(who, direction):
    pair = established()
    before = set(pair.west.sas)
    expiring(pair, getattr(pair, who), direction)
    pair.settle()
    assert_agree(pair)
    assert not before & set(pair.west.sas)


def test_the_soft_limit_of_the_other_direction_asks_for_nothing_more():
    pair = established()
    expiring(pair, pair.west, Direction.OUTBOUND)
    expiring(pair, pair.west, Direction.INBOUND)
    pair.settle()
    assert_agree(pair)
    assert asked(pair.west) == 1


def test_a_soft_limit_of_a_pair_that_the_peer_has_replaced_is_ignored():
    """COL-05: the passive side waits for the DELETE, and its own limit comes first."""
    pair = established()
    expiring(pair, pair.west)
    pair.deliver()
    expiring(pair, pair.east)
    pair.settle()
    assert_agree(pair)
    assert asked(pair.east) == 0


def test_a_limit_of_an_sa_that_ike_never_made_is_nothing_to_it():
    pair = established()
    unknown = Expiring("net", Direction.OUTBOUND, 0x1001, IpProtocol.ESP)
    assert pair.west.endpoint.expiring(unknown, 0) == []
    gone = Expired("net", Direction.OUTBOUND, 0x1001, IpProtocol.ESP, Limit.TIME)
    assert pair.west.endpoint.expired(gone, 0) == []


# -- hard limits ----------------------------------------------------------------------------------


@pytest.mark.conf("IK2-58")
@pytest.mark.parametrize("direction", Direction)
def test_a_hard_limit_takes_the_pair_away_at_once_and_the_peer_is_told(direction):
    pair = established()
    expired(pair, pair.west, direction)
    assert not pair.west.sas  # before anybody has answered
    pair.settle()
    assert not pair.east.sas
    assert [len(side.endpoint.sas[0].children) for side in (pair.west, pair.east)] == [0, 0]
    assert [side.endpoint.sas[0].state for side in (pair.west, pair.east)] == [State.ESTABLISHED] * 2


@pytest.mark.conf("IK2-58")
def test_a_hard_limit_while_the_peers_delete_is_on_its_way_drops_the_old_pair_and_keeps_the_new():
    """COL-06."""
    pair = established()
    old = spis(pair.east, "in")
    expiring(pair, pair.west)
    pair.deliver()
    assert len(spis(pair.east, "in")) == 2
    expired(pair, pair.east)
    assert not old & spis(pair.east, "in")
    assert len(spis(pair.east, "out")) == 1  # nobody waits any more to send on the new one
    pair.settle()
    assert_agree(pair)


@pytest.mark.conf("IK2-58")
def test_a_hard_limit_does_not_stop_the_answer_that_brings_the_new_pair():
    pair = established()
    expiring(pair, pair.west)
    expired(pair, pair.west)
    assert not pair.west.sas
    pair.settle()
    assert_agree(pair)


@pytest.mark.conf("IK2-59")
@pytest.mark.parametrize("start_action", [StartAction.START, StartAction.TRAP])
@pytest.mark.fault("FLT-28")
def test_what_the_peer_refuses_to_replace_ends_with_its_ike_sa_and_may_begin_anew(start_action):
    pair = established(west={**WITH_PFS, "start_action": start_action}, east=WITHOUT)
    first = pair.west.endpoint.sas[0].spi_i
    expiring(pair, pair.west)
    pair.settle()
    assert asked(pair.west) == 1
    assert [event.until for event in pair.west.seen(RekeyPostponed)] > [10 * SECOND]
    pair.wait_until(16 * SECOND)
    pair.settle()
    assert asked(pair.west) == 2  # RFC 7296 2.25: later, not at once
    assert len(pair.west.sas) == 2  # and what stands goes on standing
    expired(pair, pair.west)
    pair.settle()
    assert len(pair.west.seen(ReplacementFailed)) == 1
    if start_action is StartAction.START:
        assert_agree(pair)
        assert pair.west.endpoint.sas[0].spi_i != first
    else:
        assert not pair.west.sas
        assert not pair.east.sas
        assert not pair.west.endpoint.sas


@pytest.mark.conf("IK2-59")
@pytest.mark.fault("FLT-28")
def test_a_refusal_that_comes_after_the_end_closes_the_ike_sa_as_well():
    pair = established(west=WITH_PFS, east=WITHOUT)
    expiring(pair, pair.west)
    expired(pair, pair.west)
    pair.settle()
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas


# -- chance ---------------------------------------------------------------------------------------


def life(**jitter):
    """The lifetimes that a hundred seeds draw."""
    options = SaOptions(lifetime=Lifetime(Limits(100 * SECOND, 1000, 50), Limits(110 * SECOND, 1100, 55)))
    changes = {"options": options, "jitter": Limits(**jitter)}
    config = Pair(west=changes).west.endpoint.connections[0].children[0]
    return [drawn(config, SeededEntropy(str(number))) for number in range(100)]


@pytest.mark.conf("IK2-62")
def test_soft_limits_come_at_random_within_the_jitter_and_hard_ones_do_not_move():
    drawn_limits = life(duration=10 * SECOND, octets=100, packets=5)
    assert {each.hard for each in drawn_limits} == {Limits(110 * SECOND, 1100, 55)}
    times = [each.soft.duration for each in drawn_limits]
    assert 90 * SECOND <= min(times) < 92 * SECOND
    assert 98 * SECOND < max(times) <= 100 * SECOND
    assert len(set(times)) == 100
    assert {each.soft.packets for each in drawn_limits} == set(range(45, 51))
    assert all(900 <= each.soft.octets <= 1000 for each in drawn_limits)


def test_without_jitter_limits_are_as_written_and_what_is_endless_stays_so():
    (soft,) = {each.soft for each in life(duration=0, octets=0, packets=0)}
    assert soft == Limits(100 * SECOND, 1000, 50)
    config = Pair(west={"jitter": Limits(5, 5, 5)}).west.endpoint.connections[0].children[0]
    assert drawn(config, SeededEntropy("any")).soft == Limits(ENDLESS, ENDLESS, ENDLESS)


def test_a_jitter_longer_than_the_limit_asks_at_once_and_not_before():
    options = SaOptions(lifetime=Lifetime(Limits(packets=3)))
    config = (
        Pair(west={"options": options, "jitter": Limits(0, 0, 9)}).west.endpoint.connections[0].children[0]
    )
    assert {drawn(config, SeededEntropy(str(n))).soft.packets for n in range(60)} == {1, 2, 3}


@pytest.mark.conf("IK2-62")
def test_two_ends_with_the_same_limits_draw_different_ones():
    options = SaOptions(lifetime=Lifetime(Limits(3600 * SECOND)))
    changes = {"options": options, "jitter": Limits(360 * SECOND, 0, 0)}
    pair = established(west=changes, east=changes)
    ends = [{p.lifetime.soft.duration for p in side.sas.values()} for side in (pair.west, pair.east)]
    assert [len(each) for each in ends] == [1, 1]  # both SAs of a pair have the same
    assert ends[0] != ends[1]
