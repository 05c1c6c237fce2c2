"""What stands in the IKE header, and what becomes of a message whose header breaks a rule (RFC 7296 2.5, 3.1)."""

import pytest

from ipsecsim.base.budget import Budget
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import UnknownPayload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, VERSION, IkeHeader
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from tests.support.misbehaving import a_peer_that, ask, cuts, heads, leaves_open, says_length
from tests.support.pair import Pair, established, half_way

MESSAGES = ["IKE_SA_INIT request", "IKE_SA_INIT response", "IKE_AUTH request", "IKE_AUTH response"]
EXCHANGES = [
    ExchangeType.IKE_SA_INIT,
    ExchangeType.IKE_AUTH,
    ExchangeType.CREATE_CHILD_SA,
    ExchangeType.INFORMATIONAL,
]


def headers(pair: Pair, source: bytes) -> list[IkeHeader]:
    """The headers of all that a side has sent."""
    return [IkeHeader.parse(each.payload) for each in pair.sent if each.source == source]


# -- versions ---------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-20")
@pytest.mark.parametrize("message", MESSAGES)
def test_minor_version_v_flag_and_reserved_flags_mean_nothing(message):
    reserved = 0xFF ^ RESPONSE ^ INITIATOR
    role = INITIATOR if "request" in message else RESPONSE
    pair = a_peer_that(heads(version=0x2F, flags=reserved | role), in_=message)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.conf("IK2-20")
def test_our_own_minor_version_v_flag_and_reserved_flags_are_zero():
    pair = established()
    pair.terminate()
    pair.settle()
    for header in (*headers(pair, pair.west.address), *headers(pair, pair.east.address)):
        assert header.version == 0x20
        assert not header.flags & VERSION
        assert not header.flags & ~(INITIATOR | RESPONSE)


@pytest.mark.conf("IK2-19")
@pytest.mark.parametrize("version", [0x30, 0x3F, 0xF0])
def test_a_first_message_of_a_higher_version_is_answered_with_ours_and_dropped(version):
    pair = a_peer_that(heads(version=version), in_="IKE_SA_INIT request")
    pair.initiate()
    request = pair.deliver().payload
    assert pair.east.drops == [DropReason.BAD_VERSION]
    assert not pair.east.endpoint.sas
    header, payloads = parse_message(pair.wire.pop().payload)
    assert payloads == [Notify(NotifyType.INVALID_MAJOR_VERSION)]
    asked = IkeHeader.parse(request)
    assert (header.spi_i, header.spi_r, header.exchange, header.message_id) == (
        asked.spi_i,
        asked.spi_r,
        asked.exchange,
        asked.message_id,
    )
    assert (header.flags, header.version) == (RESPONSE, 0x20)


@pytest.mark.conf("IK2-19")
@pytest.mark.parametrize("exchange", EXCHANGES[1:])
def test_a_request_of_a_higher_version_on_an_sa_is_dropped_and_told_our_version(exchange):
    pair = established()
    assert ask(pair, exchange=exchange, habits=[heads(version=0x30)]) == [
        Notify(NotifyType.INVALID_MAJOR_VERSION)
    ]
    assert pair.east.drops == [DropReason.BAD_VERSION]
    assert ask(pair) == []  # the SA has not moved


@pytest.mark.conf("IK2-19")
def test_whoever_floods_with_a_higher_version_is_told_ours_a_few_times_a_second():
    pair = a_peer_that(heads(version=0x30), in_="IKE_SA_INIT request")
    pair.initiate()
    request = pair.deliver()
    answered = len(pair.wire)
    for _ in range(100):
        pair.inject(request)
    assert answered == 1
    assert len(pair.wire) == Budget.BURST
    pair.now += SECOND
    for _ in range(100):
        pair.inject(request)
    assert len(pair.wire) == 2 * Budget.BURST


@pytest.mark.conf("IK2-19")
def test_an_answer_of_a_higher_version_is_not_answered():
    pair = a_peer_that(heads(version=0x30), in_="IKE_SA_INIT response")
    pair.establish()
    assert pair.west.drops == [DropReason.BAD_VERSION]
    assert not pair.wire


# -- SPIs -------------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-26")
@pytest.mark.parametrize("wrong", [{"spi_i": bytes(8)}, {"spi_r": b"\0\0\0\0\0\0\0\1"}])
def test_a_first_message_needs_an_spi_of_the_initiator_and_none_of_the_responder(wrong):
    pair = a_peer_that(heads(**wrong), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.BAD_SPI]
    assert not pair.east.endpoint.sas
    assert not pair.wire


@pytest.mark.conf("IK2-26")
def test_our_own_first_messages_have_these_spis_the_one_with_a_cookie_too():
    pair = Pair(limits=HalfOpenLimits(cookie_threshold=0))
    pair.initiate()
    pair.deliver()
    pair.deliver()
    first, again = headers(pair, pair.west.address)
    assert first.spi_i == again.spi_i != bytes(8)
    assert first.spi_r == again.spi_r == bytes(8)


# -- flags ------------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-27")
@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("situation", [established, half_way])
@pytest.mark.parametrize("message_id", range(4))
def test_a_message_with_the_r_bit_is_never_answered(situation, exchange, message_id):
    """Not even one that is wrong inside: a request like this would be answered with a notify."""
    for inside in ([], [UnknownPayload(200, b"", critical=True)]):
        pair = situation()
        response = heads(flags=INITIATOR | RESPONSE, message_id=message_id)
        assert ask(pair, *inside, exchange=exchange, habits=[response]) is None
        assert not pair.wire


@pytest.mark.conf("IK2-28")
@pytest.mark.parametrize("starter", ["west", "east"])
def test_who_starts_a_rekeying_is_the_initiator_of_the_new_sa(starter):
    pair = established()
    assert {each.from_initiator for each in headers(pair, pair.west.address)} == {True}
    assert {each.from_initiator for each in headers(pair, pair.east.address)} == {False}
    side, other = (pair.west, pair.east) if starter == "west" else (pair.east, pair.west)
    old = side.endpoint.sas[0].spi_i
    pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    pair.perform(side, side.endpoint.rekey("net", pair.now))  # something to say on the new SA
    pair.settle()
    for each, is_initiator in ((side, True), (other, False)):
        on_the_new = [it for it in headers(pair, each.address) if it.spi_i != old]
        assert {it.from_initiator for it in on_the_new} == {is_initiator}
    assert {it.from_initiator for it in headers(pair, pair.west.address) if it.spi_i == old} == {True}


# -- length -----------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-29")
@pytest.mark.parametrize("habit", [cuts(1), cuts(172), *map(says_length, (0, 27, 199, 201, 0xFFFFFFFF))])
def test_a_length_other_than_the_datagrams_is_not_answered(habit):
    pair = a_peer_that(habit, in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.LEN_MISMATCH]
    assert not pair.east.endpoint.sas
    assert not pair.wire


@pytest.mark.conf("IK2-29")
@pytest.mark.parametrize("habit", [cuts(1), *map(says_length, (0, 28, 0xFFFFFFFF))])
def test_nor_is_it_on_an_sa_that_stands(habit):
    pair = established()
    assert ask(pair, habits=[habit]) is None
    assert pair.east.drops == [DropReason.LEN_MISMATCH]
    assert ask(pair) == []


# -- exchange types ---------------------------------------------------------------------------------


@pytest.mark.conf("IK2-95")
@pytest.mark.parametrize("exchange", [ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL])
@pytest.mark.parametrize("habits", [[], [leaves_open()]])
@pytest.mark.parametrize("inside", [[], [Delete(ProtocolId.IKE, [])], [Nonce(bytes(32))]])
def test_before_the_peer_has_proved_itself_there_is_ike_auth_and_nothing_else(exchange, habits, inside):
    pair = half_way()
    assert ask(pair, *inside, exchange=exchange, habits=habits) is None
    assert set(pair.east.drops) <= {DropReason.STATE_VIOLATION, DropReason.INVALID_SYNTAX}
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.INIT_ANSWERED]
    pair.wait_until(4 * SECOND)  # the IKE_AUTH that was lost comes again, and is taken
    pair.settle()
    assert len(pair.east.sas) == 2


@pytest.mark.conf("IK2-95")
@pytest.mark.parametrize("exchange", [ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL])
def test_before_there_is_any_sa_nothing_of_that_kind_is_answered(exchange):
    pair = a_peer_that(heads(exchange=exchange), in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.NO_STATE]
    assert not pair.wire
