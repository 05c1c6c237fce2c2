"""Message IDs are agreed on anew when a standby takes over an IKE SA (RFC 6311).

    Newly active member                                      Peer
    HDR(MID=0), SK {N(IKEV2_MESSAGE_ID_SYNC)}  -->
                    <--  HDR(MID=0), SK {N(IKEV2_MESSAGE_ID_SYNC)}

The exchange stands outside of the window: the ID is 0 each time, so that replays are known by what is inside. The
member names the IDs with which it would go on, the peer takes the higher of these and its own. Neither waits any
longer for answers to what it asked before: it asks again with a new ID. Counters of Child SAs are not synchronised.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.errors import NotForWindow, UnexpectedMessage
from ipsecsim.ike.sync_events import MessageIdsInDoubt, MessageIdsSynchronised
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.duties.tasks import Synchronise
from ipsecsim.ike.v2.messages import courier, envelope
from ipsecsim.ike.v2.messages.message import Message, Path, notify
from ipsecsim.ike.v2.states import PROVED, State
from ipsecsim.ike.v2.window import LAST_ID
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

_FIELDS = Struct("!4sII")  # RFC 6311 6.3: nonce, the ID of the sender's next request, the ID that it expects
NONCE_LENGTH = 4
WINDOW = 1  # as many requests as the member that is gone may have sent without our knowing (RFC 6311 5.1)


@dataclass(slots=True)
class Synchronisation:
    """Whether both sides can, and the highest ID that the peer has named when it took over."""

    is_agreed: bool = False
    highest: int = -1


# -- in IKE_AUTH ----------------------------------------------------------------------------------


def offer(sa: "IkeSa") -> list[Notify]:
    """What the request of IKE_AUTH says about it (RFC 6311 6.1)."""
    return [Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED)] if sa.connection.message_id_sync else []


def agree(sa: "IkeSa", payloads: Sequence[Payload]) -> list[Notify]:
    """Take in the peer's half of IKE_AUTH; what a responder says to it, which is nothing unless it was asked."""
    said = notify(payloads, NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED)
    sa.sync.is_agreed = sa.connection.message_id_sync and said is not None
    return offer(sa) if sa.sync.is_agreed else []


# -- who takes over -------------------------------------------------------------------------------


def begin(sas: Iterable["IkeSa"], wanted: ChildConfig, now: Instant) -> list[Action]:
    """This node has taken over the IKE SA that carries a child; nothing is done where the peer cannot."""
    actions: list[Action] = []
    for sa in sas:
        if sa.sync.is_agreed and sa.state is State.ESTABLISHED and sa.is_carrying(wanted):
            actions += _begin(sa, now)
    return actions


def _begin(sa: "IkeSa", now: Instant) -> list[Action]:
    before = sa.task if isinstance(sa.task, Synchronise) else None  # one failover on top of another
    send = (sa.window.next_request if before is None else before.send) + WINDOW
    if send > LAST_ID:
        actions = sa.fail()
        sa.node.release(sa)
        return actions
    nonce = sa.entropy.fork("message id sync").bytes(NONCE_LENGTH)
    task = Synchronise(nonce, send, receive=sa.window.expected_request)
    if before is None:
        _put_back(sa)
    else:
        sa.close_task()
    sa.window.restart()  # the request has ID 0; the answer says which ones follow
    if sa.tap is not None:
        sa.tap(MessageIdsInDoubt(sa.spi_i, task.send, task.receive))
    return sa.enqueue(task, now, first=True)


def request(task: Synchronise) -> list[Notify]:
    """What the newly active member says."""
    return [_notify(task.nonce, task.send, task.receive)]


def answered(sa: "IkeSa", task: Synchronise, message: Message) -> list[Action]:
    """The peer's answer says where to go on. Raises UnexpectedMessage for one that is not to this request."""
    nonce, their_send, their_receive = _read(message.payloads)
    if nonce != task.nonce:
        raise UnexpectedMessage("the nonce is not that of our synchronisation")
    sa.close_task()
    sa.window.skip_to(max(task.send, their_receive), max(sa.window.expected_request, their_send))
    _tell(sa, sa.window.next_request, by_peer=False)
    return []


# -- its peer -------------------------------------------------------------------------------------


def asked(
    sa: "IkeSa", header: IkeHeader, outer: list[Payload], raw: bytes, path: Path, now: Instant
) -> list[Action] | None:
    """Answer a request to synchronise; None for any other message.

    Raises NotForWindow for one that is old, UnexpectedMessage for one with other things in it. Neither is answered.
    """
    message = _opened(sa, header, outer, raw, path)
    if message is None:
        return None
    nonce, their_send, their_receive = _read(message.payloads)
    window, ours = sa.window, sa.task
    if window.is_last_request(raw):  # nothing has come since: our answer was lost (RFC 7296 2.1)
        return courier.repeat(sa, header.message_id, path)
    if their_send <= max(sa.sync.highest, window.expected_request - 1):
        raise NotForWindow(DropReason.RETRANSMIT_IGNORED, their_send)
    # both sides may have failed over: then our own request to synchronise is on its way, and stays
    crossing = ours if isinstance(ours, Synchronise) else None
    send = max(window.next_request if crossing is None else crossing.send, their_receive)
    if send > LAST_ID:
        raise UnexpectedMessage("no message ID is left to go on with")
    actions = courier.heard(sa, message, now)
    sa.sync.highest = their_send
    if crossing is None:
        _put_back(sa)
        window.skip_to(send, their_send - 1)
    else:
        crossing.send = send
        window.skip_to(window.next_request, their_send - 1)
    # it counts as the request before the expected one: only as the last it is answered again
    window.note_request(raw)
    answer = [_notify(nonce, send, their_send)]
    actions += courier.respond(sa, header, answer, path, now)
    _tell(sa, send, by_peer=True)
    sa.watch(now)
    return actions + sa.next_task(now)


def _opened(sa: "IkeSa", header: IkeHeader, outer: list[Payload], raw: bytes, path: Path) -> Message | None:
    """A request to synchronise: with ID 0, in one piece (RFC 7383 3), and under a good seal.

    The first request that a side makes in an IKE SA may have ID 0, too, so only what is inside can tell.
    """
    is_outside = header.exchange == ExchangeType.INFORMATIONAL and header.message_id == 0
    if not (is_outside and sa.sync.is_agreed and sa.state in PROVED and outer and sa.inbound):
        return None
    sealed = outer[-1]
    if not isinstance(sealed, Encrypted):
        return None
    try:
        inside = envelope.open(raw, sealed, sa.inbound)
    except RemoteError:
        return None
    if notify(inside, NotifyType.IKEV2_MESSAGE_ID_SYNC) is None:
        return None
    return Message(header, inside, raw, path, len(raw))


# -- both -----------------------------------------------------------------------------------------


def _notify(nonce: bytes, send: int, receive: int) -> Notify:
    return Notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, _FIELDS.pack(nonce, send, receive))


def _read(inside: Sequence[Payload]) -> tuple[bytes, int, int]:
    """Nonce, the ID of the sender's next request, the one that it expects. There may be nothing else in it."""
    said = notify(inside, NotifyType.IKEV2_MESSAGE_ID_SYNC)
    if said is None or len(inside) != 1 or len(said.data) != _FIELDS.size:
        raise UnexpectedMessage("not one IKEV2_MESSAGE_ID_SYNC notify of 12 bytes, and nothing else")
    nonce, send, receive = _FIELDS.unpack(said.data)
    return nonce, send, receive


def _put_back(sa: "IkeSa") -> None:
    """Wait no longer for an answer (RFC 6311 9): what we have asked is asked again, with a new ID."""
    sa.timers.cancel(Alarm.RETRANSMIT)
    task = sa.close_task()
    if task is not None:
        sa.agenda.add(task, first=True)


def _tell(sa: "IkeSa", send: int, *, by_peer: bool) -> None:
    if sa.tap is not None:
        sa.tap(MessageIdsSynchronised(sa.spi_i, send, sa.window.expected_request, by_peer))
