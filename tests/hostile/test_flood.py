"""First messages from false addresses: a real client gets through, and our answers flood nobody (RFC 7296 2.6)."""

from dataclasses import replace
from random import Random

import pytest

from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.ike.config import ANYWHERE, Fragmentation, HalfOpenLimits
from ipsecsim.ike.events import CookieReturned, MessageRetransmitted
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from tests.hostile.ike_situations import SHAPES
from tests.support.pair import WEST, Pair

A_SECOND = 10_000  # forged first messages
LENGTH = SECOND // 4
ONE_WAY = 20 * MILLISECOND
AMPLIFICATION = 3


class Flood:
    """East answers anybody. Forged first messages come all the time, and what the real ones say takes ONE_WAY."""

    def __init__(self, addresses: int) -> None:
        self.pair = Pair(east={"peer_address": ANYWHERE})
        self.chance = Random(1)  # noqa: S311 - no secret
        self.addresses = addresses
        self.peak = 0

    def forged(self, like: SendDatagram) -> SendDatagram:
        """The real client's first message, with an SPI of its own, and from elsewhere when there are addresses."""
        source = self.chance.randbytes(4) if self.addresses > 1 else WEST
        return replace(like, source=source, payload=self.chance.randbytes(8) + like.payload[8:])

    def run(self) -> None:
        """A quarter of a second, in the middle of which the real client begins."""
        pair = self.pair
        like = Pair(seed="forger")
        like.initiate()
        under_way: list[tuple[int, SendDatagram]] = []
        for number in range(A_SECOND * LENGTH // SECOND):
            pair.now = number * SECOND // A_SECOND
            pair.inject(self.forged(like.wire[0]))
            self.peak = max(self.peak, len(pair.east.endpoint.sas))
            if pair.now == LENGTH // 2:
                pair.initiate()
            # what goes to false addresses reaches nobody
            real = [each for each in pair.wire if self.is_real(each)]
            under_way += [(pair.now + ONE_WAY, each) for each in real]
            pair.wire.clear()
            while under_way and under_way[0][0] <= pair.now:
                pair.inject(under_way.pop(0)[1])

    def is_real(self, datagram: SendDatagram) -> bool:
        """Does it belong to the real client's conversation?"""
        raw = datagram.payload.removeprefix(bytes(4))
        return any(raw[:8] == sa.spi_i for sa in self.pair.west.endpoint.sas)


@pytest.mark.parametrize("addresses", [1, 1 << 32], ids=["the client's own address", "any address"])
@pytest.mark.fault("FLT-18")
def test_among_ten_thousand_forgeries_a_second_a_client_connects_at_the_second_try(addresses):
    flood = Flood(addresses)
    flood.run()
    west = flood.pair.west
    assert len(west.sas) == 2
    first_messages = [each for each in flood.pair.sent if each.source == WEST and each.payload[18] == 34]
    assert len(first_messages) == 2
    assert len(west.seen(CookieReturned)) == 1
    assert not west.seen(MessageRetransmitted)
    limits = HalfOpenLimits()
    assert flood.peak <= max(limits.cookie_threshold, limits.per_address) + 1


def shortest(raw: bytes) -> bytes:
    """A first message with nothing in it but what has to be there, and the shortest nonce."""
    header, payloads = parse_message(raw)
    kept: list[Payload] = []
    for payload in payloads:
        if isinstance(payload, SecurityAssociationPayload | KeyExchange):
            kept.append(payload)
        elif isinstance(payload, Nonce):
            kept.append(Nonce(payload.data[:16]))
    return emit_message(header, kept)


def answers(shape: str, change) -> list[tuple[int, int]]:
    """How many bytes of ours answer a first message, three times over, and how many it had."""
    options = {**SHAPES[shape]}
    options["west"] = {**options.get("west", {}), "fragmentation": Fragmentation.NO}
    pair = Pair(**options)
    pair.initiate()
    request = pair.wire.pop()
    raw = change(request.payload)
    sizes = []
    for _ in range(3):
        pair.inject(replace(request, payload=raw))
        sizes.append((sum(len(each.payload) for each in pair.wire), len(raw)))
        pair.wire.clear()
    return sizes


CHANGES = {
    "as it is": lambda raw: raw,
    "the shortest": shortest,
    "another version": lambda raw: raw[:17] + b"\x30" + raw[18:],
    "another version, header only": lambda raw: raw[:16] + b"\0\x30" + raw[18:24] + b"\0\0\0\x1c",
    "no such group": lambda raw: _with(raw, KeyExchange, lambda it: KeyExchange(1025, it.data)),
    "no data for the group": lambda raw: _with(raw, KeyExchange, lambda it: KeyExchange(14, b"")),
    "no proposal": lambda raw: _with(raw, SecurityAssociationPayload, _spoil),
    "a stranger's message": lambda raw: raw[:18] + bytes([ExchangeType.INFORMATIONAL]) + raw[19:],
    "a cookie that is not ours": lambda raw: _in_front(raw, Notify(16390, bytes(64))),
}


def _with(raw: bytes, kind, change) -> bytes:
    header, payloads = parse_message(raw)
    return emit_message(header, [change(each) if isinstance(each, kind) else each for each in payloads])


def _in_front(raw: bytes, payload: Payload) -> bytes:
    header, payloads = parse_message(raw)
    return emit_message(header, [payload, *payloads])


def _spoil(offer: SecurityAssociationPayload) -> SecurityAssociationPayload:
    for proposal in offer.proposals:
        proposal.transforms = []
    return offer


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_before_an_address_is_proved_we_send_at_most_three_times_what_came(change):
    for shape in SHAPES:
        for sent, came in answers(shape, change):
            assert sent <= AMPLIFICATION * came, f"{shape}: {came} bytes made us send {sent}"


def test_the_largest_answer_is_that_to_the_shortest_first_message():
    """So the table above has tried what an attacker would, and the factor is what SECURITY.md says."""
    factors = {
        name: max(sent / came for shape in SHAPES for sent, came in answers(shape, change))
        for name, change in CHANGES.items()
    }
    assert max(factors, key=lambda name: factors[name]) == "the shortest"
    assert 1 < factors["the shortest"] < 2.5
