"""Lost, repeated and late messages (RFC 7296 2.1 to 2.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, ms, seconds
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.events import LivenessChecked, MessageRetransmitted, PeerUnresponsive, ResponseRepeated
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ike.v2.states import State
from tests.support.pair import Pair


def test_the_back_off_is_strongswans():
    policy = RetransmitPolicy()
    waits = [policy.wait(number) for number in range(6)]
    assert waits[0] == 4 * SECOND
    assert waits[1] == seconds(7.2)
    assert 164 * SECOND < sum(waits) < 166 * SECOND


@pytest.mark.conf("IK2-03")
def test_a_lost_request_is_sent_again_bit_for_bit():
    pair = Pair()
    pair.initiate()
    first = pair.wire.pop()
    pair.wait_until(seconds(3.9))
    assert not pair.wire
    pair.wait_until(4 * SECOND)
    assert pair.wire[0].payload == first.payload
    assert pair.west.seen(MessageRetransmitted)[0].times == 1
    pair.settle()
    assert len(pair.west.sas) == 2


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_any_one_lost_message_of_the_handshake_is_survived(lost):
    pair = Pair()
    pair.initiate()
    for number in range(4):
        if number == lost:
            pair.wire.pop(0)
            pair.wait_until(pair.now + 5 * SECOND)
            pair.settle()
            break
        pair.deliver()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]


@pytest.mark.parametrize("doubled", [0, 1, 2, 3])
def test_any_one_doubled_message_changes_nothing(doubled):
    pair = Pair()
    pair.initiate()
    for number in range(4):
        datagram = pair.deliver()
        if number == doubled:
            pair.inject(datagram)
    pair.settle()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    assert len(pair.west.endpoint.sas) == len(pair.east.endpoint.sas) == 1


@pytest.mark.conf("IK2-05")
def test_a_repeated_request_gets_the_stored_answer():
    pair = Pair()
    pair.establish()
    answer = pair.sent[3].payload
    pair.inject(pair.sent[2])
    assert pair.wire.pop().payload == answer
    assert pair.east.seen(ResponseRepeated)[0].message_id == 1


def test_an_old_request_is_not_answered():
    pair = Pair()
    pair.establish()
    pair.terminate()
    pair.deliver()
    pair.wire.clear()
    pair.inject(pair.sent[2])
    assert pair.east.drops[-1] is DropReason.NO_STATE
    assert not pair.wire


@pytest.mark.conf("IK2-02")
def test_nobody_there_is_given_up_after_165_seconds():
    pair = Pair()
    pair.initiate()
    pair.wait_until(164 * SECOND)
    assert pair.west.endpoint.sas
    pair.wait_until(166 * SECOND)
    assert not pair.west.endpoint.sas
    assert len(pair.wire) == 6
    assert pair.west.seen(PeerUnresponsive)[0].tries == 6
    assert [a for a in pair.west.actions if isinstance(a, ChildGivenUp)]


@pytest.mark.conf("IK2-17")
def test_dpd_asks_a_silent_peer_and_is_content_with_an_answer():
    pair = Pair(west={"dpd_delay": 30 * SECOND})
    pair.establish()
    pair.wait_until(31 * SECOND)
    assert len(pair.west.seen(LivenessChecked)) == 1
    pair.settle()
    assert [sa.state for sa in pair.west.endpoint.sas] == [State.ESTABLISHED]
    pair.wait_until(62 * SECOND)
    assert len(pair.west.seen(LivenessChecked)) == 2


@pytest.mark.conf("IK2-17")
def test_dpd_ends_an_sa_whose_peer_is_dead():
    pair = Pair(west={"dpd_delay": 30 * SECOND})
    pair.establish()
    pair.wait_until(30 * SECOND + 166 * SECOND)
    assert not pair.west.endpoint.sas
    assert not pair.west.sas


@pytest.mark.conf("IK2-10")
def test_goodbye_waits_for_the_answer_that_is_outstanding():
    pair = Pair(west={"dpd_delay": 30 * SECOND})
    pair.establish()
    pair.wait_until(30 * SECOND + ms(1))
    pair.terminate()
    assert len(pair.wire) == 1  # window 1: only the liveness check is on its way
    pair.settle()
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas


def test_deadlines_may_be_asked_for_early_and_twice():
    pair = Pair()
    pair.initiate()
    assert pair.west.endpoint.handle_timeout(pair.now) == []
    pair.wait_until(4 * SECOND)
    assert pair.west.endpoint.handle_timeout(pair.now) == []
