"""Payloads that are unknown, out of order, too many or in the wrong place (RFC 7296 2.5, 2.21, 3.2, 3.12)."""

from random import Random

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import IkeMessageReceived
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.generic import UnknownPayload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.ike.vendor import VendorId
from tests.support.misbehaving import (
    Said,
    a_peer_that,
    adds,
    doubles,
    garbles,
    lies_about_length,
    omits,
    reorders,
)
from tests.support.pair import Pair

HANDSHAKE = ["IKE_SA_INIT request", "IKE_SA_INIT response", "IKE_AUTH request", "IKE_AUTH response"]
LATER = ["CREATE_CHILD_SA", "INFORMATIONAL"]
ALL = HANDSHAKE + [f"{exchange} {kind}" for exchange in LATER for kind in ("request", "response")]

INSISTING = UnknownPayload(200, b"?", critical=True)


def lived_through(pair: Pair) -> Pair:
    """A handshake, new keys for the child and for the IKE SA by either side, and a liveness check."""
    pair.establish()
    for side in (pair.west, pair.east):
        pair.perform(side, side.endpoint.rekey("net", pair.now))
        pair.settle()
        pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
        pair.settle()
    pair.wait_until(pair.now + SECOND)
    pair.settle()
    return pair


def assert_whole(pair: Pair) -> None:
    """Nothing went wrong on either side."""
    for side in (pair.west, pair.east):
        assert not side.drops
        assert len(side.sas) == 2
        assert [sa.state for sa in side.endpoint.sas] == [State.ESTABLISHED]


# -- what is to be passed over ----------------------------------------------------------------------


@pytest.mark.conf("IK2-22")
@pytest.mark.parametrize("message", ALL)
@pytest.mark.parametrize("count", [1, 20])
def test_unknown_payloads_that_do_not_insist_are_skipped_wherever_they_stand(message, count):
    def strew(said: Said) -> None:
        chance = Random(count)  # noqa: S311 - the same order every time
        for number in range(count):
            at = chance.randint(0, len(said.payloads))
            said.payloads.insert(at, UnknownPayload(55 + 10 * number, bytes(number)))

    assert_whole(lived_through(a_peer_that(strew, in_=message, west={"dpd_delay": SECOND})))


@pytest.mark.conf("IK2-23")
@pytest.mark.parametrize("message", ALL)
@pytest.mark.parametrize("order", ["back to front", 1, 2, 3])
def test_payloads_may_stand_in_any_order(message, order):
    if order == "back to front":
        habit = reorders()
    else:

        def habit(said: Said) -> None:
            Random(order).shuffle(said.payloads)  # noqa: S311 - the same order every time

    assert_whole(lived_through(a_peer_that(habit, in_=message, west={"dpd_delay": SECOND})))


@pytest.mark.conf("IK2-92")
@pytest.mark.parametrize("message", ALL)
@pytest.mark.parametrize("count", [1, 50])
def test_vendors_may_call_themselves_what_they_like(message, count):
    vendors = [VendorId(f"vendor {number}".encode()) for number in range(count)]
    assert_whole(lived_through(a_peer_that(adds(*vendors), in_=message, west={"dpd_delay": SECOND})))


@pytest.mark.conf("IK2-01")
@pytest.mark.parametrize("message", HANDSHAKE)
@pytest.mark.parametrize("size", [1280, 3000])
def test_messages_of_1280_and_3000_bytes_are_taken(message, size):
    def swell(said: Said) -> None:
        room = size - len(said.emit(None)) - 4 - (29 if said.is_sealed else 0)
        said.payloads.append(VendorId(bytes(room)))

    pair = a_peer_that(swell, in_=message)
    pair.establish()
    assert_whole(pair)
    assert size in [len(each.payload) for each in pair.sent]


# -- what insists -----------------------------------------------------------------------------------


@pytest.mark.conf("IK2-21", "IK2-103")
@pytest.mark.parametrize("message", ["IKE_SA_INIT request", "IKE_AUTH request"])
def test_a_request_of_the_handshake_that_insists_on_the_unknown_is_rejected_whole(message):
    pair = a_peer_that(adds(INSISTING), in_=message)
    pair.establish()
    assert pair.east.drops == [DropReason.CRITICAL_UNKNOWN]
    assert pair.west.seen(IkeMessageReceived)[-1].payloads == ("N(UNSUPPORTED_CRITICAL_PAYLOAD)",)
    assert not pair.east.endpoint.sas
    pair.wait_until(200 * SECOND)  # what came in clear is a hint only
    assert not pair.west.endpoint.sas


@pytest.mark.conf("IK2-21")
def test_the_refusal_names_the_payload():
    pair = a_peer_that(adds(INSISTING), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    _, payloads = parse_message(pair.wire[0].payload)
    assert payloads == [Notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, bytes([200]))]


@pytest.mark.conf("IK2-21")
@pytest.mark.parametrize("exchange", LATER)
def test_on_a_standing_sa_the_request_is_rejected_and_the_sa_goes_on(exchange):
    pair = a_peer_that(adds(INSISTING), in_=f"{exchange} request", west={"dpd_delay": SECOND})
    pair.establish()
    before = set(pair.east.sas)
    if exchange == "CREATE_CHILD_SA":
        pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    else:
        pair.wait_until(SECOND)
    pair.settle()
    assert pair.east.drops == [DropReason.CRITICAL_UNKNOWN]
    assert pair.west.seen(IkeMessageReceived)[-1].payloads == ("N(UNSUPPORTED_CRITICAL_PAYLOAD)",)
    assert set(pair.east.sas) == before
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]


@pytest.mark.conf("IK2-21")
@pytest.mark.parametrize("message", ["IKE_SA_INIT response", "IKE_AUTH response", "CREATE_CHILD_SA response"])
def test_a_response_that_insists_on_the_unknown_is_rejected_and_not_answered(message):
    pair = a_peer_that(adds(INSISTING), in_=message)
    pair.establish()
    if message.startswith("CREATE"):
        pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
        pair.settle()
    assert pair.west.drops == [DropReason.CRITICAL_UNKNOWN]
    assert not pair.wire
    assert len(pair.west.sas) == (2 if message.startswith("CREATE") else 0)  # nothing new came of it


@pytest.mark.conf("IK2-25")
def test_no_answer_of_ours_insists_on_anything():
    heard: list[Said] = []
    for who in ("west", "east"):
        lived_through(a_peer_that(heard.append, in_="response", who=who, west={"dpd_delay": SECOND}))
        refused = a_peer_that(heard.append, in_="response", who="east", secrets=("one", "two"))
        refused.establish()
    assert len(heard) > 10
    assert not [each for said in heard for each in (*said.outside, *said.payloads) if each.critical]


# -- what is wrong ----------------------------------------------------------------------------------

SPOILT = {
    **{f"no {kind.name}": omits(kind) for kind in (P.IDi, P.AUTH, P.SA, P.TSi, P.TSr)},
    **{f"two {kind.name}": doubles(kind) for kind in (P.IDi, P.IDr, P.AUTH, P.SA, P.TSi, P.TSr)},
    **{
        f"{kind.name} too short": garbles(kind, lambda body: body[:3])
        for kind in (P.IDi, P.AUTH, P.SA, P.TSi, P.TSr)
    },
    **{f"{kind.name} too long": garbles(kind, lambda body: body + b"\0") for kind in (P.SA, P.TSi, P.TSr)},
    **{f"length of {kind.name} + 1": lies_about_length(kind, 1) for kind in (P.IDi, P.SA, P.TSr)},
    **{
        f"length of {kind.name} too small": lies_about_length(kind, by)
        for kind, by in ((P.IDi, -17), (P.AUTH, -37))
    },
}


@pytest.mark.conf("IK2-103")
@pytest.mark.parametrize("habit", SPOILT.values(), ids=SPOILT)
def test_an_ike_auth_request_that_makes_no_sense_leaves_nothing_behind(habit):
    pair = a_peer_that(habit, in_="IKE_AUTH request")
    pair.establish()
    assert pair.east.drops in ([DropReason.INVALID_SYNTAX], [DropReason.PAYLOAD_LEN])
    assert pair.west.seen(IkeMessageReceived)[-1].payloads == ("N(INVALID_SYNTAX)",)
    assert not pair.east.endpoint.sas
    assert not pair.west.endpoint.sas
    assert not pair.east.sas
    pair.wait_until(pair.now + 60 * SECOND)
    assert pair.east.endpoint.next_deadline() is None


@pytest.mark.conf("IK2-114")
@pytest.mark.parametrize(
    "habit",
    [omits(P.SA), omits(P.KE), omits(P.NONCE), doubles(P.KE), garbles(P.NONCE, lambda body: body[:15])],
)
def test_a_first_message_that_makes_no_sense_is_not_answered(habit):
    """Anybody can send one, from any address: only who has shown a right checksum is told of INVALID_SYNTAX."""
    pair = a_peer_that(habit, in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert not pair.wire
    assert not pair.east.endpoint.sas
