"""Messages out and in: sealed or in clear, sent, opened, and sent again (RFC 7296 2.1, 2.11)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import NotForWindow, UnexpectedMessage
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent, ResponseRepeated
from ipsecsim.ike.fragment_events import IkeMessageCut
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.keying import intermediate
from ipsecsim.ike.v2.messages import envelope, fragment_search, fragments
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.message import Message, Path, first, names, notify
from ipsecsim.ike.v2.paths import rebinding
from ipsecsim.ike.v2.states import BEFORE_PROOF, PROVED, State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_chain, emit_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, name_of
from ipsecsim.wire.nat_t import wrap_ike

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def ask(sa: "IkeSa", kind: ExchangeType, payloads: Sequence[Payload], now: Instant) -> list[Action]:
    """Send a request, and see to it that its answer comes."""
    header = _header(sa, kind, sa.window.next_request, is_response=False)
    messages, content = _seal(sa, header, payloads)
    if kind is ExchangeType.IKE_SA_INIT:
        sa.init_request = messages[0]
    sa.window.open_request(kind, messages, content)
    sa.timers.set(Alarm.RETRANSMIT, now + sa.connection.retransmit.wait(0))
    return _send(sa, header, payloads, messages, sa.ways)


def was_answered(sa: "IkeSa", header: IkeHeader, outer: list[Payload], raw: bytes) -> bool:
    """Does a request that we answered come again? Raises NotForWindow when it is neither that nor new.

    Of a request in fragments only the first one counts (RFC 7383 2.6.1). It may be cut in another way than before,
    so its seal tells whether it is the peer's.
    """
    fragment = first(outer, EncryptedFragment)
    if not sa.window.is_repetition(header.message_id):
        sa.window.note_request(raw if fragment is None else b"")
        return False
    if fragment is None:
        is_same = sa.window.is_last_request(raw)
    else:
        is_same = fragment.number == 1 and (
            sa.window.is_last_request(raw) or _is_authentic(sa, fragment, raw)
        )
        if is_same:
            fragment_search.heard(sa, len(raw))
    if not is_same:
        raise NotForWindow(DropReason.RETRANSMIT_IGNORED, header.message_id)
    return True


def _is_authentic(sa: "IkeSa", fragment: EncryptedFragment, raw: bytes) -> bool:
    try:
        return sa.inbound is not None and bool(envelope.unseal(raw, fragment, sa.inbound))
    except RemoteError:
        return False


def opened(
    sa: "IkeSa", header: IkeHeader, outer: list[Payload], raw: bytes, path: Path, now: Instant
) -> Message | None:
    """A message with the payloads that may be believed: those inside SK, or all of IKE_SA_INIT.

    None for a fragment as long as others are missing.
    """
    if sa.state not in PROVED and header.exchange not in BEFORE_PROOF:
        raise UnexpectedMessage(f"exchange type {header.exchange} while {sa.state.value}")
    sealed, length = outer[-1] if outer else None, len(raw)
    if header.exchange == ExchangeType.IKE_SA_INIT:
        # nothing proves who sent it: it may only move an SA that has just begun
        if sa.state is not (State.INIT_SENT if header.is_response else State.IDLE):
            raise UnexpectedMessage(f"an IKE_SA_INIT message while {sa.state.value}")
        if isinstance(sealed, Encrypted | EncryptedFragment):
            raise UnexpectedMessage("an IKE_SA_INIT message with an SK payload")
        return Message(header, outer, raw, path, length)
    if isinstance(sealed, EncryptedFragment):
        known = fragments.collect(sa, header, outer, raw, now)
        if known is None:
            return None
        content, length = known.whole, known.length
        fragment_search.heard(sa, known.longest)
        if not header.is_response:
            sa.window.note_request(known.first)
    elif isinstance(sealed, Encrypted) and sa.inbound is not None:
        content = envelope.unseal(raw, sealed, sa.inbound)
    else:
        raise UnexpectedMessage("a message without an SK payload, or before there are keys")
    fragments.done(sa, is_response=header.is_response)
    intermediate.note(sa, header, content)
    return Message(header, envelope.read(content), raw, path, length)


def heard(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """An acceptable message came: note the time, and where to send answers (RFC 7296 2.11)."""
    sa.last_heard = now
    header = message.header
    if not header.is_response and sa.state not in PROVED:
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
                message.length,
            )
        )
    return rebinding.follow(sa, message.path)


def respond(
    sa: "IkeSa", header: IkeHeader, payloads: Sequence[Payload], path: Path, now: Instant
) -> list[Action]:
    """Answer a request where it came from, and keep the answer for the case that it is asked for again."""
    response = _header(sa, header.exchange, header.message_id, is_response=True)
    messages, content = _seal(sa, response, payloads)
    if header.exchange == ExchangeType.IKE_SA_INIT:
        sa.init_response = messages[0]
        sa.timers.set(Alarm.HALF_OPEN, now + sa.connection.half_open_timeout)
    sa.window.remember(messages, content)
    return _send(sa, response, payloads, messages, [path])


def repeat(sa: "IkeSa", message_id: int, path: Path) -> list[Action]:
    """The request came again: so does the answer, bit for bit."""
    if sa.tap is not None:
        sa.tap(ResponseRepeated(sa.spi_i, message_id))
    return [datagram(each, path) for each in sa.window.last_response]


def again(sa: "IkeSa") -> list[Action]:
    """The outstanding request once more, bit for bit, wherever requests go by now."""
    waiting = sa.window.outstanding
    messages = () if waiting is None else waiting.messages
    return [datagram(each, path) for path in sa.ways for each in messages]


def _header(sa: "IkeSa", exchange: int, message_id: int, *, is_response: bool) -> IkeHeader:
    flags = (INITIATOR if sa.is_initiator else 0) | (RESPONSE if is_response else 0)
    return IkeHeader(sa.spi_i, sa.spi_r, 0, exchange, flags, message_id)


def _seal(sa: "IkeSa", header: IkeHeader, payloads: Sequence[Payload]) -> tuple[list[bytes], Content | None]:
    """The message, in fragments where it is too large, and what is inside, where it may be cut.

    What has no seal cannot be (RFC 7383 2.2).
    """
    if header.exchange == ExchangeType.IKE_SA_INIT or sa.outbound is None:
        return [emit_message(header, payloads)], None
    content = Content(*emit_chain(payloads))
    intermediate.note(sa, header, content)
    limit = fragments.largest_whole(sa)
    if notify(payloads, NotifyType.IKEV2_MESSAGE_ID_SYNC) is not None:
        return [
            envelope.seal_content(header, content, sa.outbound)
        ], None  # RFC 7383 3: only ever in one piece
    if limit is not None and envelope.sealed_length(content, sa.outbound) > limit:
        return fragments.cut(header, content, sa.outbound, limit), content
    return [envelope.seal_content(header, content, sa.outbound)], content


def _send(
    sa: "IkeSa",
    header: IkeHeader,
    payloads: Sequence[Payload],
    messages: Sequence[bytes],
    paths: Sequence[Path],
) -> list[Action]:
    if sa.tap is not None:
        sa.tap(
            IkeMessageSent(
                sa.spi_i,
                name_of(ExchangeType, header.exchange),
                header.is_response,
                header.message_id,
                names(payloads),
                header.exchange != ExchangeType.IKE_SA_INIT,
                sum(map(len, messages)),
            )
        )
        if len(messages) > 1:
            sa.tap(IkeMessageCut(header.message_id, len(messages), max(map(len, messages))))
    return [datagram(each, path) for path in paths for each in messages]


def datagram(raw: bytes, path: Path) -> SendDatagram:
    """An IKE message in UDP."""
    payload = wrap_ike(raw) if path.is_shared_with_esp else raw
    return SendDatagram(path.local, path.local_port, path.remote, path.remote_port, payload)
