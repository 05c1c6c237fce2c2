"""Messages out and in: sealed or in clear, sent, opened, and sent again (RFC 7296 2.1, 2.11)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import UnexpectedMessage
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent, ResponseRepeated
from ipsecsim.ike.v2 import envelope
from ipsecsim.ike.v2.alarms import Alarm
from ipsecsim.ike.v2.message import Message, Path, first, names
from ipsecsim.ike.v2.states import BEFORE_PROOF, PROVED, State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, name_of
from ipsecsim.wire.nat_t import NON_ESP_MARKER

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def ask(sa: "IkeSa", kind: ExchangeType, payloads: Sequence[Payload], now: Instant) -> list[Action]:
    """Send a request, and see to it that its answer comes."""
    header = _header(sa, kind, sa.window.next_request, is_response=False)
    raw = _seal(sa, header, payloads)
    if kind is ExchangeType.IKE_SA_INIT:
        sa.init_request = raw
    sa.window.open_request(kind, raw)
    sa.timers.set(Alarm.RETRANSMIT, now + sa.connection.retransmit.wait(0))
    return _send(sa, header, payloads, raw)


def opened(sa: "IkeSa", header: IkeHeader, outer: list[Payload], raw: bytes) -> list[Payload]:
    """The payloads that may be believed: those inside SK, or all of IKE_SA_INIT."""
    if sa.state not in PROVED and header.exchange not in BEFORE_PROOF:
        raise UnexpectedMessage(f"exchange type {header.exchange} while {sa.state.value}")
    sealed = first(outer, Encrypted)
    if header.exchange == ExchangeType.IKE_SA_INIT:
        # nothing proves who sent it: it may only move an SA that has just begun
        if sa.state is not (State.INIT_SENT if header.is_response else State.IDLE):
            raise UnexpectedMessage(f"an IKE_SA_INIT message while {sa.state.value}")
        if sealed is not None:
            raise UnexpectedMessage("an IKE_SA_INIT message with an SK payload")
        return outer
    if sealed is None or sa.inbound is None:
        raise UnexpectedMessage("a message without an SK payload, or before there are keys")
    return envelope.open(raw, sealed, sa.inbound)


def heard(sa: "IkeSa", message: Message, now: Instant) -> None:
    """An acceptable message came: note the time, and where to send answers (RFC 7296 2.11)."""
    sa.last_heard = now
    header = message.header
    if not header.is_response:
        sa.path = message.path
    if sa.tap is not None:
        sa.tap(
            IkeMessageReceived(
                sa.spi_i,
                name_of(ExchangeType, header.exchange),
                header.is_response,
                header.message_id,
                names(message.payloads),
                header.exchange != ExchangeType.IKE_SA_INIT,
                len(message.raw),
            )
        )


def respond(sa: "IkeSa", header: IkeHeader, payloads: Sequence[Payload], now: Instant) -> list[Action]:
    """Answer a request, and keep the answer for the case that it is asked for again."""
    response = _header(sa, header.exchange, header.message_id, is_response=True)
    raw = _seal(sa, response, payloads)
    if header.exchange == ExchangeType.IKE_SA_INIT:
        sa.init_response = raw
        sa.timers.set(Alarm.HALF_OPEN, now + sa.connection.half_open_timeout)
    sa.window.remember(raw)
    return _send(sa, response, payloads, raw)


def repeat(sa: "IkeSa", stored: bytes, message_id: int, path: Path) -> list[Action]:
    """The request came again: so does the answer, bit for bit."""
    if sa.tap is not None:
        sa.tap(ResponseRepeated(sa.spi_i, message_id))
    return [datagram(stored, path)]


def _header(sa: "IkeSa", exchange: int, message_id: int, *, is_response: bool) -> IkeHeader:
    flags = (INITIATOR if sa.is_initiator else 0) | (RESPONSE if is_response else 0)
    return IkeHeader(sa.spi_i, sa.spi_r, 0, exchange, flags, message_id)


def _seal(sa: "IkeSa", header: IkeHeader, payloads: Sequence[Payload]) -> bytes:
    if header.exchange == ExchangeType.IKE_SA_INIT or sa.outbound is None:
        return emit_message(header, payloads)
    return envelope.seal(header, payloads, sa.outbound)


def _send(sa: "IkeSa", header: IkeHeader, payloads: Sequence[Payload], raw: bytes) -> list[Action]:
    if sa.tap is not None:
        sa.tap(
            IkeMessageSent(
                sa.spi_i,
                name_of(ExchangeType, header.exchange),
                header.is_response,
                header.message_id,
                names(payloads),
                header.exchange != ExchangeType.IKE_SA_INIT,
                len(raw),
            )
        )
    return [datagram(raw, sa.path)]


def datagram(raw: bytes, path: Path) -> SendDatagram:
    """An IKE message in UDP."""
    payload = NON_ESP_MARKER + raw if path.is_shared_with_esp else raw
    return SendDatagram(path.local, path.local_port, path.remote, path.remote_port, payload)
