"""Words in clear about SAs that nobody knows: how few there are, and how little they do (RFC 7296 2.4, 2.21.4)."""

import pytest

from ipsecsim.base.budget import Budget
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.ike.events import HintTaken, PeerTold
from ipsecsim.ike.notices import RECENTLY
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType
from tests.support.pair import EAST, WEST, Pair

STRANGE = (b"\1" * 8, b"\2" * 8)


def to_east(header: IkeHeader, *payloads) -> SendDatagram:
    return SendDatagram(WEST, 500, EAST, 500, emit_message(header, payloads))


def sealed(length: int = 100, flags: int = INITIATOR, exchange=ExchangeType.INFORMATIONAL) -> SendDatagram:
    """A message for an IKE SA that nobody knows."""
    header = IkeHeader(*STRANGE, 0, exchange, flags, 7)
    return to_east(header, Encrypted(PayloadType.NONE, bytes(length)))


def invalid_spi(pair: Pair, *spis: bytes) -> SendDatagram:
    """What a stranger, or a peer that has forgotten, says about an SPI that east sends to."""
    (child,) = pair.east.endpoint.sas[0].children
    said = spis or (child.spi_out.to_bytes(4, "big"),)
    header = IkeHeader(bytes(8), bytes(8), 0, ExchangeType.INFORMATIONAL, INITIATOR, 0)
    return to_east(header, *(Notify(NotifyType.INVALID_SPI, spi) for spi in said))


@pytest.mark.conf("IK2-56")
@pytest.mark.parametrize("flags", [INITIATOR, 0])
@pytest.mark.parametrize("exchange", list(ExchangeType)[1:4], ids=lambda each: each.name)
def test_a_sealed_request_for_an_unknown_ike_sa_is_answered_in_clear_with_its_own_numbers(exchange, flags):
    pair = Pair(tells_strangers=True)
    request = sealed(flags=flags, exchange=exchange)
    pair.inject(request)
    assert pair.east.drops == [DropReason.NO_STATE]
    (answer,) = pair.wire
    header, payloads = parse_message(answer.payload)
    assert (header.spi_i, header.spi_r, header.message_id, header.exchange) == (*STRANGE, 7, exchange)
    assert (header.is_response, header.from_initiator) == (True, not flags)
    assert payloads == [Notify(NotifyType.INVALID_IKE_SPI)]
    assert (answer.destination, answer.destination_port) == (WEST, 500)


@pytest.mark.conf("IK2-56")
@pytest.mark.parametrize("length", [*range(12), 100])
def test_the_answer_is_never_longer_than_the_request(length):
    pair = Pair(tells_strangers=True)
    request = sealed(length)
    pair.inject(request)
    assert sum(len(each.payload) for each in pair.wire) <= len(request.payload)


@pytest.mark.conf("IK2-56", "IK2-57")
def test_a_response_and_a_message_in_clear_get_no_answer():
    pair = Pair(tells_strangers=True)
    pair.inject(sealed(flags=INITIATOR | RESPONSE))
    pair.inject(to_east(IkeHeader(*STRANGE, 0, ExchangeType.INFORMATIONAL, INITIATOR, 7)))
    for word in (NotifyType.INVALID_SPI, NotifyType.INVALID_IKE_SPI, NotifyType.AUTHENTICATION_FAILED):
        pair.inject(to_east(IkeHeader(*STRANGE, 0, ExchangeType.INFORMATIONAL, INITIATOR, 7), Notify(word)))
    assert pair.east.drops == [DropReason.NO_STATE] * 5
    assert not pair.wire


@pytest.mark.conf("IK2-56", "IK2-18")
def test_answers_to_strangers_are_few():
    pair = Pair(tells_strangers=True)
    for number in range(1000):
        pair.now = number * MILLISECOND
        pair.inject(sealed())
    assert 5 < len(pair.wire) <= Budget.BURST + SECOND // Budget.INTERVAL
    assert len(pair.east.seen(PeerTold)) == len(pair.wire)


@pytest.mark.conf("IK2-56")
def test_invalid_ike_spi_about_a_standing_sa_changes_nothing():
    pair = Pair()
    pair.establish()
    (ours,) = pair.west.endpoint.sas
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.wire.clear()
    header = IkeHeader(ours.spi_i, ours.spi_r, 0, ExchangeType.CREATE_CHILD_SA, RESPONSE, 2)
    pair.inject(
        SendDatagram(EAST, 500, WEST, 500, emit_message(header, [Notify(NotifyType.INVALID_IKE_SPI)]))
    )
    assert pair.west.drops == [DropReason.STATE_VIOLATION]
    assert ours.state is State.ESTABLISHED
    assert ours.window.outstanding is not None
    assert not pair.wire


@pytest.mark.conf("IK2-18", "IK2-15")
def test_a_thousand_forged_words_about_an_spi_make_one_liveness_check():
    pair = Pair()
    pair.establish()
    pair.now = RECENTLY
    for _ in range(1000):
        pair.now += MILLISECOND
        pair.inject(invalid_spi(pair))
        pair.settle()
    assert [hint.is_asking for hint in pair.east.seen(HintTaken)] == [True] + [False] * 999
    assert len(pair.sent) == 4 + 2
    assert pair.east.endpoint.sas[0].state is State.ESTABLISHED


@pytest.mark.conf("IK2-18")
def test_a_word_about_an_spi_of_nobody_or_from_elsewhere_is_dropped():
    pair = Pair()
    pair.establish()
    pair.now = 2 * RECENTLY
    right = invalid_spi(pair)
    for spi in (b"", b"\0\0\0\1", bytes(65_000)):
        pair.inject(invalid_spi(pair, spi))
    pair.perform(pair.east, pair.east.endpoint.datagram(Path(EAST, 500, WEST, 501), right.payload, pair.now))
    assert pair.east.drops == [DropReason.NO_STATE] * 4
    assert not pair.wire
