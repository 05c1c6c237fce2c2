"""The rows of area ikev2: what has brought IKE implementations down, and the reason with which it ends here."""

from collections.abc import Callable

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import ENCRYPTION, GROUPS, INTEGRITY, PRF, WORDS
from ipsecsim.ike import events
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.states import State
from ipsecsim.observe.telling.explain import explain
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl.parse import ike_proposal
from ipsecsim.wire import der
from ipsecsim.wire.distinguished_name import TYPES, Part, emit
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, IdType, NotifyType, ProtocolId, TransformType
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.nat_t import Encapsulated, classify
from tests.hostile.ike_situations import STATES, WITHOUT_KEYS, header_for, seal, situation
from tests.support.misbehaving import (
    a_peer_that,
    ask,
    changes,
    changes_transform,
    garbles,
    leaves_open,
    lies_about_length,
    offers,
    omits,
    omits_transform,
)
from tests.support.pair import Pair, established, half_way, to_east

PFS = {"esp": ["aes256gcm16-x25519"]}
UNKNOWN_STATUS = 50_000


def begun() -> tuple[Pair, bytes]:
    """A first message that has not arrived yet."""
    pair = Pair()
    pair.initiate()
    return pair, pair.wire.pop().payload


def rekeyed(pair: Pair, verb: str = "rekey") -> Pair:
    """West asks for new keys, of the child or of the IKE SA."""
    pair.establish()
    pair.perform(pair.west, getattr(pair.west.endpoint, verb)("net", pair.now))
    pair.settle()
    return pair


# -- numbers that mean something else ----------------------------------------------------------------


@pytest.mark.hos("HOS-06")
def test_no_spi_is_zero_and_zero_on_port_4500_is_ike():
    pair = established()
    assert all(pair.west.endpoint.child_spi() > 255 for _ in range(1000))
    assert classify(bytes(8) + b"ESP with an SPI of 0?") is Encapsulated.IKE
    path = pair.west.endpoint.sas[0].path
    assert pair.east.endpoint.datagram(path, bytes(28), 0) == []


@pytest.mark.hos("HOS-06")
@pytest.mark.parametrize("spi", [bytes(4), b"\0\0\0\xff"])
def test_a_peer_that_wants_to_receive_on_a_reserved_spi_gets_no_sa(spi):
    pair = a_peer_that(offers(lambda each: setattr(each, "spi", spi)), in_="IKE_AUTH request")
    pair.establish()
    assert pair.east.sas == {}


@pytest.mark.hos("HOS-22")
def test_a_key_exchange_for_a_private_group_is_answered_with_the_one_that_was_chosen():
    pair = a_peer_that(changes(P.KE, group=1025), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.INVALID_KE]
    assert not pair.east.endpoint.sas


@pytest.mark.hos("HOS-22")
@pytest.mark.parametrize("number", [1025, 0, 0xFFFF])
def test_an_offer_of_a_private_group_is_none(number):
    pair = a_peer_that(changes_transform(TransformType.KE, id=number), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.NO_PROPOSAL]


@pytest.mark.hos("HOS-37")
@pytest.mark.parametrize("bits", [None, 0, 1, 129, 255, 0xFFFF])
def test_a_key_length_that_the_cipher_does_not_have_is_not_acceptable(bits):
    pair = a_peer_that(changes_transform(TransformType.ENCR, key_bits=bits), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.NO_PROPOSAL]


@pytest.mark.hos("HOS-37")
@pytest.mark.parametrize("bits", [None, 0, 129, 0xFFFF])
def test_nor_can_it_be_chosen(bits):
    pair = a_peer_that(changes_transform(TransformType.ENCR, key_bits=bits), in_="IKE_AUTH response")
    pair.establish()
    assert DropReason.NO_PROPOSAL in pair.west.drops
    assert pair.west.sas == {}


@pytest.mark.hos("HOS-44")
def test_an_ike_proposal_without_a_key_exchange_is_refused():
    pair = a_peer_that(omits_transform(TransformType.KE), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.NO_PROPOSAL]
    _, (refusal,) = parse_message(pair.wire[0].payload)
    assert refusal == Notify(NotifyType.NO_PROPOSAL_CHOSEN)


@pytest.mark.hos("HOS-43", "HOS-63")
def test_every_algorithm_that_can_be_offered_works():
    """A row whose library lacks the algorithm would be offered, chosen and fail: here it would fail."""
    for prf in PRF.values():
        assert len(prf.make(b"key" * 8)(b"data")) == prf.output
    for row in INTEGRITY.values():
        keyed = row.make(bytes(row.key_length))
        assert len(keyed(b"data")) >= row.icv
    for cipher in ENCRYPTION.values():
        integrity = None if cipher.combined else INTEGRITY[12].make(bytes(32))
        for bits in cipher.key_bits:
            made = cipher.make(cipher, bytes(range(1, bits // 8 + cipher.salt + 1)), integrity, 0)
            assert made.alignment
    assert {row for row, _ in WORDS.values()} >= set(GROUPS.values())


@pytest.mark.hos("HOS-43", "HOS-63")
@pytest.mark.parametrize(
    "words", ["aes256gcm16-prfmd2-x25519", "idea-sha256-modp2048", "aes128-sha256-modp8193"]
)
def test_what_is_not_in_the_catalogue_cannot_be_offered(words):
    with pytest.raises(Mistake):
        ike_proposal(words)


# -- public values -----------------------------------------------------------------------------------

BAD_VALUES: dict[str, Callable[[bytes], bytes]] = {
    "zero": lambda value: bytes(len(value)),
    "none": lambda value: b"",
    "too long": lambda value: value + b"\1",
    "far too long": lambda value: value * 100,
    "too short": lambda value: value[:-1],
}


@pytest.mark.hos("HOS-13", "HOS-42", "HOS-70")
@pytest.mark.parametrize("change", BAD_VALUES.values(), ids=BAD_VALUES)
@pytest.mark.parametrize("group", ["x25519", "ecp256", "modp2048"])
def test_a_public_value_that_is_none_is_dropped_by_the_responder_and_not_answered(group, change):
    ike = {"ike": [f"aes256gcm16-prfsha256-{group}"]}
    spoil = garbles(P.KE, lambda body: body[:4] + change(body[4:]))
    pair = a_peer_that(spoil, in_="IKE_SA_INIT request", west=ike, east=ike)
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.KE_INVALID]
    assert pair.wire == []
    assert not pair.east.endpoint.sas


@pytest.mark.hos("HOS-13", "HOS-70")
@pytest.mark.parametrize("change", BAD_VALUES.values(), ids=BAD_VALUES)
def test_the_initiator_drops_such_an_answer_and_keeps_waiting(change):
    spoil = garbles(P.KE, lambda body: body[:4] + change(body[4:]))
    pair = a_peer_that(spoil, in_="IKE_SA_INIT response")
    pair.initiate()
    pair.deliver()
    pair.deliver()
    assert pair.west.drops == [DropReason.KE_INVALID]
    (sa,) = pair.west.endpoint.sas
    assert sa.state is State.INIT_SENT
    assert sa.window.outstanding is not None


@pytest.mark.hos("HOS-42", "HOS-70")
@pytest.mark.parametrize("change", BAD_VALUES.values(), ids=BAD_VALUES)
@pytest.mark.parametrize("verb", ["rekey", "rekey_ike"])
def test_in_create_child_sa_it_is_answered_and_ends_the_ike_sa(verb, change):
    spoil = garbles(P.KE, lambda body: body[:4] + change(body[4:]))
    pair = rekeyed(a_peer_that(spoil, in_="CREATE_CHILD_SA request", west=PFS, east=PFS), verb)
    assert pair.east.drops[0] is DropReason.KE_INVALID
    assert pair.west.seen(events.NotifyReceived)[0].notify == "INVALID_SYNTAX"
    assert not pair.east.endpoint.sas
    assert not pair.west.endpoint.sas


# -- headers and payloads ----------------------------------------------------------------------------


@pytest.mark.hos("HOS-39")
def test_a_datagram_that_ends_before_its_header_does_is_too_short():
    pair, raw = begun()
    for length in range(28):
        pair.inject(to_east(raw[:length]))
    assert pair.east.drops == [DropReason.SHORT] * 28
    assert pair.wire == []


@pytest.mark.hos("HOS-39")
@pytest.mark.parametrize("version", [0x00, 0x1F, 0x30, 0xF0])
def test_a_version_that_nobody_speaks_is_dropped_and_answered_only_when_it_is_above_ours(version):
    pair, raw = begun()
    pair.inject(to_east(raw[:17] + bytes([version]) + raw[18:]))
    assert pair.east.drops == [DropReason.BAD_VERSION]
    answers = [parse_message(each.payload)[1] for each in pair.wire]
    is_above = version >> 4 > 2
    assert answers == ([[Notify(NotifyType.INVALID_MAJOR_VERSION)]] if is_above else [])


@pytest.mark.hos("HOS-32")
@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_payload_that_says_it_has_no_length_ends_the_walk(length):
    pair, raw = begun()
    pair.inject(to_east(raw[:30] + length.to_bytes(2, "big") + raw[32:]))
    assert pair.east.drops == [DropReason.PAYLOAD_LEN]
    for kind, size in ((NotifyType.INITIAL_CONTACT, 8), (UNKNOWN_STATUS, 8)):
        pair = established()
        ask(pair, Notify(kind), habits=[lies_about_length(P.NOTIFY, length - size)])
        assert pair.east.drops == [DropReason.PAYLOAD_LEN]


MANDATORY = {
    "IKE_SA_INIT request": (P.SA, P.KE, P.NONCE),
    "IKE_SA_INIT response": (P.SA, P.KE, P.NONCE),
    "IKE_AUTH request": (P.IDi, P.AUTH, P.SA, P.TSi, P.TSr),
    "IKE_AUTH response": (P.IDr, P.AUTH, P.SA, P.TSi, P.TSr),
    "CREATE_CHILD_SA request": (P.SA, P.NONCE, P.TSi, P.TSr),
    "CREATE_CHILD_SA response": (P.SA, P.NONCE, P.TSi, P.TSr),
}


def whose(pair: Pair, message: str):
    """Who has to judge a message of a peer that misbehaves in it."""
    return pair.east if message.endswith("request") else pair.west


@pytest.mark.hos("HOS-40", "HOS-15")
@pytest.mark.parametrize(
    ("message", "kind"), [(name, kind) for name, kinds in MANDATORY.items() for kind in kinds]
)
def test_each_payload_that_must_be_there_is_missed(message, kind):
    pair = rekeyed(a_peer_that(omits(kind), in_=message))
    judge = whose(pair, message)
    refused = [each.name for each in judge.drops] + [each.notify for each in judge.seen(events.ChildSaFailed)]
    assert refused[0] == "INVALID_SYNTAX"
    if message == "IKE_SA_INIT request":
        assert len(pair.sent) == 1  # nobody answers it
    if message.startswith("IKE_"):
        assert judge.sas == {}


@pytest.mark.hos("HOS-40")
@pytest.mark.parametrize("kind", [TransformType.ENCR, TransformType.PRF, TransformType.KE])
def test_a_proposal_that_lacks_a_kind_of_transform_is_not_acceptable(kind):
    pair = a_peer_that(omits_transform(kind), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.NO_PROPOSAL]


@pytest.mark.hos("HOS-49")
@pytest.mark.parametrize("kind", [P.TSi, P.TSr])
@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body[:5],
        lambda body: body[:-1],
        lambda body: b"\xff" + body[1:],
        lambda body: body[:6] + b"\0\0" + body[8:],
        lambda body: body[:6] + b"\xff\xff" + body[8:],
    ],
    ids=["empty", "cut off", "one byte short", "count", "a length of 0", "a length past the end"],
)
def test_traffic_selectors_that_make_no_sense_end_the_ike_sa_of_an_authenticated_peer(kind, change):
    pair = rekeyed(a_peer_that(garbles(kind, change), in_="CREATE_CHILD_SA request"))
    assert pair.east.drops[0] is DropReason.INVALID_SYNTAX
    assert not pair.east.endpoint.sas
    assert not pair.west.endpoint.sas
    assert pair.east.sas == pair.west.sas == {}


# -- too early, and out of order ---------------------------------------------------------------------


@pytest.mark.hos("HOS-21", "HOS-46")
@pytest.mark.parametrize("exchange", [ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL])
@pytest.mark.parametrize("habits", [[], [leaves_open()]], ids=["sealed", "in clear"])
def test_before_anything_is_proved_no_other_exchange_comes_in(exchange, habits):
    pair = half_way()
    rekey = Notify(NotifyType.REKEY_SA, protocol=ProtocolId.ESP, spi=b"\1\2\3\4")
    ask(pair, rekey, exchange=exchange, habits=habits)
    assert pair.east.drops == [DropReason.STATE_VIOLATION]
    assert pair.east.sas == {}
    assert all(sa.state is not State.ESTABLISHED for sa in pair.east.endpoint.sas)


@pytest.mark.hos("HOS-54")
def test_without_a_shared_secret_the_sa_fails_and_a_repetition_finds_nothing():
    pair = Pair()
    pair.east.endpoint.credentials = Credentials([])
    pair.initiate()
    pair.deliver()
    pair.deliver()
    request = pair.wire[0]
    pair.settle()
    assert pair.east.drops == [DropReason.AUTH_FAILED]
    assert "no shared secret" in str(pair.east.seen(events.PeerRefused)[0])
    assert not pair.east.endpoint.sas
    assert not pair.west.endpoint.sas
    pair.inject(request)
    assert pair.east.drops[-1] is DropReason.NO_STATE


@pytest.mark.hos("HOS-77")
@pytest.mark.parametrize("state", sorted(set(STATES) - set(WITHOUT_KEYS)))
def test_every_exchange_comes_in_every_state_and_moves_nothing_before_there_is_a_proof(state):
    for exchange in (*ExchangeType, 0, 255):
        for is_response in (False, True):
            made = situation(state, "gcm")
            (sa, *_) = made.endpoint.sas
            message_id = sa.window.next_request - 1 if is_response else sa.window.expected_request
            header = header_for(
                made, is_response=is_response, exchange=exchange, message_id=max(message_id, 0)
            )
            is_unproved = sa.state in (State.INIT_ANSWERED, State.AUTH_SENT)
            made.endpoint.datagram(made.path, seal(made.protection, header, 0, b"\0"), made.now)
            if is_unproved:
                assert made.victim.drops
                assert sa.state is not State.ESTABLISHED


# -- what people read --------------------------------------------------------------------------------

EVIL = b"\x1b[31m`rm -rf /`; <script>alert(1)</script>\n\r\0'\"$(reboot)%n%s../../etc/passwd"


@pytest.mark.hos("HOS-78")
@pytest.mark.parametrize("kind", [*IdType, 99])
def test_what_a_peer_calls_itself_reaches_no_terminal_as_it_is(kind):
    pair = a_peer_that(garbles(P.IDi, lambda _: bytes((kind, 0, 0, 0)) + EVIL), in_="IKE_AUTH request")
    pair.establish()
    assert pair.east.sas == {}
    assert str(Identity(kind, EVIL)).isprintable()
    for event in pair.east.events:
        assert explain(event).isprintable(), event


@pytest.mark.hos("HOS-78")
def test_nor_does_what_stands_in_a_distinguished_name():
    name = emit((Part(der.identifier(TYPES["CN"]), EVIL.decode()),))
    assert str(Identity(IdType.ID_DER_ASN1_DN, name)).isprintable()


@pytest.mark.hos("HOS-78")
@pytest.mark.parametrize(
    "kind", [NotifyType.AUTHENTICATION_FAILED, NotifyType.NO_PROPOSAL_CHOSEN, UNKNOWN_STATUS, 16000]
)
def test_what_a_peer_says_in_a_notify_is_not_shown(kind):
    pair = established()
    ask(pair, Notify(kind, EVIL))
    for event in pair.east.events:
        assert explain(event).isprintable(), event
        assert "script" not in explain(event)


@pytest.mark.hos("HOS-79")
def test_a_status_notify_of_any_size_is_passed_over_and_the_rest_is_read():
    pair = established()
    assert ask(
        pair, Notify(UNKNOWN_STATUS, bytes(65_000)), goodbye := pair.west.endpoint.sas[0].children[0].goodbye
    )
    assert goodbye.spis
    assert pair.east.sas == {}
    assert pair.east.drops == []


@pytest.mark.hos("HOS-79", "HOS-80")
@pytest.mark.parametrize("kind", [IdType.ID_FQDN, IdType.ID_KEY_ID, IdType.ID_DER_ASN1_DN])
def test_an_identity_of_65000_bytes_is_too_long(kind):
    pair = a_peer_that(
        garbles(P.IDi, lambda _: bytes((kind, 0, 0, 0)) + b"x" * 65_000), in_="IKE_AUTH request"
    )
    pair.establish()
    assert pair.east.drops == [DropReason.ID_TOO_LONG]
    with pytest.raises(RemoteError):
        Identity(kind, b"x" * 65_000).check()
