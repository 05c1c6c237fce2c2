"""Additional key exchanges when SAs get new keys: IKE_FOLLOWUP_KE and its links (RFC 9370 2.2.4)."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.crypto.catalogue import GROUPS
from ipsecsim.crypto.key_exchange import EcpPair, MontgomeryPair
from ipsecsim.crypto.prf import compute, prf_plus
from ipsecsim.ike.events import (
    AdditionalKeyExchanged,
    ChildRekeyed,
    IkeKeysDerived,
    IkeMessageSent,
    IkeRekeyed,
    NotifyReceived,
    RekeyCollided,
    RekeyPostponed,
)
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.message import the
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from tests.support.pair import EAST, WEST, Pair
from tests.support.sealed import sealed_by_west

IKE = "aes256gcm16-prfsha256-x25519-ke1_ecp384-ke2_ecp256"
ESP = "aes256gcm16-x25519-ke1_ecp384-ke2_ecp256"
BOTH = {"ike": [IKE], "esp": [ESP]}


def up(**options) -> Pair:
    pair = Pair(west=BOTH | options.pop("west", {}), east=BOTH | options.pop("east", {}), **options)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    for side in (pair.west, pair.east):
        side.events.clear()
    pair.sent.clear()
    return pair


def rekey_child(pair: Pair, side=None) -> None:
    side = side or pair.west
    pair.perform(side, side.endpoint.rekey("net", pair.now))


def rekey_ike(pair: Pair, side=None) -> None:
    side = side or pair.west
    pair.perform(side, side.endpoint.rekey_ike("net", pair.now))


def said(side) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.exchange, each.payloads) for each in side.seen(IkeMessageSent)]


def agree(pair: Pair) -> None:
    """One IKE SA and one pair of ESP SAs at each end, and they are the same."""
    (ours,), (theirs,) = pair.west.endpoint.sas, pair.east.endpoint.sas
    assert (ours.spi_i, ours.spi_r, ours.keys) == (theirs.spi_i, theirs.spi_r, theirs.keys)
    assert ours.chain is theirs.chain is None
    assert {ours.state, theirs.state} == {State.ESTABLISHED}
    assert len(ours.children) == len(theirs.children) == 1
    assert {(way, spi) for way, spi in pair.west.sas} == {
        ({"in": "out", "out": "in"}[way], spi) for way, spi in pair.east.sas
    }
    for (way, spi), parameters in pair.west.sas.items():
        other = pair.east.sas[{"in": "out", "out": "in"}[way], spi]
        assert parameters.encryption_key == other.encryption_key


LINK = "N(ADDITIONAL_KEY_EXCHANGE)"


def test_a_child_gets_new_keys_at_the_end_of_the_chain_and_not_before():
    pair = up()
    before = set(pair.west.sas)
    rekey_child(pair)
    for _ in range(5):
        pair.deliver()
        assert set(pair.west.sas) == before
    pair.settle()
    agree(pair)
    assert not before & set(pair.west.sas)
    assert [each[1] for each in said(pair.west)[1:3]] == [("KE", LINK), ("KE", LINK)]
    assert [each[1] for each in said(pair.east)[1:3]] == [("KE", LINK), ("KE",)]
    assert LINK in said(pair.east)[0][1]
    assert [each[0] for each in said(pair.west)] == [
        "CREATE_CHILD_SA",
        "IKE_FOLLOWUP_KE",
        "IKE_FOLLOWUP_KE",
        "INFORMATIONAL",
    ]
    for side, by_peer in ((pair.west, False), (pair.east, True)):
        assert [event.by_peer for event in side.seen(ChildRekeyed)] == [by_peer]
        assert [(each.number, each.left) for each in side.seen(AdditionalKeyExchanged)] == [(1, 1), (2, 0)]


@pytest.fixture
def secrets(monkeypatch) -> list[bytes]:
    """Every shared secret, in the order in which they come about at either end."""
    found: list[bytes] = []
    for kind in (MontgomeryPair, EcpPair):

        def listening(self, public, real=kind.shared_secret):
            found.append(real(self, public))
            return found[-1]

        monkeypatch.setattr(kind, "shared_secret", listening)
    return found


def nonces_of(pair: Pair) -> bytes:
    """Of the CREATE_CHILD_SA exchange that west has just had its answer to."""
    task = pair.west.endpoint.sas[0].task
    return task.nonce + the(task.answer.payloads, Nonce).data


def test_all_secrets_are_in_the_keys_of_the_new_child(secrets):
    """KEYMAT = prf+(SK_d, SK(0) | Ni | Nr | SK(1) | ... | SK(n))."""
    pair = up()
    secrets.clear()
    rekey_child(pair)
    pair.deliver()
    pair.deliver()
    nonces = nonces_of(pair)
    pair.settle()
    agree(pair)
    first, second, third = secrets[0], secrets[1], secrets[3]
    assert secrets == [first, second, second, third, third, first]  # west computes the first at the end
    sa = pair.west.endpoint.sas[0]
    stream = prf_plus(sa.suite.prf, sa.keys.sk_d, first + nonces + second + third, 72)
    keys = {way: each.encryption_key for (way, _), each in pair.west.sas.items()}
    assert keys == {"out": stream[:36], "in": stream[36:]}


def test_all_secrets_are_in_the_keys_of_the_new_ike_sa(secrets):
    """SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) | ... | SK(n)) with SK_d and prf of the old SA."""
    pair = up()
    old = pair.west.endpoint.sas[0]
    secrets.clear()
    rekey_ike(pair)
    pair.deliver()
    pair.deliver()
    nonces = nonces_of(pair)
    pair.settle()
    agree(pair)
    assert [event.by_peer for event in pair.west.seen(IkeRekeyed)] == [False]
    (derived,) = pair.west.seen(IkeKeysDerived)
    assert [derived] == pair.east.seen(IkeKeysDerived)
    seed = compute(old.suite.prf, old.keys.sk_d, secrets[-1] + nonces + secrets[-5] + secrets[-3])
    assert derived.skeyseed == seed
    assert old.is_dead


def test_the_new_ike_sa_can_be_replaced_in_the_same_way():
    pair = up()
    for side in (pair.west, pair.east, pair.west):
        rekey_ike(pair, side)
        pair.settle()
        agree(pair)
        rekey_child(pair, side)
        pair.settle()
        agree(pair)


@pytest.mark.parametrize("lost", range(8))
@pytest.mark.parametrize("start", [rekey_child, rekey_ike])
def test_any_one_lost_message_is_survived(lost, start):
    pair = up()
    start(pair)
    pair.settle_without(lost)
    pair.wait_until(pair.now + 200 * SECOND)  # a DELETE without an answer takes its time
    pair.settle()
    agree(pair)


# -- links ------------------------------------------------------------------------------------------


def followed_up(pair: Pair, *payloads) -> list[DropReason]:
    """East gets an IKE_FOLLOWUP_KE from west, out of turn."""
    message_id = pair.east.endpoint.sas[0].window.expected_request
    before = len(pair.east.drops)
    pair.inject(sealed_by_west(pair, payloads, message_id=message_id, exchange=ExchangeType.IKE_FOLLOWUP_KE))
    return pair.east.drops[before:]


P384 = KeyExchange(20, GROUPS[20].from_private(bytes(47) + b"\5").public)


def test_a_link_that_was_not_given_is_state_not_found():
    pair = up()
    rekey_child(pair)
    pair.deliver()
    link = pair.east.endpoint.sas[0].chain.chain.link
    for wrong in (b"", bytes(8), link[:-1], link + b"x"):
        assert followed_up(pair, P384, Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, wrong)) == [
            DropReason.NO_STATE
        ]
    assert followed_up(pair, P384) == [DropReason.NO_STATE]
    assert said(pair.east)[-1][1] == ("N(STATE_NOT_FOUND)",)
    assert followed_up(pair, P384, Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, link)) == []
    assert followed_up(pair, P384, Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, link)) == [DropReason.NO_STATE]


def test_without_a_chain_there_is_no_state():
    pair = up()
    assert followed_up(pair, P384, Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, bytes(8))) == [
        DropReason.NO_STATE
    ]
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]


def test_a_chain_that_nobody_goes_on_with_is_forgotten():
    pair = up()
    rekey_child(pair)
    pair.deliver()
    pair.wire.clear()
    east = pair.east.endpoint.sas[0]
    promised = east.chain.offer.agreement.spi_in
    assert promised in east.spis_in
    pair.west.endpoint.sas[0].window.outstanding = None  # it will not ask again
    pair.wait_until(pair.now + 19 * SECOND)
    assert east.chain is not None
    pair.wait_until(pair.now + 2 * SECOND)
    assert east.chain is None
    assert promised not in east.spis_in


def test_a_peer_that_forgot_the_chain_is_asked_anew_later():
    pair = up()
    rekey_child(pair)
    pair.deliver()
    pair.east.endpoint.sas[0].chain = None
    pair.settle()
    assert NotifyReceived("STATE_NOT_FOUND", "CREATE_CHILD_SA") in pair.west.seen(NotifyReceived)
    assert pair.west.seen(RekeyPostponed)
    pair.wait_until(pair.now + 20 * SECOND)
    pair.settle()
    agree(pair)
    assert pair.west.seen(ChildRekeyed)


def test_a_wrong_method_in_the_chain_is_fatal():
    pair = up()
    rekey_child(pair)
    pair.deliver()
    link = Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, pair.east.endpoint.sas[0].chain.chain.link)
    assert followed_up(pair, KeyExchange(31, bytes(range(32))), link) == [DropReason.INVALID_SYNTAX]
    assert not pair.east.endpoint.sas


def test_an_answer_that_needs_a_link_and_has_none_ends_the_sa():
    pair = up()
    rekey_child(pair)
    pair.deliver()
    datagram = pair.wire.pop()
    header, outer = parse_message(datagram.payload)
    kept = [
        each
        for each in envelope.open(datagram.payload, outer[0], pair.west.endpoint.sas[0].inbound)
        if not isinstance(each, Notify) or each.notify_type != NotifyType.ADDITIONAL_KEY_EXCHANGE
    ]
    raw = envelope.seal(header, kept, pair.east.endpoint.sas[0].outbound)
    pair.inject(replace(datagram, payload=raw))
    assert pair.west.drops == [DropReason.INVALID_SYNTAX]
    pair.settle()
    assert not pair.west.endpoint.sas


def test_a_child_may_do_with_less_where_its_offer_says_so():
    pair = up(west={"esp": ["aes256gcm16-x25519-ke1_ecp384-ke1_none"]}, east={"esp": ["aes256gcm16-x25519"]})
    rekey_child(pair)
    pair.settle()
    agree(pair)
    assert [each[0] for each in said(pair.west)] == ["CREATE_CHILD_SA", "INFORMATIONAL"]


# -- crossed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [rekey_child, rekey_ike])
@pytest.mark.parametrize("seed", "abcd")
def test_of_crossed_chains_the_one_with_the_lowest_nonce_stops(start, seed):
    """There is nothing to delete yet: its initiator sends no IKE_FOLLOWUP_KE request, and says nothing."""
    pair = up(seed=seed)
    start(pair, pair.west)
    start(pair, pair.east)
    pair.settle()
    agree(pair)
    told = [side.seen(RekeyCollided) for side in (pair.west, pair.east)]
    assert sorted(event.is_ours_kept for (event,) in told) == [False, True]
    for side, (event,) in zip((pair.west, pair.east), told, strict=True):
        requests = [each for each in side.seen(IkeMessageSent) if not each.is_response]
        asked = [each.exchange for each in requests].count("IKE_FOLLOWUP_KE")
        assert asked == (2 if event.is_ours_kept else 0)
        assert not side.seen(NotifyReceived)


@pytest.mark.parametrize("start", [rekey_child, rekey_ike])
@pytest.mark.parametrize("first", range(9))
def test_crossed_chains_end_with_the_same_sas(start, first):
    """East begins when west is `first` messages ahead; then both go on in turn."""
    pair = up()
    start(pair, pair.west)
    for _ in range(first):
        if pair.wire:
            pair.deliver()
    start(pair, pair.east)
    pair.settle()
    for _ in range(3):
        pair.wait_until(pair.now + 40 * SECOND)
        pair.settle()
    agree(pair)


@pytest.mark.parametrize("start", [rekey_child, rekey_ike])
@pytest.mark.parametrize("order", ["west", "east"])
def test_crossed_chains_end_with_the_same_sas_whoever_is_faster(start, order):
    pair = up()
    start(pair, pair.west)
    start(pair, pair.east)
    address = WEST if order == "west" else EAST
    while pair.wire:
        pair.wire.sort(key=lambda each: each.destination != address)
        pair.deliver()
    for _ in range(3):
        pair.wait_until(pair.now + 40 * SECOND)
        pair.settle()
    agree(pair)
    assert pair.west.seen(RekeyCollided) or pair.west.seen(NotifyReceived) or pair.east.seen(NotifyReceived)
