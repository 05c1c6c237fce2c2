"""Message IDs, one request at a time, and what is repeated and what is not (RFC 7296 2.1 to 2.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import ResponseRepeated
from ipsecsim.ike.v2.children.child_life import close
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from tests.support.misbehaving import a_peer_that, adds, ask, heads, says_it_twice, says_nothing
from tests.support.pair import EAST, WEST, Pair, Side, established


def begin(pair: Pair, what: str, side: Side) -> None:
    """A side asks for something; its request is on the wire."""
    if what == "delete of a child":
        sa = side.endpoint.sas[0]
        pair.perform(side, close(sa, sa.children[0], pair.now))
    elif what == "rekeying of the child":
        pair.perform(side, side.endpoint.rekey("net", pair.now))
    elif what == "rekeying of the IKE SA":
        pair.perform(side, side.endpoint.rekey_ike("net", pair.now))


LATER = ["rekeying of the child", "rekeying of the IKE SA", "delete of a child"]


# -- numbers ----------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-08")
def test_message_ids_count_each_sides_requests_and_an_answer_has_that_of_its_request():
    pair = established()
    for side in (pair.east, pair.west, pair.east):
        begin(pair, "rekeying of the child", side)
        pair.settle()
    headers = [(each.source, IkeHeader.parse(each.payload)) for each in pair.sent]
    for address, first in ((WEST, 0), (EAST, 0)):
        asked = [it.message_id for source, it in headers if source == address and not it.is_response]
        assert asked == list(range(first, first + len(asked)))
        answered = [it.message_id for source, it in headers if source != address and it.is_response]
        assert answered == asked
    kinds = [(it.exchange, it.message_id) for source, it in headers if source == WEST and not it.is_response]
    assert kinds[:2] == [(ExchangeType.IKE_SA_INIT, 0), (ExchangeType.IKE_AUTH, 1)]


@pytest.mark.conf("IK2-08")
def test_a_new_ike_sa_counts_from_zero_again():
    pair = established()
    old = pair.west.endpoint.sas[0].spi_i
    begin(pair, "rekeying of the IKE SA", pair.west)
    pair.settle()
    begin(pair, "rekeying of the child", pair.east)
    pair.settle()
    headers = [IkeHeader.parse(each.payload) for each in pair.sent]
    assert next(it for it in headers if it.spi_i != old).message_id == 0


# -- one at a time ----------------------------------------------------------------------------------


@pytest.mark.conf("IK2-10", "IK2-11")
@pytest.mark.parametrize("window", [None, b"\0\0\0\1", b"\0\0\0\4", b"\xff\xff\xff\xff", b"", b"\0\0\0\0"])
def test_a_second_request_waits_for_the_answer_to_the_first(window):
    """Whatever window the peer grants: one at a time is within it."""
    said = [] if window is None else [adds(Notify(NotifyType.SET_WINDOW_SIZE, window))]
    pair = a_peer_that(*said, in_="IKE_AUTH response")
    pair.establish()
    begin(pair, "rekeying of the child", pair.west)
    begin(pair, "rekeying of the IKE SA", pair.west)
    assert len(pair.wire) == 1
    pair.wait_until(5 * SECOND)
    assert {IkeHeader.parse(each.payload).message_id for each in pair.wire} == {2}
    pair.settle()
    assert [sa.state for sa in pair.west.endpoint.sas] == [State.ESTABLISHED]


@pytest.mark.conf("IK2-11")
def test_of_requests_that_came_in_the_wrong_order_each_is_answered_in_its_turn():
    """Our own window is one, and the last answer is the one that is kept."""
    pair = established()
    assert ask(pair, habits=[heads(message_id=3)]) is None
    assert pair.east.drops == [DropReason.OUT_OF_WINDOW]
    assert ask(pair) == []
    assert ask(pair, habits=[heads(message_id=3)]) == []


@pytest.mark.conf("IK2-13")
@pytest.mark.parametrize("message_id", [3, 4, 1002, 0xFFFFFFFF])
def test_a_request_beyond_the_window_is_neither_acknowledged_nor_remembered(message_id):
    pair = established()
    gone = Delete(ProtocolId.IKE, [])
    for _ in range(100):
        assert ask(pair, gone, habits=[heads(message_id=message_id)]) is None
    assert pair.east.drops == [DropReason.OUT_OF_WINDOW] * 100
    assert not pair.wire  # INVALID_MESSAGE_ID may be sent in an exchange of its own; we never do
    assert ask(pair) == []


@pytest.mark.conf("IK2-13")
def test_who_is_told_of_an_invalid_message_id_only_says_that_it_has_heard():
    pair = established()
    assert ask(pair, Notify(NotifyType.INVALID_MESSAGE_ID, b"\0\0\0\2"), by="east") == []
    assert len(pair.west.sas) == 2


# -- repetitions ------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-03")
@pytest.mark.parametrize("what", ["handshake", *LATER])
def test_a_request_is_sent_again_bit_for_bit(what):
    pair = Pair() if what == "handshake" else established()
    if what == "handshake":
        pair.initiate()
    begin(pair, what, pair.west)
    pair.wait_until(pair.now + 30 * SECOND)
    assert len(pair.wire) == 4
    assert len({each.payload for each in pair.wire}) == 1


@pytest.mark.conf("IK2-04")
@pytest.mark.parametrize("what", ["handshake", *LATER])
def test_a_responder_says_nothing_again_of_its_own_accord(what):
    pair = Pair() if what == "handshake" else established()
    if what == "handshake":
        pair.initiate()
    begin(pair, what, pair.west)
    pair.deliver()
    first = [each for each in pair.wire if each.source == EAST]
    assert len(first) == 1
    pair.wait_until(pair.now + 29 * SECOND)
    assert [each for each in pair.wire if each.source == EAST] == first
    pair.wire.remove(first[0])
    asked_again = len(pair.wire)
    for _ in range(asked_again):
        pair.deliver()
    assert [each.payload for each in pair.wire] == [first[0].payload] * asked_again


@pytest.mark.conf("IK2-05")
@pytest.mark.parametrize("message", ["IKE_SA_INIT", "IKE_AUTH", *LATER])
def test_a_request_that_comes_twice_has_one_effect_and_one_answer(message):
    once, twice = (
        a_peer_that(*habits, in_=f"{message} request" if message.startswith("IKE_") else "request")
        for habits in ([], [says_it_twice()])
    )
    for pair in (once, twice):
        pair.establish()
        begin(pair, message, pair.west)
        pair.settle()
        assert set(pair.east.drops) <= {DropReason.NO_STATE}  # a DELETE of an IKE SA that is gone
    assert twice.east.sas.keys() == once.east.sas.keys()
    assert [sa.spi_i for sa in twice.east.endpoint.sas] == [sa.spi_i for sa in once.east.endpoint.sas]
    assert twice.east.seen(ResponseRepeated)
    answers = [each.payload for each in twice.sent if each.source == EAST]
    assert list(dict.fromkeys(answers)) == [each.payload for each in once.sent if each.source == EAST]


@pytest.mark.conf("IK2-06")
@pytest.mark.parametrize("message_id", [0, 1, 2, 3])
def test_a_request_older_than_the_last_answer_is_ignored(message_id):
    pair = established()
    for _ in range(4):
        assert ask(pair) == []
    gone = Delete(ProtocolId.IKE, [])
    assert ask(pair, gone, habits=[heads(message_id=message_id)]) is None
    pair.inject(pair.sent[2])  # the real IKE_AUTH, very late
    assert pair.east.drops == [DropReason.RETRANSMIT_IGNORED] * 2
    assert not pair.wire
    assert len(pair.east.sas) == 2


@pytest.mark.conf("IK2-02")
@pytest.mark.parametrize("what", LATER)
def test_who_never_answers_is_given_up_and_everything_goes(what):
    pair = established()
    begin(pair, what, pair.west)
    pair.wait_until(pair.now + 170 * SECOND)
    assert not pair.west.endpoint.sas
    assert not pair.west.sas
    assert len(pair.wire) == 6


@pytest.mark.conf("IK2-02")
@pytest.mark.parametrize("message", ["IKE_SA_INIT response", "IKE_AUTH response"])
def test_so_is_who_falls_silent_in_the_handshake(message):
    pair = a_peer_that(says_nothing(), in_=message)
    pair.initiate()
    pair.settle()
    pair.wait_until(170 * SECOND)
    assert not pair.west.endpoint.sas
    assert not pair.west.sas


# -- what nobody has signed -------------------------------------------------------------------------

UNSIGNED = [NotifyType.INVALID_IKE_SPI, NotifyType.INVALID_SPI, NotifyType.AUTHENTICATION_FAILED]


@pytest.mark.conf("IK2-14")
@pytest.mark.parametrize("kind", UNSIGNED)
@pytest.mark.parametrize("exchange", [ExchangeType.INFORMATIONAL, ExchangeType.CREATE_CHILD_SA])
@pytest.mark.parametrize("is_waiting", [False, True])
def test_no_peer_is_dead_because_somebody_says_so_in_clear(kind, exchange, is_waiting):
    pair = established()
    if is_waiting:
        begin(pair, "rekeying of the child", pair.west)
    sa = pair.west.endpoint.sas[0]
    for flags in (0, RESPONSE, INITIATOR, INITIATOR | RESPONSE):
        for message_id in range(4):
            header = IkeHeader(sa.spi_i, sa.spi_r, 0, exchange, flags, message_id)
            raw = emit_message(header, [Notify(kind, b"\0\0\0\1")])
            pair.inject(SendDatagram(EAST, 500, WEST, 500, raw))
    assert len(pair.wire) == int(is_waiting)
    assert [each.state for each in pair.west.endpoint.sas] == [State.ESTABLISHED]
    pair.settle()
    assert len(pair.west.sas) == 2
