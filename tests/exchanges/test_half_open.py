"""A responder under load: cookies, caps, and a real client among the forged ones (RFC 7296 2.6)."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import Fragmentation, HalfOpenLimits
from ipsecsim.ike.events import CookieDemanded, CookieReturned
from ipsecsim.ike.half_open import SECRET_LIFE
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from tests.support.pair import EAST, Pair


def forged(request: SendDatagram, number: int) -> SendDatagram:
    """The same first message with another initiator SPI."""
    return SendDatagram(
        request.source, request.source_port, EAST, 500, number.to_bytes(8, "big") + request.payload[8:]
    )


def flooded(count: int, **limits) -> tuple[Pair, SendDatagram]:
    """East has seen `count` beginnings that lead nowhere; west's own first message is still on its way."""
    plain = {"fragmentation": Fragmentation.NO}
    pair = Pair(limits=HalfOpenLimits(**limits), west=plain, east=plain)
    pair.initiate()
    request = pair.wire.pop()
    for number in range(1, count + 1):
        pair.inject(forged(request, number))
    pair.wire.clear()
    pair.sent = [request]
    return pair, request


def test_below_the_threshold_nobody_is_asked():
    pair, request = flooded(2, cookie_threshold=3)
    pair.inject(request)
    pair.settle()
    assert len(pair.west.sas) == 2
    assert not pair.east.seen(CookieDemanded)


@pytest.mark.conf("IK2-30")
def test_under_load_a_real_client_needs_one_round_trip_more():
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(request)
    pair.settle()
    assert pair.east.seen(CookieDemanded) == [CookieDemanded(3)]
    assert pair.west.seen(CookieReturned)
    assert DropReason.COOKIE_REQUIRED in pair.east.drops
    assert len(pair.west.sas) == 2
    sizes = [len(datagram.payload) for datagram in pair.sent]
    # as the model lesson says, with a cookie of 33 bytes, and 8 more for a notify in the answer
    assert sizes[:4] == [200, 69, 241, 200 + 8]


@pytest.mark.conf("IK2-30")
def test_nothing_is_remembered_for_a_cookie():
    pair, request = flooded(3, cookie_threshold=3)
    before = len(pair.east.endpoint.sas)
    for number in range(100, 200):
        pair.inject(forged(request, number))
    assert len(pair.east.endpoint.sas) == before


def test_an_answer_to_a_forged_address_is_smaller_than_its_cause():
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(forged(request, 99))
    assert len(pair.wire[0].payload) < len(request.payload)


@pytest.mark.conf("IK2-33")
@pytest.mark.parametrize("periods", [0, 1, 2])
def test_a_cookie_is_good_for_this_and_the_last_secret(periods):
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(request)
    answer = pair.wire.pop()
    pair.inject(answer)
    again = pair.wire.pop()
    pair.now += periods * SECRET_LIFE
    pair.inject(again)
    expected = DropReason.COOKIE_WRONG if periods == 2 else DropReason.COOKIE_REQUIRED
    assert pair.east.drops[-1] is expected


@pytest.mark.conf("IK2-32", "IK2-33")
def test_a_cookie_of_another_conversation_is_not_ours():
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(request)
    pair.inject(pair.wire.pop())
    with_cookie = pair.wire.pop()
    pair.inject(forged(with_cookie, 77))
    assert pair.east.drops[-1] is DropReason.COOKIE_WRONG
    _, payloads = parse_message(pair.wire.pop().payload)
    assert [type(p) for p in payloads] == [Notify]
    assert payloads[0].notify_type == NotifyType.COOKIE


def with_cookie(pair: Pair, request: SendDatagram, number: int) -> SendDatagram:
    """A first message of a liar who does read the answers: it brings the cookie that it was given."""
    pair.inject(forged(request, number))
    _, (cookie,) = parse_message(pair.wire.pop().payload)
    assert isinstance(cookie, Notify)
    header, payloads = parse_message(forged(request, number).payload)
    return replace(request, payload=emit_message(header, [cookie, *payloads]))


def test_one_address_cannot_begin_without_end():
    pair, request = flooded(9, per_address=5)
    assert pair.east.drops == [DropReason.COOKIE_REQUIRED] * 4
    for number in range(100, 109):
        pair.inject(with_cookie(pair, request, number))
        pair.wire.clear()
    assert pair.east.drops.count(DropReason.HALF_OPEN_LIMIT) == 4
    assert len(pair.east.endpoint.sas) == 10
    pair.wait_until(31 * SECOND)
    assert not pair.east.endpoint.sas
    pair.west.endpoint.handle_timeout(pair.now)
    pair.inject(request)
    assert len(pair.east.endpoint.sas) == 1


@pytest.mark.conf("IK2-30")
def test_what_others_send_in_its_name_does_not_shut_a_client_out():
    pair, request = flooded(1000, per_address=5)
    pair.inject(request)
    pair.settle()
    assert len(pair.west.sas) == 2
    assert len(pair.west.seen(CookieReturned)) == 1


def test_all_together_cannot_either():
    pair, _ = flooded(9, total=4, per_address=100)
    assert pair.east.drops == [DropReason.HALF_OPEN_LIMIT] * 5


def test_an_established_sa_is_no_longer_half_open():
    pair = Pair(limits=HalfOpenLimits(per_address=1))
    for _ in range(3):
        pair.establish()
        pair.terminate()
        pair.settle()
    assert not pair.east.drops
