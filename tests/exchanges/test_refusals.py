"""What a peer, or somebody who pretends to be one, can do wrong, and the reason it ends in (RFC 7296 2.21)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType
from tests.support.pair import EAST, WEST, Pair, to_east
from tests.support.sealed import answer_of_east, sealed_by_west


@pytest.fixture
def pair() -> Pair:
    """Two sides with an established SA; what they said is gone from the wire."""
    pair = Pair()
    pair.establish()
    return pair


@pytest.fixture
def first() -> tuple[Pair, bytes]:
    """The first message of a handshake, not delivered."""
    pair = Pair()
    pair.initiate()
    return pair, pair.wire.pop().payload


CLEAR = {
    DropReason.SHORT: lambda raw: raw[:27],
    DropReason.LEN_MISMATCH: lambda raw: raw + b"\0",
    DropReason.BAD_VERSION: lambda raw: raw[:17] + b"\x30" + raw[18:],
    DropReason.BAD_SPI: lambda raw: bytes(8) + raw[8:],
    DropReason.PAYLOAD_LEN: lambda raw: raw[:30] + b"\0\x03" + raw[32:],
    DropReason.INVALID_SYNTAX: lambda raw: raw[:39] + b"\xff" + raw[40:],
    DropReason.CRITICAL_UNKNOWN: lambda raw: with_payload(raw, UnknownPayload(200, b"x", critical=True)),
    DropReason.TOO_MANY_PAYLOADS: lambda raw: with_payload(raw, *[UnknownPayload(200, b"")] * 60),
    DropReason.KE_INVALID: lambda raw: raw[:76] + bytes(32) + raw[108:],
    DropReason.NO_STATE: lambda raw: raw[:18] + b"\x23" + raw[19:],
}


def with_payload(raw: bytes, *more: Payload) -> bytes:
    header, payloads = parse_message(raw)
    return emit_message(header, [*payloads, *more])


@pytest.mark.parametrize("reason", list(CLEAR), ids=lambda reason: reason.name)
def test_a_bad_first_message_ends_in_its_reason_and_leaves_nothing_behind(first, reason):
    pair, raw = first
    pair.inject(to_east(CLEAR[reason](raw)))
    assert pair.east.drops == [reason]
    assert not pair.east.endpoint.sas


def test_a_higher_version_is_told_which_one_we_speak(first):
    pair, raw = first
    pair.inject(to_east(CLEAR[DropReason.BAD_VERSION](raw)))
    header, payloads = parse_message(pair.wire.pop().payload)
    assert (header.major_version, header.is_response) == (2, True)
    assert payloads == [Notify(NotifyType.INVALID_MAJOR_VERSION)]


def test_an_unknown_critical_payload_is_named_in_the_answer(first):
    pair, raw = first
    pair.inject(to_east(CLEAR[DropReason.CRITICAL_UNKNOWN](raw)))
    _, payloads = parse_message(pair.wire.pop().payload)
    assert payloads == [Notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, bytes([200]))]


def test_an_unknown_payload_that_is_not_critical_is_skipped(first):
    pair, raw = first
    pair.inject(to_east(with_payload(raw, UnknownPayload(200, b"x"))))
    assert not pair.east.drops
    assert pair.east.endpoint.sas[0].state is State.INIT_ANSWERED


def test_a_broken_seal_is_not_answered_and_changes_nothing(pair):
    good = sealed_by_west(pair, [], message_id=2).payload
    pair.inject(to_east(good[:-1] + bytes([good[-1] ^ 1])))
    assert pair.east.drops == [DropReason.SK_FAIL]
    assert not pair.wire
    pair.inject(to_east(good))
    assert answer_of_east(pair) == []


def test_message_ids_ahead_of_and_behind_the_window_are_dropped(pair):
    pair.inject(sealed_by_west(pair, [], message_id=9))
    pair.inject(sealed_by_west(pair, [], message_id=0))
    assert pair.east.drops == [DropReason.OUT_OF_WINDOW, DropReason.RETRANSMIT_IGNORED]
    assert not pair.wire


def test_an_answer_that_nobody_asked_for_is_dropped(pair):
    pair.inject(sealed_by_west(pair, [], message_id=0, flags=INITIATOR | RESPONSE))
    assert pair.east.drops == [DropReason.UNEXPECTED_RESPONSE]


def test_a_second_ike_auth_is_out_of_place(pair):
    pair.inject(sealed_by_west(pair, [], message_id=2, exchange=ExchangeType.IKE_AUTH))
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert answer_of_east(pair) == [Notify(NotifyType.INVALID_SYNTAX)]
    assert not pair.east.endpoint.sas  # RFC 7296 2.21.3: fatal


def test_an_exchange_that_we_do_not_know_is_out_of_place(pair):
    pair.inject(sealed_by_west(pair, [], message_id=2, exchange=ExchangeType.IKE_SESSION_RESUME))
    assert pair.east.drops == [DropReason.STATE_VIOLATION]


def test_a_message_without_a_seal_is_out_of_place_once_there_are_keys(pair):
    sa = pair.east.endpoint.sas[0]
    header = IkeHeader(sa.spi_i, sa.spi_r, 0, ExchangeType.INFORMATIONAL, INITIATOR, 2)
    pair.inject(to_east(emit_message(header, [])))
    assert pair.east.drops == [DropReason.STATE_VIOLATION]
    assert pair.east.endpoint.sas[0].window.expected_request == 2


def test_an_unknown_critical_payload_inside_sk_is_answered_sealed(pair):
    pair.inject(sealed_by_west(pair, [UnknownPayload(201, b"", critical=True)], message_id=2))
    assert pair.east.drops == [DropReason.CRITICAL_UNKNOWN]
    assert answer_of_east(pair) == [Notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, bytes([201]))]
    assert pair.east.endpoint.sas[0].state is State.ESTABLISHED


def test_a_chain_that_makes_no_sense_inside_sk_is_answered_sealed(pair):
    sa = pair.west.endpoint.sas[0]
    header = IkeHeader(sa.spi_i, sa.spi_r, PayloadType.SK, ExchangeType.INFORMATIONAL, INITIATOR, 2)
    inner = b"\0\0\0\x63\0"  # a payload that claims 99 bytes, then the pad length
    sealed_length = 4 + 8 + len(inner) + 16
    header.length = 28 + sealed_length
    aad = header.emit() + bytes([PayloadType.DELETE, 0]) + sealed_length.to_bytes(2, "big")
    pair.inject(to_east(aad + sa.outbound.seal(aad, inner)))
    assert pair.east.drops == [DropReason.PAYLOAD_LEN]
    assert answer_of_east(pair) == [Notify(NotifyType.INVALID_SYNTAX)]
    assert not pair.east.sas


def test_an_answer_that_calls_our_request_badly_formed_ends_the_sa():
    pair = Pair(west={"dpd_delay": SECOND})
    pair.establish()
    pair.wait_until(SECOND)
    sa = pair.east.endpoint.sas[0]
    header = IkeHeader(sa.spi_i, sa.spi_r, 0, ExchangeType.INFORMATIONAL, RESPONSE, 2)
    raw = envelope.seal(header, [Notify(NotifyType.INVALID_SYNTAX)], sa.outbound)
    pair.inject(SendDatagram(EAST, 500, WEST, 500, raw))
    assert not pair.west.endpoint.sas
    assert not pair.west.sas


def test_traffic_selectors_that_were_widened_are_not_installed():
    pair = Pair(west={"remote_ts": ["10.2.0.0/28"]}, east={"local_ts": ["10.2.0.0/24"]})
    narrowed = Pair(west={"remote_ts": ["10.2.0.0/28"]}, east={"local_ts": ["10.2.0.0/24"]})
    narrowed.establish()
    assert len(narrowed.west.sas) == 2
    # a responder that answers with its own selectors as they are
    from ipsecsim.ike.v2.children import child_agreement

    original = child_agreement.narrow
    child_agreement.narrow = lambda offered, allowed: tuple(allowed)
    try:
        pair.establish()
    finally:
        child_agreement.narrow = original
    assert DropReason.TS_UNACCEPTABLE in pair.west.drops
    assert not pair.west.sas
