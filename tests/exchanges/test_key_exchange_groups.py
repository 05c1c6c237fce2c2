"""The group of the key exchange: its public value, a wrong guess, a cookie on top (RFC 7296 1.2, 2.6, 3.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.catalogue import GROUPS
from ipsecsim.ike.events import GroupChanged
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import RESPONSE, IkeHeader
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from tests.support.misbehaving import (
    Said,
    a_peer_that,
    changes,
)
from tests.support.pair import EAST, WEST, Pair


@pytest.mark.conf("IK2-44")
@pytest.mark.parametrize("length", [0, 1, 255, 257, 512])
@pytest.mark.parametrize("message", ["IKE_SA_INIT request", "IKE_SA_INIT response"])
def test_a_modp_value_has_the_length_of_its_modulus(length, message):
    words = {"ike": ["aes256gcm16-prfsha256-modp2048"]}
    resized = changes(P.KE, data=(b"\5" * 600)[:length])
    pair = a_peer_that(resized, in_=message, west=words, east=words)
    pair.establish()
    judge = pair.east if message.endswith("request") else pair.west
    assert judge.drops[0] is DropReason.KE_INVALID
    assert not judge.sas


@pytest.mark.conf("IK2-44")
def test_our_own_values_are_padded_to_the_modulus():
    for seed in range(3):
        for group in ("modp1024", "modp2048", "ecp521"):
            heard: list[Said] = []
            words = {"ike": [f"aes256gcm16-prfsha256-{group}"]}
            pair = a_peer_that(
                heard.append, in_="IKE_SA_INIT", who="west", west=words, east=words, seed=str(seed)
            )
            pair.establish()
            lengths = {"modp1024": 128, "modp2048": 256, "ecp521": 132}
            assert len(heard[0].payloads[heard[0].at(P.KE)].data) == lengths[group]


@pytest.mark.conf("IK2-44")
def test_a_value_for_a_group_that_is_not_in_the_offer_is_answered_with_the_one_that_is():
    pair = a_peer_that(changes(P.KE, group=14, data=b"\2" + bytes(255)), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.INVALID_KE]
    _, payloads = parse_message(pair.wire[0].payload)
    assert payloads == [Notify(NotifyType.INVALID_KE_PAYLOAD, (31).to_bytes(2, "big"))]


@pytest.mark.conf("IK2-44")
def test_an_answer_for_another_group_than_the_chosen_one_is_not_taken():
    pair = a_peer_that(changes(P.KE, group=14), in_="IKE_SA_INIT response")
    pair.establish()
    assert pair.west.drops[0] is DropReason.INVALID_SYNTAX
    assert not pair.west.sas


@pytest.mark.conf("IK2-45")
def test_the_offer_is_the_same_when_the_group_is_another():
    offer = "aes256gcm16-prfsha256-x25519-ecp256-modp2048"
    pair = Pair(west={"ike": [offer]}, east={"ike": ["aes256gcm16-prfsha256-modp2048"]})
    pair.establish()
    first, second = [parse_message(each.payload)[1] for each in pair.sent if each.source == WEST][:2]
    sa = [each for each in first if isinstance(each, SecurityAssociationPayload)]
    assert sa == [each for each in second if isinstance(each, SecurityAssociationPayload)]
    groups = [
        each.group for payloads in (first, second) for each in payloads if isinstance(each, KeyExchange)
    ]
    assert groups == [31, 14]
    assert pair.west.seen(GroupChanged)[0].wanted == GROUPS[14].name
    assert pair.is_up


def in_clear(pair: Pair, *payloads: Payload) -> None:
    """Somebody answers west's first message, without any proof of who it is."""
    spi_i = pair.west.endpoint.sas[0].spi_i
    header = IkeHeader(spi_i, bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    pair.inject(SendDatagram(EAST, 500, WEST, 500, emit_message(header, payloads)))


@pytest.mark.conf("IK2-34")
@pytest.mark.parametrize("order", ["cookie first", "group first"])
def test_a_cookie_and_another_group_may_be_asked_for_in_either_order(order):
    pair = Pair(
        west={"ike": ["aes256gcm16-prfsha256-x25519-ecp256"]}, east={"ike": ["aes256gcm16-prfsha256-ecp256"]}
    )
    pair.initiate()
    pair.wire.clear()
    wishes = [
        Notify(NotifyType.COOKIE, b"a cookie"),
        Notify(NotifyType.INVALID_KE_PAYLOAD, (19).to_bytes(2, "big")),
    ]
    for wish in wishes if order == "cookie first" else reversed(wishes):
        pair.wire.clear()
        in_clear(pair, wish)
    _, payloads = parse_message(pair.wire[0].payload)
    assert payloads[0] == wishes[0]  # once given, the cookie stays
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("IK2-34", "IK2-45")
def test_a_responder_that_cannot_decide_on_a_group_is_left():
    pair = Pair(west={"ike": ["aes256gcm16-prfsha256-x25519-ecp256"]})
    pair.initiate()
    for number in range(20):
        pair.wire.clear()
        in_clear(pair, Notify(NotifyType.INVALID_KE_PAYLOAD, (19, 31)[number % 2].to_bytes(2, "big")))
        if not pair.wire:
            break
    assert number < 10
