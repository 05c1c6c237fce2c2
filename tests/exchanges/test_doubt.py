"""Answers to the first message are in clear: what anybody may have sent is not believed at once (RFC 7296 2.21)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.events import IkeMessageSent, NotifyReceived, RefusalBelieved
from ipsecsim.ike.v2.messages.doubt import DOUBT_TIME
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.header import RESPONSE, IkeHeader
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import FIRST_STATUS_TYPE, Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from ipsecsim.wire.ike.numbers import PayloadType as P
from tests.support.misbehaving import a_peer_that, changes
from tests.support.pair import EAST, WEST, Pair

ERRORS = [each for each in NotifyType if each < FIRST_STATUS_TYPE]
TWO_GROUPS = "aes256gcm16-prfsha256-x25519-ecp256"
ECP_256 = (19).to_bytes(2, "big")


def forged(pair: Pair, *payloads, spi_r: bytes = bytes(8)) -> SendDatagram:
    """An answer to west's first message, as anybody on the way could make it."""
    header = IkeHeader(pair.sent[0].payload[:8], spi_r, 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    return SendDatagram(EAST, 500, WEST, 500, emit_message(header, payloads))


@pytest.mark.conf("IK2-55")
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_a_forged_error_before_the_true_answer_does_no_harm(error):
    pair = Pair()
    pair.initiate()
    for data in (b"", b"\0\0", b"\2"):
        pair.inject(forged(pair, Notify(error, data)))
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("IK2-55")
def test_nor_does_a_stream_of_them_with_the_true_answer_lost_once():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.wire.clear()
    for tenth in range(1, 45):
        pair.wait_until(tenth * SECOND // 10)
        pair.inject(forged(pair, Notify(NotifyType.NO_PROPOSAL_CHOSEN)))
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("IK2-55")
def test_a_forged_wish_for_another_group_that_overtakes_the_true_answer_does_no_harm():
    pair = Pair(west={"ike": [TWO_GROUPS]}, east={"ike": [TWO_GROUPS]})
    pair.initiate()
    pair.inject(forged(pair, Notify(NotifyType.INVALID_KE_PAYLOAD, ECP_256)))
    assert len(pair.wire) == 2  # the request, and another with the other group
    pair.settle()
    assert pair.is_up
    assert pair.west.endpoint.sas[0].group.name == "x25519"


def test_without_a_better_answer_the_refusal_is_believed_in_the_end():
    pair = Pair(west={"ike": ["aes128gcm16-prfsha256-x25519"]})
    pair.establish()
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("NO_PROPOSAL_CHOSEN", "IKE_SA_INIT")]
    (sa,) = pair.west.endpoint.sas
    assert sa.state is State.INIT_SENT
    pair.wait_until(DOUBT_TIME - 1)
    assert len(pair.wire) == 1  # the request, once more
    pair.settle()
    assert pair.west.endpoint.sas
    pair.wait_until(DOUBT_TIME)
    assert pair.west.seen(RefusalBelieved) == [RefusalBelieved(sa.spi_i, "net")]
    assert pair.west.actions == [ChildGivenUp("net")]
    assert not pair.west.endpoint.sas


@pytest.mark.conf("IK2-122")
def test_a_bad_public_value_in_the_first_answer_is_not_used_and_changes_nothing():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    _, payloads = parse_message(pair.wire[0].payload)
    bad = [KeyExchange(p.group, bytes(32)) if isinstance(p, KeyExchange) else p for p in payloads]
    pair.inject(forged(pair, *bad, spi_r=b"\1" * 8))
    assert pair.west.drops == [DropReason.KE_INVALID]
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("IK2-122")
def test_a_bad_public_value_in_the_first_request_is_not_answered_and_leaves_nothing_behind():
    pair = a_peer_that(changes(P.KE, data=bytes(32)), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.settle()
    assert pair.east.drops == [DropReason.KE_INVALID]
    assert len(pair.sent) == 1
    assert not pair.east.endpoint.sas


@pytest.mark.conf("IK2-122")
@pytest.mark.parametrize("what", ["rekey", "rekey_ike"])
@pytest.mark.parametrize("kind", ["request", "response"])
def test_a_bad_public_value_in_create_child_sa_ends_the_ike_sa_on_both_sides(kind, what):
    pair = a_peer_that(
        changes(P.KE, data=bytes(32)),
        in_=f"CREATE_CHILD_SA {kind}",
        west={"esp": ["aes256gcm16-x25519"]},
        east={"esp": ["aes256gcm16-x25519"]},
    )
    pair.establish()
    pair.perform(pair.west, getattr(pair.west.endpoint, what)("net", pair.now))
    pair.settle()
    judge = pair.east if kind == "request" else pair.west
    assert judge.drops == [DropReason.KE_INVALID]
    assert not pair.west.endpoint.sas
    assert not pair.west.sas
    if kind == "request":
        assert pair.west.seen(NotifyReceived) == [NotifyReceived("INVALID_SYNTAX", "CREATE_CHILD_SA")]
    else:
        assert pair.west.seen(IkeMessageSent)[-1].payloads == ("D",)
    if (kind, what) != ("response", "rekey_ike"):  # there the peer holds a new IKE SA that we do not know
        assert not pair.east.endpoint.sas
        assert not pair.east.sas


@pytest.mark.parametrize("nonce", [b"", b"\1" * 15, b"\1" * 257])
def test_a_forged_answer_that_breaks_a_rule_is_as_if_it_had_never_come(nonce):
    pair = Pair()
    pair.initiate()
    pair.deliver()
    _, payloads = parse_message(pair.wire[0].payload)
    bad = [Nonce(nonce) if isinstance(p, Nonce) else p for p in payloads]
    pair.inject(forged(pair, *bad, spi_r=b"\1" * 8))
    assert pair.west.drops == [DropReason.INVALID_SYNTAX]
    pair.settle()
    assert pair.is_up
