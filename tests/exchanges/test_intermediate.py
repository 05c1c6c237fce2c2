"""Additional key exchanges between IKE_SA_INIT and IKE_AUTH, and AUTH that covers them (RFC 9242, RFC 9370)."""

from dataclasses import replace
from itertools import pairwise

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.crypto.prf import compute
from ipsecsim.ike.events import (
    AdditionalKeyExchanged,
    BeganAgain,
    IkeKeysDerived,
    IkeMessageSent,
    IkeProposalChosen,
    NotifyReceived,
    PeerRefused,
)
from ipsecsim.ike.fragment_events import IkeMessageCut
from ipsecsim.ike.negotiate import select
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ike.v2.keying import intermediate
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.message import the
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from tests.support.pair import Pair
from tests.support.sealed import sealed_by_west

PLAIN = "aes256gcm16-prfsha256-x25519"
TWO = PLAIN + "-ke1_ecp384-ke2_modp3072"
BOTH = {"west": {"ike": [TWO]}, "east": {"ike": [TWO]}}
ONE_MORE = [KeyExchange(31, bytes(range(32)))]


def sent(pair: Pair) -> list[tuple[str, int, tuple[str, ...]]]:
    """What west says: exchange, message ID, payloads."""
    return [(each.exchange, each.message_id, each.payloads) for each in pair.west.seen(IkeMessageSent)]


@pytest.mark.conf("INT-02")
def test_each_additional_key_exchange_is_an_exchange_and_makes_all_keys_anew():
    pair = Pair(**BOTH)
    pair.establish()
    assert pair.is_up
    assert [each[:2] for each in sent(pair)] == [
        ("IKE_SA_INIT", 0),
        ("IKE_INTERMEDIATE", 1),
        ("IKE_INTERMEDIATE", 2),
        ("IKE_AUTH", 3),
    ]
    assert [each[2] for each in sent(pair)[1:3]] == [("KE",), ("KE",)]
    assert pair.west.seen(IkeProposalChosen)[0].suite == TWO
    for side in (pair.west, pair.east):
        told = [(each.number, each.group, each.left) for each in side.seen(AdditionalKeyExchanged)]
        assert told == [(1, "ecp-384", 1), (2, "modp-3072", 0)]
    ours, theirs = (side.seen(IkeKeysDerived) for side in (pair.west, pair.east))
    assert ours == theirs
    assert len({keys.sk_ei for keys in ours}) == len(ours) == 3
    sa = pair.west.endpoint.sas[0]
    for before, after in pairwise(ours):
        nonces = sa.nonce_i + sa.nonce_r
        assert after.skeyseed == compute(sa.suite.prf, before.sk_d, after.shared_secret + nonces)


def test_the_answer_still_goes_under_the_keys_of_the_request():
    pair = Pair(**BOTH)
    pair.initiate()
    pair.deliver()
    pair.deliver()
    west = pair.west.endpoint.sas[0].inbound
    pair.deliver()
    raw = pair.wire[0].payload
    _, outer = parse_message(raw)
    (answer,) = envelope.open(raw, outer[0], west)
    assert answer.group == 20
    assert pair.east.endpoint.sas[0].keys != pair.west.endpoint.sas[0].keys
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("INT-01")
@pytest.mark.parametrize(
    ("west", "east", "chosen"),
    [
        ([TWO], [PLAIN], None),
        ([PLAIN], [TWO], None),
        ([TWO, PLAIN], [PLAIN], PLAIN),
        ([PLAIN], [TWO, PLAIN], PLAIN),
        ([PLAIN + "-ke1_ecp384-ke1_none"], [PLAIN], PLAIN),
        ([PLAIN], [PLAIN + "-ke1_ecp384-ke1_none"], PLAIN),
        ([PLAIN + "-ke3_x448"], [PLAIN + "-ke3_x448"], PLAIN + "-ke3_x448"),
    ],
)
def test_there_are_such_exchanges_only_where_both_want_them(west, east, chosen):
    pair = Pair(west={"ike": west}, east={"ike": east})
    pair.establish()
    pair.wait_until(60 * SECOND)
    assert pair.is_up is (chosen is not None)
    assert [each.suite for each in pair.west.seen(IkeProposalChosen)] == ([chosen] if chosen else [])
    rounds = [each for each in sent(pair) if each[0] == "IKE_INTERMEDIATE"]
    assert len(rounds) == (chosen or "").count("ke")


@pytest.mark.conf("INT-01")
def test_an_offer_without_the_word_for_it_gets_no_additional_key_exchange():
    pair = Pair(**BOTH)
    pair.initiate()
    request = pair.wire.pop()
    header, payloads = parse_message(request.payload)
    kept = [
        each
        for each in payloads
        if not isinstance(each, Notify) or each.notify_type != NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED
    ]
    assert len(kept) == len(payloads) - 1
    pair.inject(replace(request, payload=emit_message(header, kept)))
    assert pair.east.drops == [DropReason.NO_PROPOSAL]


def test_no_method_is_chosen_twice():
    pair = Pair(**BOTH)
    pair.initiate()
    request = pair.wire.pop()
    header, payloads = parse_message(request.payload)
    offer = the(payloads, SecurityAssociationPayload)
    (proposal,) = offer.proposals
    both = [replace(each, id=31) if each.type >= 6 else each for each in proposal.transforms]
    offer.proposals[0] = Proposal(1, proposal.protocol, b"", both)
    pair.east.endpoint.connections = pair.west.endpoint.connections
    pair.inject(replace(request, payload=emit_message(header, payloads)))
    assert pair.east.drops[-1] is DropReason.NO_PROPOSAL


def test_a_choice_that_would_take_a_method_twice_gives_way_to_one_that_does_not():
    ke, first, second = (Transform(kind, 31) for kind in (4, 6, 7))
    x448 = Transform(6, 32)
    assert select([ke, first, x448], [ke, first, x448]) == [ke, x448]
    assert select([ke, first], [ke, first]) is None
    offer = [Transform(4, 19), first, x448, second]
    assert select(offer, offer) == [Transform(4, 19), x448, second]
    none = Transform(6, 0)
    assert select([ke, none, Transform(7, 0)], [ke, none, Transform(7, 0)]) == [ke, none, Transform(7, 0)]


# -- what AUTH covers ---------------------------------------------------------------------------------


@pytest.mark.conf("INT-03")
def test_auth_covers_the_messages_as_they_were_before_they_were_sealed():
    """From the wire alone: header and SK header with lengths that count no IV, padding and ICV (RFC 9242 3.3.2)."""
    pair = Pair(west={"ike": [PLAIN + "-ke1_ecp384"]}, east={"ike": [PLAIN + "-ke1_ecp384"]})
    pair.initiate()
    pair.deliver()
    pair.deliver()
    keys = pair.west.endpoint.sas[0].keys
    opens = pair.west.endpoint.sas[0].outbound, pair.west.endpoint.sas[0].inbound
    pair.settle()
    sa = pair.west.endpoint.sas[0]
    halves = []
    for datagram, protection, key in zip(pair.sent[2:4], opens, (keys.sk_pi, keys.sk_pr), strict=True):
        raw = datagram.payload
        content = protection.open(raw[:32], raw[32:])
        inner = content[: -1 - content[-1]]
        length = 28 + 4 + len(inner)
        chunk = raw[:24] + length.to_bytes(4, "big") + raw[28:30] + (length - 28).to_bytes(2, "big") + inner
        halves.append(compute(sa.suite.prf, key, chunk))
    for side in (pair.west, pair.east):
        assert intermediate.authenticated(side.endpoint.sas[0]) == b"".join(halves) + b"\0\0\0\2"


@pytest.mark.conf("INT-03")
@pytest.mark.parametrize("size", [0, 300])
@pytest.mark.parametrize("number", [2, 3])
def test_a_changed_round_ends_in_refused_proof(size, number):
    """Somebody who has the keys, and changes what does not change the secret: the notify that nobody reads."""
    pair = Pair(
        west={"ike": [TWO], "fragment_size": size or 2000}, east={"ike": [TWO], "fragment_size": size or 2000}
    )
    pair.initiate()
    pair.deliver()
    pair.deliver()
    if not size:
        datagram = pair.wire.pop(0)
        sa = pair.west.endpoint.sas[0]
        header, outer = parse_message(datagram.payload)
        inside = envelope.open(datagram.payload, outer[0], pair.east.endpoint.sas[0].inbound)
        more = [*inside, Notify(40000 + number, b"not hers")]
        raw = envelope.seal(header, more, sa.outbound)
        pair.wire.insert(0, replace(datagram, payload=raw))
        pair.settle()
        assert not pair.is_up
        assert "AUTH" in pair.east.seen(PeerRefused)[0].why
    else:
        assert pair.west.seen(IkeMessageCut) == []
        pair.settle()
        assert pair.is_up
        assert pair.west.seen(IkeMessageCut)


@pytest.mark.conf("INT-03")
def test_it_makes_no_difference_to_auth_whether_the_messages_were_cut():
    def proof(**changes) -> tuple[bytes, int]:
        options = {"ike": [PLAIN + "-ke1_modp4096"]}
        pair = Pair(west=options | changes, east=options)
        pair.establish()
        assert pair.is_up
        side = pair.west.endpoint.sas[0]
        return intermediate.authenticated(side), len(pair.west.seen(IkeMessageCut))

    whole, none_cut = proof(fragment_size=3000)
    pieces, cut = proof(fragment_size=300)
    assert (none_cut, cut) == (0, 1)
    assert whole == pieces


# -- order, number, errors ----------------------------------------------------------------------------


def half_way() -> Pair:
    pair = Pair(**BOTH)
    pair.initiate()
    pair.deliver()
    pair.deliver()
    return pair


@pytest.mark.conf("INT-02")
def test_ike_auth_before_its_time_is_not_read():
    pair = half_way()
    pair.inject(sealed_by_west(pair, [], message_id=1, exchange=ExchangeType.IKE_AUTH))
    assert pair.east.drops[-1] in (DropReason.INVALID_SYNTAX, DropReason.STATE_VIOLATION)
    pair = half_way()
    sa = pair.west.endpoint.sas[0]
    sa.intermediate.waiting.clear()
    sa.window.outstanding, sa.window.next_request = None, 1
    pair.wire.clear()
    pair.perform(pair.west, sa.request(ExchangeType.IKE_AUTH, pair.now))
    pair.deliver()
    assert pair.east.drops[-1] is DropReason.STATE_VIOLATION
    assert not pair.east.sas


@pytest.mark.conf("INT-02")
@pytest.mark.parametrize("message_id", [0, 2, 3, 100])
def test_a_round_with_another_message_id_is_not_read(message_id):
    pair = half_way()
    ke = the(
        envelope.open(
            raw := pair.wire[0].payload, parse_message(raw)[1][0], pair.east.endpoint.sas[0].inbound
        ),
        KeyExchange,
    )
    pair.inject(sealed_by_west(pair, [ke], message_id=message_id, exchange=ExchangeType.IKE_INTERMEDIATE))
    assert pair.east.drops[-1] in (DropReason.OUT_OF_WINDOW, DropReason.RETRANSMIT_IGNORED)
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("INT-04")
def test_there_are_as_many_rounds_as_were_agreed_on_and_no_more():
    pair = Pair(**BOTH)
    pair.initiate()
    while pair.wire and parse_message(pair.wire[0].payload)[0].exchange != ExchangeType.IKE_AUTH:
        pair.deliver()
    for _ in range(20):
        pair.inject(sealed_by_west(pair, ONE_MORE, message_id=3, exchange=ExchangeType.IKE_INTERMEDIATE))
    assert set(pair.east.drops) == {DropReason.STATE_VIOLATION}
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("INT-04")
@pytest.mark.parametrize(
    "payloads",
    [[], [KeyExchange(31, bytes(range(32)))], [KeyExchange(20, b"x")]],
    ids=["none", "other", "short"],
)
def test_a_wrong_value_ends_the_attempt(payloads):
    pair = half_way()
    pair.wire.clear()
    pair.inject(sealed_by_west(pair, payloads, message_id=1, exchange=ExchangeType.IKE_INTERMEDIATE))
    assert not pair.east.sas
    assert pair.east.drops[-1] in (DropReason.INVALID_SYNTAX, DropReason.KE_INVALID)
    if pair.east.drops[-1] is DropReason.INVALID_SYNTAX:
        pair.settle()
        assert pair.west.seen(NotifyReceived) == [NotifyReceived("INVALID_SYNTAX", "IKE_INTERMEDIATE")]
        assert not pair.west.endpoint.sas
        assert not pair.east.endpoint.sas


def test_without_an_agreement_the_exchange_is_not_known():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.deliver()
    pair.inject(sealed_by_west(pair, ONE_MORE, message_id=1, exchange=ExchangeType.IKE_INTERMEDIATE))
    assert pair.east.drops == [DropReason.STATE_VIOLATION]


@pytest.mark.parametrize(
    ("size", "lost"), [*((2000, lost) for lost in range(8)), *((300, lost) for lost in range(10))]
)
def test_any_one_lost_message_is_survived(size, lost):
    changes = {"ike": [TWO], "fragment_size": size}
    pair = Pair(west=changes, east=changes)
    pair.initiate()
    pair.settle_without(lost)
    assert pair.is_up


def test_with_a_nat_between_the_first_round_goes_to_port_4500():
    changes = {"ike": [TWO], "encap": True}
    pair = Pair(west=changes, east=changes)
    pair.establish()
    assert pair.is_up
    assert {each.destination_port for each in pair.sent[2:]} == {4500}


@pytest.mark.conf("INT-03")
def test_reserved_bits_of_the_sk_header_are_covered_as_they_were_sent():
    pair = half_way()
    raw, sa = pair.wire[0].payload, pair.west.endpoint.sas[0]
    aad = raw[:29] + b"\x03" + raw[30:32]
    flagged = aad + sa.outbound.seal(aad, bytes(len(raw) - 32 - 8 - 16))
    _, outer = parse_message(flagged)
    assert envelope.unseal(flagged, outer[0], pair.east.endpoint.sas[0].inbound).flags == 3


def under_way(**west: object) -> Pair:
    """West has asked for the first additional key exchange, and the question is on the wire."""
    pair = Pair(west={"ike": [TWO], **west}, east={"ike": [TWO]})
    pair.initiate()
    pair.deliver()
    pair.deliver()
    assert sent(pair)[-1][0] == "IKE_INTERMEDIATE"
    return pair


def test_what_is_under_way_is_not_begun_once_more():
    pair = under_way()
    pair.initiate()
    assert (len(pair.west.endpoint.sas), len(pair.wire)) == (1, 1)


def test_what_is_under_way_can_be_called_off():
    pair = under_way()
    pair.terminate()
    assert pair.west.endpoint.sas == ()


def test_a_try_that_ends_there_is_followed_by_another_one():
    pair = under_way(keyingtries=2, retransmit=RetransmitPolicy(timeout=SECOND, tries=1))
    pair.wire.clear()
    pair.wait_until(4 * SECOND)
    assert len(pair.west.seen(BeganAgain)) == 1
    pair.settle()
    assert pair.is_up


def test_a_peer_that_begins_too_and_knows_of_nothing_does_not_end_it():
    pair = under_way()
    (asked,) = pair.wire
    pair.wire.clear()
    pair.perform(pair.east, pair.east.endpoint.initiate("net", pair.now))
    pair.settle()
    ours, _ = pair.west.endpoint.sas
    pair.wire.append(asked)
    pair.settle()
    assert ours.state is State.ESTABLISHED
