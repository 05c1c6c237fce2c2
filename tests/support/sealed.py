"""What west says under its seal, out of turn, and what east answers."""

from collections.abc import Sequence

from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType
from tests.support.pair import Pair, to_east


def sealed_by_west(
    pair: Pair,
    payloads: Sequence[Payload],
    *,
    message_id: int,
    exchange=ExchangeType.INFORMATIONAL,
    flags=INITIATOR,
) -> SendDatagram:
    """A message with a good seal around anything, as only the peer could make it."""
    sa = pair.west.endpoint.sas[0]
    header = IkeHeader(sa.spi_i, sa.spi_r, 0, exchange, flags, message_id)
    return to_east(envelope.seal(header, payloads, sa.outbound))


def answer_of_east(pair: Pair) -> list[Payload]:
    """The opened payloads of the last answer on the wire."""
    raw = pair.wire.pop().payload
    _, outer = parse_message(raw)
    assert isinstance(outer[0], Encrypted)
    return envelope.open(raw, outer[0], pair.west.endpoint.sas[0].inbound)
