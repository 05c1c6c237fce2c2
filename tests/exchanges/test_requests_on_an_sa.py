"""Every request on an SA whose peer is known is answered, whatever is wrong with it (RFC 7296 1.4, 2.21, 3.10)."""

import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import ChildSaFailed, NotifyReceived
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.negotiate import offer_child, offer_ike_rekey
from ipsecsim.ike.v2.states import State
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import FIRST_STATUS_TYPE, Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder
from tests.support.misbehaving import Said, a_peer_that, adds, ask, changes, omits
from tests.support.pair import Pair, established, half_way

INIT, AUTH, CREATE, INFORM = (
    ExchangeType.IKE_SA_INIT,
    ExchangeType.IKE_AUTH,
    ExchangeType.CREATE_CHILD_SA,
    ExchangeType.INFORMATIONAL,
)
NOT_UNDERSTOOD = [Notify(NotifyType.INVALID_SYNTAX)]
UNKNOWN_ERRORS, UNKNOWN_STATUS = (8191, 16383), (16500, 40959, 40960, 65535)


def child(*, words="aes256gcm16", nonce=True, selectors=True, ke: KeyExchange | None = None) -> list[Payload]:
    """A request for a further child, whole or with something missing."""
    anywhere = [traffic_selector(Prefix.parse("0.0.0.0/0"))]
    return [
        offer_child([esp_proposal(words)], b"abcd", with_groups=True),
        *([Nonce(bytes(32))] if nonce else []),
        *([ke] if ke else []),
        *([TsInitiator(anywhere), TsResponder(anywhere)] if selectors else []),
    ]


def new_ike_sa(*ke: KeyExchange) -> list[Payload]:
    """A request to replace the IKE SA."""
    offer = offer_ike_rekey([ike_proposal("aes256gcm16-prfsha256-x25519")], b"new spi!")
    return [offer, Nonce(bytes(32)), *ke]


# -- every bad request is answered ------------------------------------------------------------------

BAD_REQUESTS = {
    "an IKE_AUTH with nothing in it": (AUTH, []),
    "an IKE_AUTH when all is proved": (AUTH, child()),
    "an exchange that nobody knows": (250, []),
    "an exchange that we never agreed on": (ExchangeType.IKE_SESSION_RESUME, child()),
    "a child without a nonce": (CREATE, child(nonce=False)),
    "a child without selectors": (CREATE, child(selectors=False)),
    "a child with a public value of zero": (
        CREATE,
        child(words="aes256gcm16-modp2048", ke=KeyExchange(14, bytes(256))),
    ),
    "a DELETE that lies about its length": (INFORM, [UnknownPayload(P.DELETE, b"\x03\x04\xff\xffabcd")]),
    "a notify that ends too early": (INFORM, [UnknownPayload(P.NOTIFY, b"\0")]),
    "two CP payloads": (INFORM, [UnknownPayload(P.CP, b"\1\0\0\0")] * 2),
}


@pytest.mark.conf("IK2-54")
@pytest.mark.parametrize("by", ["west", "east"])
@pytest.mark.parametrize(("exchange", "payloads"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_request_that_makes_no_sense_is_answered_and_ends_the_sa(exchange, payloads, by):
    esp = {"esp": ["aes256gcm16", "aes256gcm16-modp2048"]}
    pair = established(west=esp, east=esp)
    assert ask(pair, *payloads, exchange=exchange, by=by) == NOT_UNDERSTOOD
    judge = pair.east if by == "west" else pair.west
    assert not judge.endpoint.sas
    assert not judge.sas
    assert not pair.wire


REFUSABLE = {
    "nothing acceptable": (CREATE, child(words="3des-md5"), NotifyType.NO_PROPOSAL_CHOSEN),
    "another group": (
        CREATE,
        child(words="aes256gcm16-x25519", ke=KeyExchange(14, b"\2" + bytes(255))),
        NotifyType.INVALID_KE_PAYLOAD,
    ),
    "a new IKE SA without a public value": (CREATE, new_ike_sa(), NotifyType.INVALID_KE_PAYLOAD),
    "an unknown child": (
        CREATE,
        [Notify(NotifyType.REKEY_SA, protocol=ProtocolId.ESP, spi=b"none"), *child()],
        NotifyType.CHILD_SA_NOT_FOUND,
    ),
}


@pytest.mark.conf("IK2-54")
@pytest.mark.parametrize(("exchange", "payloads", "notify"), REFUSABLE.values(), ids=REFUSABLE)
def test_a_request_that_cannot_be_granted_is_answered_and_the_sa_goes_on(exchange, payloads, notify):
    pair = established(east={"esp": ["aes256gcm16-x25519"]}, west={"esp": ["aes256gcm16-x25519"]})
    (refusal,) = ask(pair, *payloads, exchange=exchange)
    assert refusal.notify_type == notify
    assert len(pair.east.sas) == 2
    assert ask(pair) == []


# -- which exchange fits which state ----------------------------------------------------------------


def saying_goodbye() -> Pair:
    """East has asked to delete the SA, and west has not heard it."""
    pair = established()
    pair.terminate(pair.east)
    pair.wire.clear()
    return pair


SILENCE = "silence"
FITS = {
    (half_way, INIT): SILENCE,
    (half_way, CREATE): SILENCE,
    (half_way, INFORM): SILENCE,
    (half_way, 38): SILENCE,
    (half_way, 250): SILENCE,
    (established, INIT): SILENCE,
    (established, AUTH): NotifyType.INVALID_SYNTAX,
    (established, INFORM): None,
    (established, 38): NotifyType.INVALID_SYNTAX,
    (established, 250): NotifyType.INVALID_SYNTAX,
    (saying_goodbye, INIT): SILENCE,
    (saying_goodbye, AUTH): NotifyType.INVALID_SYNTAX,
    (saying_goodbye, CREATE): NotifyType.TEMPORARY_FAILURE,
    (saying_goodbye, INFORM): None,
    (saying_goodbye, 250): NotifyType.INVALID_SYNTAX,
}


@pytest.mark.conf("IK2-96")
@pytest.mark.parametrize(
    ("situation", "exchange", "outcome"),
    [(*which, outcome) for which, outcome in FITS.items()],
    ids=[f"{situation.__name__}-{exchange}" for situation, exchange in FITS],
)
def test_an_exchange_has_to_fit_the_state(situation, exchange, outcome):
    pair = situation()
    state = pair.east.endpoint.sas[0].state
    answer = ask(pair, *(child() if exchange == CREATE else []), exchange=exchange)
    if outcome is SILENCE:
        assert answer is None
        assert pair.east.drops in ([DropReason.STATE_VIOLATION], [DropReason.BAD_SPI])
    else:
        assert [each.notify_type for each in answer] == ([] if outcome is None else [outcome])
    gone = outcome is NotifyType.INVALID_SYNTAX
    assert [sa.state for sa in pair.east.endpoint.sas] == ([] if gone else [state])


# -- INFORMATIONAL ----------------------------------------------------------------------------------


@pytest.mark.conf("IK2-78")
@pytest.mark.parametrize("by", ["west", "east"])
def test_an_informational_request_is_always_answered(by):
    pair = established()
    harmless = [kind for kind in (*NotifyType, *UNKNOWN_ERRORS, *UNKNOWN_STATUS) if kind != 24]
    for kind in harmless:
        for protocol, spi in ((0, b""), (3, b"abcd"), (2, b"abcd"), (1, b"")):
            assert ask(pair, Notify(kind, b"data", protocol, spi), by=by) == []
    assert ask(pair, UnknownPayload(250, b""), UnknownPayload(251, b"x"), by=by) == []
    assert ask(pair, by=by) == []
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    assert ask(pair, Delete(ProtocolId.IKE, []), by=by) == []


@pytest.mark.conf("IK2-120")
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 255])
def test_the_protocol_of_a_notify_without_an_spi_is_ignored(protocol):
    pair = established()
    assert ask(pair, Notify(NotifyType.AUTHENTICATION_FAILED, protocol=protocol)) == []
    assert not pair.east.endpoint.sas
    # and where a notify makes a difference in the handshake: these two tell of a NAT, with any protocol
    forced = a_peer_that(changes(P.NOTIFY, protocol=protocol), in_="IKE_SA_INIT", west={"encap": True})
    forced.establish()
    assert len(forced.east.sas) == 2
    assert {each.udp_ports for each in forced.east.sas.values()} == {(4500, 4500)}


@pytest.mark.conf("IK2-120")
def test_our_own_notifies_without_an_spi_name_no_protocol():
    heard: list[Said] = []
    failing = {"esp": ["aes128gcm16"]}
    for who in ("west", "east"):
        for options in ({}, {"west": failing}, {"west": {"encap": True}}, {"secrets": ("one", "other")}):
            pair = a_peer_that(heard.append, in_="", who=who, **options)
            pair.establish()
            for side in (pair.west, pair.east):
                pair.perform(side, side.endpoint.rekey("net", pair.now))
                pair.settle()
    notifies = [each for said in heard for each in said.payloads if isinstance(each, Notify)]
    assert {each.notify_type for each in notifies} > {NotifyType.REKEY_SA, NotifyType.NO_PROPOSAL_CHOSEN}
    for each in notifies:
        if each.notify_type == NotifyType.CHILDLESS_IKEV2_SUPPORTED:
            assert each.protocol == ProtocolId.IKE  # RFC 6023 4 wants it so, and is as plain
            continue
        assert bool(each.protocol) is bool(each.spi) is (each.notify_type == NotifyType.REKEY_SA)


# -- notifies that we do not know -------------------------------------------------------------------


@pytest.mark.conf("IK2-91")
@pytest.mark.parametrize("kind", UNKNOWN_ERRORS)
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("message", ["IKE_SA_INIT response", "IKE_AUTH response", "CREATE_CHILD_SA response"])
def test_an_answer_with_an_unknown_error_means_that_the_request_has_failed(message, kind, alone):
    def refuse(said: Said) -> None:
        said.payloads = [*([] if alone else said.payloads), Notify(kind)]

    pair = a_peer_that(refuse, in_=message)
    pair.establish()
    if message.startswith("CREATE"):
        pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
        before = set(pair.west.sas)
        pair.settle()
        assert set(pair.west.sas) == before
        assert pair.west.seen(ChildSaFailed)
    else:
        pair.wait_until(200 * SECOND)  # what came in clear is a hint only
        assert not pair.west.endpoint.sas
        assert not pair.west.sas
    assert pair.west.seen(NotifyReceived)[-1].notify == f"notify type {kind}"


@pytest.mark.conf("IK2-91")
@pytest.mark.parametrize("kind", UNKNOWN_STATUS)
@pytest.mark.parametrize("message", ["request", "response"])
@pytest.mark.parametrize("who", ["west", "east"])
def test_an_unknown_status_means_nothing(message, kind, who):
    assert kind >= FIRST_STATUS_TYPE
    pair = a_peer_that(adds(Notify(kind, b"?")), in_=message, who=who)
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    for side in (pair.west, pair.east):
        assert not side.drops
        assert len(side.sas) == 2
        assert [sa.state for sa in side.endpoint.sas] == [State.ESTABLISHED]


@pytest.mark.conf("IK2-91")
@pytest.mark.parametrize("kind", UNKNOWN_ERRORS)
def test_an_unknown_error_in_a_request_means_nothing(kind):
    pair = a_peer_that(adds(Notify(kind)), in_="request")
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


def test_a_child_without_its_nonce_in_the_answer_is_not_taken():
    pair = a_peer_that(omits(P.NONCE), in_="CREATE_CHILD_SA response")
    pair.establish()
    before = set(pair.west.sas)
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    assert set(pair.west.sas) == before
    assert pair.west.drops == [DropReason.INVALID_SYNTAX]


def test_a_bad_answer_does_not_keep_a_delete_that_waits_for_it_from_being_sent():
    pair = a_peer_that(changes(P.KE, group=19), in_="CREATE_CHILD_SA response")
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.terminate()
    pair.settle()
    assert pair.west.endpoint.sas == ()
    assert pair.west.sas == {}
