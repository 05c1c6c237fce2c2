"""What happens to an IKE SA as time goes by: new proofs, idle children, dead peers, and no numbers left."""

import pytest

from ipsecsim.base.instant import SECOND
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import StartAction
from ipsecsim.ike.endpoint import LastUsed
from ipsecsim.ike.events import (
    BeganAgain,
    ChildIdle,
    IkeRekeyed,
    MessageRetransmitted,
    PeerAuthenticated,
    ReauthenticationBegan,
)
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2.duties.tasks import Inform
from ipsecsim.ike.v2.states import State
from ipsecsim.ike.v2.window import FEW_LEFT, LAST_ID
from ipsecsim.ipsec.selector import Flow
from ipsecsim.wire.numbers import IpProtocol
from tests.exchanges.test_create_child_sa import assert_agree, rekeyed
from tests.support.pair import EAST, WEST, Pair, established

QUICK = RetransmitPolicy(SECOND, tries=2)  # 1 s, 1.8 s and 3.24 s: given up after 6.04 s
SECOND_NETS = {"second": (["10.3.0.0/24"], ["10.4.0.0/24"])}
EASTS_SECOND = {"second": (["10.4.0.0/24"], ["10.3.0.0/24"])}


def reauthenticate(pair, side):
    pair.perform(side, side.endpoint.reauthenticate("net", pair.now))


# -- proofs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["west", "east"])
def test_reauthentication_makes_a_new_ike_sa_with_its_child_before_it_deletes_the_old_one(who):
    pair = established()
    side, before = getattr(pair, who), set(pair.west.sas)
    old = side.endpoint.sas[0]
    reauthenticate(pair, side)
    while pair.wire:
        pair.deliver()
        assert {way for way, _ in pair.west.sas} == {"in", "out"}  # never a gap
        assert {way for way, _ in pair.east.sas} == {"in", "out"}
    assert_agree(pair)
    assert not before & set(pair.west.sas)
    assert old.is_dead
    assert len(side.seen(PeerAuthenticated)) == 2


def test_all_children_come_with_the_new_ike_sa():
    pair = Pair(west=SECOND_NETS, east=EASTS_SECOND)
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.initiate("second", pair.now))
    pair.settle()
    assert_agree(pair, pairs=2)
    before = set(pair.west.sas)
    reauthenticate(pair, pair.west)
    pair.settle()
    assert_agree(pair, pairs=2)
    assert not before & set(pair.west.sas)


def test_time_asks_for_new_proofs_and_counts_on_through_a_rekeying():
    changes = {"reauth_time": 100 * SECOND, "over_time": 10 * SECOND}
    pair = established(west=changes)
    pair.wait_until(60 * SECOND)
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    pair.wait_until(100 * SECOND - 1)
    assert not pair.west.seen(ReauthenticationBegan)
    pair.wait_until(100 * SECOND)
    pair.settle()
    assert len(pair.west.seen(ReauthenticationBegan)) == 1
    assert_agree(pair)


def test_a_second_request_for_new_proofs_changes_nothing_while_the_first_is_under_way():
    pair = established()
    reauthenticate(pair, pair.west)
    reauthenticate(pair, pair.west)
    pair.settle()
    assert_agree(pair)
    assert len(pair.west.seen(ReauthenticationBegan)) == 1


def test_who_cannot_prove_itself_any_more_keeps_the_old_ike_sa_to_its_end_and_no_longer():
    changes = {"reauth_time": 100 * SECOND, "over_time": 10 * SECOND, "start_action": StartAction.NONE}
    pair = established(west=changes)
    pair.east.endpoint.credentials = Pair(secrets=("", "changed")).east.endpoint.credentials
    pair.wait_until(100 * SECOND)
    pair.settle()
    assert [sa.state for sa in pair.west.endpoint.sas] == [State.ESTABLISHED]
    assert len(pair.west.sas) == 2
    pair.wait_until(110 * SECOND)
    pair.settle()
    assert not pair.west.endpoint.sas
    assert not pair.east.sas


# -- idle children --------------------------------------------------------------------------------


def used_at(pair, moment: int) -> LastUsed:
    return lambda direction, spi, protocol, destination: moment


def test_a_child_without_traffic_is_closed_and_the_ike_sa_stays():
    pair = established(west={"inactivity": 30 * SECOND})
    pair.wait_until(30 * SECOND - 1)
    assert not pair.west.seen(ChildIdle)
    pair.wait_until(30 * SECOND)
    pair.settle()
    assert not pair.west.sas
    assert not pair.east.sas
    assert [sa.state for sa in pair.west.endpoint.sas] == [State.ESTABLISHED]


def test_traffic_and_new_keys_go_into_the_count_of_idle_time():
    pair = established(west={"inactivity": 30 * SECOND})
    pair.west.endpoint._last_used = used_at(pair, 20 * SECOND)
    pair.wait_until(40 * SECOND)
    rekeyed(pair, pair.west)  # keys are no traffic
    pair.wait_until(50 * SECOND - 1)
    assert len(pair.west.sas) == 2
    pair.wait_until(50 * SECOND)
    pair.settle()
    assert [event.how_long for event in pair.west.seen(ChildIdle)] == [30 * SECOND]


# -- a peer that closes, or is dead ---------------------------------------------------------------


def close_by_east(pair):
    pair.perform(pair.east, pair.east.endpoint.terminate_child("net", pair.now))
    pair.settle()


@pytest.mark.parametrize("action", StartAction)
@pytest.mark.parametrize("what", ["child", "IKE SA"])
def test_close_action_says_what_to_do_when_the_peer_closes(action, what):
    pair = established(west={"close_action": action, "start_action": StartAction.NONE})
    if what == "child":
        close_by_east(pair)
    else:
        pair.terminate(pair.east)
        pair.settle()
    assert bool(pair.west.sas) is (action is StartAction.START)
    asks_for_it(pair, is_trapped=action is not StartAction.NONE)


def asks_for_it(pair, *, is_trapped: bool):
    """Traffic comes: is a child made for it?"""
    flow = Flow(bytes([10, 1, 0, 2]), bytes([10, 2, 0, 2]), IpProtocol.UDP, 1, 2)
    pair.west.actions.clear()
    pair.perform(pair.west, pair.west.endpoint.acquire("net", Trigger(flow), pair.now))
    pair.settle()
    assert bool(pair.west.sas) is is_trapped
    assert any(isinstance(each, ChildGivenUp) for each in pair.west.actions) is not is_trapped


def test_a_rekeyed_child_that_goes_is_no_reason_for_close_action():
    pair = established(west={"close_action": StartAction.START})
    rekeyed(pair, pair.east)
    assert_agree(pair)


@pytest.mark.conf("IK2-15", "IK2-112")
@pytest.mark.parametrize("action", [StartAction.NONE, StartAction.START])
def test_a_dead_peer_is_given_up_after_ever_longer_waits_and_called_again_where_that_is_wanted(action):
    changes = {"dpd_delay": 10 * SECOND, "dpd_action": action, "retransmit": QUICK}
    pair = established(west={**changes, "start_action": StartAction.NONE})
    pair.wire.clear()
    pair.wait_until(16 * SECOND)
    assert len(pair.west.sas) == 2  # two of three tries unanswered: not dead yet
    assert len(pair.west.seen(MessageRetransmitted)) == 2
    pair.wait_until(17 * SECOND)
    assert not pair.west.sas
    assert [sa.state for sa in pair.west.endpoint.sas] == (
        [State.INIT_SENT] if action.value == "start" else []
    )


@pytest.mark.conf("IK2-112")
def test_the_waits_grow_exponentially():
    policy = RetransmitPolicy()
    assert [policy.wait(n) / SECOND for n in range(4)] == pytest.approx([4, 7.2, 12.96, 23.328])
    pair = Pair()
    pair.initiate()
    times = []
    while pair.west.endpoint.next_deadline() is not None:
        pair.wait_until(pair.west.endpoint.next_deadline())
        times.append(pair.now)
    gaps = [b - a for a, b in zip([0, *times], times, strict=False)]
    assert gaps == [policy.wait(n) for n in range(len(gaps))]
    assert len(gaps) == 1 + policy.tries


@pytest.mark.parametrize(("tries", "begun"), [(1, 0), (3, 2)])
def test_keyingtries_counts_whole_sequences_of_retransmissions(tries, begun):
    pair = Pair(west={"keyingtries": tries, "retransmit": QUICK})
    pair.initiate()
    pair.wait_until(100 * SECOND)
    assert [event.attempt for event in pair.west.seen(BeganAgain)] == list(range(2, 2 + begun))
    assert not pair.west.endpoint.sas
    assert [type(each) for each in pair.west.actions] == [ChildGivenUp]
    spis = {sent.payload[:8] for sent in pair.sent}
    assert len(spis) == tries  # each time an IKE SA of its own


def test_keyingtries_0_never_gives_up():
    pair = Pair(west={"keyingtries": 0, "retransmit": QUICK})
    pair.initiate()
    pair.wire.clear()
    pair.wait_until(1000 * SECOND)
    assert len(pair.west.endpoint.sas) == 1
    assert not pair.west.actions


# -- message IDs ----------------------------------------------------------------------------------


def at_message_id(pair, number):
    """Both sides have come that far with the requests of west."""
    pair.west.endpoint.sas[0].window.next_request = number
    pair.east.endpoint.sas[0].window.expected_request = number


@pytest.mark.conf("IK2-09")
@pytest.mark.parametrize("left", [3, FEW_LEFT])  # 3: one message, then the replacement, then the DELETE
def test_before_message_ids_run_out_the_ike_sa_is_replaced_by_one_that_counts_from_0(left):
    pair = established()
    at_message_id(pair, LAST_ID - left + 1)
    pair.perform(pair.west, pair.west.endpoint.sas[0].enqueue(Inform(), pair.now))
    pair.settle()
    assert len(pair.west.seen(IkeRekeyed)) >= 1
    assert_agree(pair)
    assert pair.west.endpoint.sas[0].window.next_request < 10


@pytest.mark.conf("IK2-09")
def test_without_a_message_id_left_the_ike_sa_is_closed():
    pair = established()
    at_message_id(pair, LAST_ID)
    rekeyed(pair, pair.west)
    assert not pair.west.endpoint.sas
    assert not pair.west.sas
    assert {sent.source for sent in pair.sent} == {WEST, EAST}
