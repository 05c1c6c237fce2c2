"""A responder under load: cookies, caps, and a real client among the forged ones (RFC 7296 2.6)."""

from dataclasses import replace

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import ANYWHERE, Fragmentation, HalfOpenLimits
from ipsecsim.ike.events import CookieDemanded, CookieReturned
from ipsecsim.ike.half_open import SECRET_LIFE, Beginning, CookieRequired, HalfOpenTable
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.nonce import Nonce
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


@pytest.mark.conf("IK2-07")
def test_two_initiators_may_choose_the_same_spi():
    """From two addresses, and from one: behind a NAT they may even look like the same node."""
    pair = Pair(east={"peer_address": ANYWHERE})
    pair.initiate()
    request = pair.wire.pop()
    other = Pair(seed="another client")
    other.initiate()
    same_spi = request.payload[:8] + other.wire.pop().payload[8:]
    elsewhere = replace(request, source=pack("203.0.113.9"), payload=same_spi)
    for each in (request, elsewhere, replace(request, payload=same_spi)):
        pair.inject(each)
    assert len(pair.east.endpoint.sas) == 3
    assert len({answer.payload[8:16] for answer in pair.wire}) == 3  # each has an SPI of the responder
    answer = next(each for each in pair.wire if each.destination == request.source)
    pair.wire = [answer]
    pair.settle()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.conf("IK2-07")
def test_who_takes_an_initiators_spi_before_it_does_not_shut_it_out():
    pair = Pair()
    pair.initiate()
    request = pair.wire.pop()
    stranger = Pair(seed="attacker")
    stranger.initiate()
    forged_one = replace(request, payload=request.payload[:8] + stranger.wire.pop().payload[8:])
    pair.inject(forged_one)
    pair.wire.clear()
    pair.inject(request)
    pair.settle()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.conf("IK2-07")
def test_the_same_first_message_again_gets_the_same_answer():
    pair = Pair()
    pair.initiate()
    request = pair.deliver()
    first = pair.wire.pop()
    pair.inject(request)
    assert pair.wire.pop().payload == first.payload
    assert len(pair.east.endpoint.sas) == 1


@pytest.mark.conf("IK2-32")
@pytest.mark.parametrize("at", [0, 1, 32])
def test_a_mangled_cookie_is_as_good_as_none(at):
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(request)
    demand = pair.wire[0]
    pair.inject(pair.wire.pop())
    with_cookie = pair.wire.pop()
    raw = bytearray(with_cookie.payload)
    raw[28 + 8 + at] ^= 1
    pair.inject(replace(with_cookie, payload=bytes(raw)))
    assert pair.east.drops[-1] is DropReason.COOKIE_WRONG
    assert pair.wire.pop().payload == demand.payload
    pair.inject(with_cookie)
    assert len(pair.east.endpoint.sas) == 4


@pytest.mark.conf("IK2-33")
def test_a_cookie_is_bound_to_address_spi_and_nonce():
    pair, request = flooded(3, cookie_threshold=3)
    pair.inject(request)
    pair.inject(pair.wire.pop())
    good = pair.wire.pop()
    raw = good.payload
    wrong = {
        "address": replace(good, source=pack("203.0.113.9")),
        "SPI": replace(good, payload=b"otherSPI" + raw[8:]),
        "nonce": replace(good, payload=raw.replace(_nonce_in(raw), bytes(32))),
    }
    pair.east.endpoint.connections = tuple(
        replace(each, remote_address=ANYWHERE) for each in pair.east.endpoint.connections
    )
    for each in wrong.values():
        pair.inject(each)
        assert pair.east.drops[-1] is DropReason.COOKIE_WRONG
    pair.inject(good)
    assert pair.east.drops[-1] is DropReason.COOKIE_WRONG  # of the last one: this one passed
    assert len(pair.east.endpoint.sas) == 4


def _nonce_in(raw: bytes) -> bytes:
    return next(each.data for each in parse_message(raw)[1] if isinstance(each, Nonce))


@pytest.mark.conf("IK2-105")
def test_ipv6_addresses_of_one_prefix_count_as_one_initiator():
    table = HalfOpenTable(HalfOpenLimits(per_address=3), SeededEntropy("prefix"))

    def begins(address: str, number: int) -> Beginning:
        path = Path(pack("2001:db8::2"), 500, pack(address), 500)
        return Beginning.of(number.to_bytes(8, "big"), path, bytes([number]))

    pair = Pair()
    pair.initiate()
    (sa,), nonce = pair.west.endpoint.sas, [Nonce(bytes(32))]
    for number in range(3):
        table.add(begins(f"2001:db8:0:1::{number}", number), sa)
    with pytest.raises(CookieRequired):
        table.admit(begins("2001:db8:0:1:ffff::1", 9), nonce, 0, 0)
    table.admit(begins("2001:db8:0:2::1", 9), nonce, 0, 0)  # the neighbour is somebody else
    table.remove(begins("2001:db8:0:1::1", 1))
    table.admit(begins("2001:db8:0:1:ffff::1", 9), nonce, 0, 0)


@pytest.mark.conf("IK2-104", "IK2-105")
def test_outside_an_attack_an_initiator_may_ask_several_times_before_it_is_forgotten():
    pair = Pair()
    pair.initiate()
    pair.deliver()  # and from here on nothing of west's arrives
    for _ in range(30):
        pair.wait_until(pair.now + SECOND - 1)
        assert len(pair.east.endpoint.sas) == 1
        pair.now += 1
    assert len([each for each in pair.sent if each.source != EAST]) >= 4
    pair.wait_until(31 * SECOND)
    assert not pair.east.endpoint.sas
