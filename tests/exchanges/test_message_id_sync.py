"""Who takes over an IKE SA agrees on message IDs with the peer anew (RFC 6311)."""

from struct import pack

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.events import ChildRekeyed, IkeMessageReceived, IkeMessageSent
from ipsecsim.ike.sync_events import MessageIdsInDoubt, MessageIdsSynchronised
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType
from tests.exchanges.sync_rows import SYNC_ROWS
from tests.support.crossing import Crossing, assert_at_rest
from tests.support.misbehaving import ask, heads
from tests.support.pair import Pair

ON, OFF = {"message_id_sync": True}, {"message_id_sync": False}
SUPPORTED, SYNC = "N(IKEV2_MESSAGE_ID_SYNC_SUPPORTED)", NotifyType.IKEV2_MESSAGE_ID_SYNC


def ids(side):
    """The next request's message ID, and the one that is expected."""
    window = side.endpoint.sas[0].window
    return window.next_request, window.expected_request


def together(**changes):
    """Two sides that can do it, with an IKE SA that stands."""
    pair = Pair(west={**ON, **changes}, east={**ON, **changes})
    pair.establish()
    return pair


@pytest.mark.conf("IK2-107")
@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("row", SYNC_ROWS, ids=str)
def test_after_a_failover_message_ids_agree(row, is_mirrored):
    said = {name: OFF if name == row.without else ON for name in ("west", "east")}
    if is_mirrored:
        said = {"west": said["east"], "east": said["west"]}
    crossing = Crossing(is_mirrored=is_mirrored, **said)
    crossing.play(row.words)
    assert_at_rest(crossing)
    west, east = crossing.side("west"), crossing.side("east")
    assert ids(west) == ids(east)[::-1]
    assert (tuple(west.drops), tuple(east.drops)) == (row.west, row.east)
    assert len(west.seen(MessageIdsSynchronised)) == row.agreed
    for word in ("west.live ~", "east.live ~", "east.rekey ~", "west.rekey-ike ~"):
        crossing.play(word)
    assert (len(west.drops), len(east.drops)) == (len(row.west), len(row.east))
    assert_at_rest(crossing)


@pytest.mark.conf("IK2-107")
@pytest.mark.parametrize("west", [ON, OFF])
@pytest.mark.parametrize("east", [ON, OFF])
def test_both_say_that_they_can_and_the_responder_only_if_it_was_asked(west, east):
    pair = Pair(west=west, east=east)
    pair.establish()
    said = [
        SUPPORTED in each.payloads
        for side in (pair.west, pair.east)
        for each in side.seen(IkeMessageSent)
        if each.exchange == "IKE_AUTH"
    ]
    assert said == [west is ON, west is ON and east is ON]
    pair.perform(pair.west, pair.west.endpoint.synchronise("net", pair.now))
    assert len(pair.wire) == int(west is ON and east is ON)


@pytest.mark.conf("IK2-107")
def test_both_messages_have_the_id_0_and_are_never_cut():
    pair = together(fragment_size=100)
    before = len(pair.sent)
    pair.perform(pair.west, pair.west.endpoint.synchronise("net", pair.now))
    pair.settle()
    request, answer = (IkeHeader.parse(each.payload) for each in pair.sent[before:])
    assert (request.message_id, answer.message_id) == (0, 0)
    assert (request.next_payload, answer.next_payload) == (PayloadType.SK, PayloadType.SK)
    assert (request.exchange, answer.is_response) == (ExchangeType.INFORMATIONAL, True)
    asked, told = pair.east.seen(IkeMessageReceived)[-1], pair.east.seen(IkeMessageSent)[-1]
    assert asked.payloads == told.payloads == ("N(IKEV2_MESSAGE_ID_SYNC)",)


@pytest.mark.conf("IK2-107")
def test_the_answer_has_the_nonce_and_the_higher_values():
    pair = together()
    assert ids(pair.east) == (0, 2)
    (answer,) = ask(pair, Notify(SYNC, pack("!4sII", b"once", 40, 30)), habits=[heads(message_id=0)])
    assert answer == Notify(SYNC, pack("!4sII", b"once", 30, 40))
    assert ids(pair.east) == (30, 40)


@pytest.mark.conf("IK2-107")
@pytest.mark.parametrize("send", [0, 1])
def test_a_value_that_was_used_draws_no_answer_and_changes_nothing(send):
    pair = together()
    said = Notify(SYNC, pack("!4sII", b"once", send, 30))
    assert ask(pair, said, habits=[heads(message_id=0)]) is None
    assert pair.east.drops == [DropReason.RETRANSMIT_IGNORED]
    assert ids(pair.east) == (0, 2)


@pytest.mark.conf("IK2-107")
def test_who_has_not_agreed_to_it_takes_it_for_an_old_message():
    pair = Pair()
    pair.establish()
    said = Notify(SYNC, pack("!4sII", b"once", 40, 30))
    assert ask(pair, said, habits=[heads(message_id=0)]) is None
    assert pair.east.drops == [DropReason.RETRANSMIT_IGNORED]
    assert ids(pair.east) == (0, 2)


@pytest.mark.conf("IK2-107")
@pytest.mark.parametrize(
    "said",
    [
        [Notify(SYNC)],
        [Notify(SYNC, bytes(11))],
        [Notify(SYNC, bytes(13))],
        [Notify(SYNC, pack("!4sII", b"once", 40, 30))] * 2,
        [
            Notify(SYNC, pack("!4sII", b"once", 40, 30)),
            Notify(NotifyType.IPSEC_REPLAY_COUNTER_SYNC, bytes(4)),
        ],
    ],
)
def test_what_has_another_form_or_more_in_it_is_dropped_in_silence(said):
    pair = together()
    assert ask(pair, *said, habits=[heads(message_id=0)]) is None
    assert pair.east.drops == [DropReason.STATE_VIOLATION]
    assert ids(pair.east) == (0, 2)
    assert ask(pair) == []


def test_a_peer_that_uses_up_all_message_ids_only_ends_its_own_ike_sa():
    pair = together()
    last = 0xFFFFFFFF
    said = Notify(SYNC, pack("!4sII", b"once", last, last))
    assert ask(pair, said, habits=[heads(message_id=0)]) == [Notify(SYNC, pack("!4sII", b"once", last, last))]
    pair.perform(pair.east, pair.east.endpoint.synchronise("net", pair.now))
    assert pair.east.endpoint.sas == ()
    assert pair.east.sas == {}


def test_what_the_peer_was_asking_is_asked_again_with_the_new_id():
    crossing = Crossing(west=ON, east=ON)
    crossing.play("east.rekey e1! west.synchronise ~")
    asked = [each.message_id for each in crossing.told("east", IkeMessageSent) if not each.is_response]
    assert asked[:2] == [0, 1]
    assert len(crossing.told("east", ChildRekeyed)) == 1


def test_a_failover_is_told_at_both_ends():
    crossing = Crossing(west=ON, east=ON).play("west.live ~ west.miss-sent west.synchronise ~")
    (doubt,) = crossing.told("west", MessageIdsInDoubt)
    (ours,), (theirs,) = (crossing.told(side, MessageIdsSynchronised) for side in ("west", "east"))
    assert (doubt.send, doubt.receive) == (ours.send, ours.receive) == (theirs.receive, theirs.send) == (3, 0)
    assert (ours.by_peer, theirs.by_peer) == (False, True)


def test_an_ike_sa_that_takes_the_place_of_another_can_do_it_too():
    crossing = Crossing(west=ON, east=ON).play("west.rekey-ike ~ east.synchronise ~")
    assert len(crossing.told("east", MessageIdsSynchronised)) == 1
    assert ids(crossing.west) == ids(crossing.east)[::-1]


def test_the_first_request_of_a_side_has_the_id_0_and_is_no_synchronisation():
    crossing = Crossing(west=ON, east=ON).play("east.live ~")
    assert ids(crossing.west) == (2, 1)
    assert crossing.told("west", MessageIdsSynchronised) == []
