"""INFORMATIONAL: delete SAs, report errors, or only ask whether the peer lives (RFC 7296 1.4).

HDR, SK {[N,] [D,] ...}  -->
                         <--  HDR, SK {[N,] [D,] ...}
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.errors import InvalidSyntax
from ipsecsim.ike.events import NotifyReceived
from ipsecsim.ike.v2 import message_id_sync
from ipsecsim.ike.v2.children import child, configuration
from ipsecsim.ike.v2.duties.tasks import CreateChild, Inform, Roam, Synchronise
from ipsecsim.ike.v2.messages.message import Answer, Message, notify
from ipsecsim.ike.v2.paths import following, mobility, moving
from ipsecsim.ike.v2.renewal import collisions, succession
from ipsecsim.ike.v2.renewal.collisions import Asked, Reply
from ipsecsim.ike.v2.states import Step
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, ProtocolId, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

# RFC 7296 3.11; that of an IKE SA stands in the header
_SPI_SIZE: dict[int, int] = {ProtocolId.IKE: 0, ProtocolId.AH: 4, ProtocolId.ESP: 4}


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """What waits to be said; nothing at all is a question for a sign of life (RFC 7296 2.4)."""
    if isinstance(sa.task, Roam):
        return mobility.payloads(sa, sa.task)
    if isinstance(sa.task, Synchronise):
        return message_id_sync.request(sa.task)
    return sa.task.payloads if isinstance(sa.task, Inform) else ()


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Do what the peer says; deleting a Child SA is answered with its other direction (RFC 7296 1.4.1)."""
    configuration.check(message.payloads)
    _check_deletes(message.payloads)
    following.check(sa, message)
    reply = configuration.tell_about_us(message.payloads)
    actions: list[Action] = []
    closed: list[ChildConfig] = []
    for payload in message.payloads:
        if sa.is_dead:
            break  # what follows a DELETE of the IKE SA speaks of nothing
        if isinstance(payload, Notify) and payload.is_error:
            if sa.tap is not None:
                sa.tap(NotifyReceived(name_of(NotifyType, payload.notify_type), "INFORMATIONAL"))
            if payload.notify_type == NotifyType.AUTHENTICATION_FAILED:
                # RFC 7296 2.21.2: the initiator did not believe us; nothing of this SA stands
                actions += sa.fail()
        elif isinstance(payload, Delete) and payload.protocol == ProtocolId.IKE:
            closed += [each.config for each in sa.children]
            actions += succession.closed_by_peer(sa, now)
        elif isinstance(payload, Delete) and payload.protocol in (ProtocolId.ESP, ProtocolId.AH):
            before = [each.config for each in sa.children]
            removed, gone = _delete_children(sa, payload)
            actions += removed
            still = [each.config for each in sa.children]
            closed += [config for config in before if config not in still]
            if gone:
                reply.append(Delete(payload.protocol, gone))

    def close_actions() -> list[Action]:
        return [each for config in closed for each in sa.node.react(config, config.close_action, now)]

    if sa.is_dead:
        return Answer(reply, before=actions, afterwards=close_actions)
    about_addresses = following.react(sa, message, now)
    return Answer(
        [*reply, *about_addresses.payloads],
        before=actions,
        afterwards=lambda: close_actions() + about_addresses.afterwards(),
    )


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """An answer to DELETE ends what it was about; any other one only says that the peer lives."""
    if isinstance(sa.task, Synchronise):
        return message_id_sync.answered(sa, sa.task, message)
    task = sa.close_task()
    said = task.payloads if isinstance(task, Inform) else ()
    if notify(message.payloads, NotifyType.INVALID_SYNTAX):
        # RFC 7296 2.21.3: fatal on both sides
        return sa.fail()
    if isinstance(task, Roam):
        return following.told(sa, task, message, now)
    actions = moving.compare_mapping(sa, message)
    for payload in said:
        if isinstance(payload, Delete) and payload.protocol == ProtocolId.IKE:
            actions += sa.end(Step.GET_DELETE)
        elif isinstance(payload, Delete):
            said_goodbye = [
                each
                for each in sa.children
                if each.protocol == payload.protocol and each.spi_in.to_bytes(4, "big") in payload.spis
            ]
            for each in said_goodbye:
                actions += child.remove(sa, each)
    return actions


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer is dead: so is the SA, and its children with it (RFC 7296 2.4)."""
    return sa.fail()


def _check_deletes(payloads: Sequence[Payload]) -> None:
    """Raise InvalidSyntax for an SPI of a length that its protocol does not have, before anything is deleted."""
    for each in payloads:
        if isinstance(each, Delete) and each.protocol in _SPI_SIZE:
            size = _SPI_SIZE[each.protocol]
            if any(len(spi) != size for spi in each.spis):
                raise InvalidSyntax(
                    f"a DELETE for protocol {each.protocol} with SPIs that are not {size} bytes long"
                )


def _delete_children(sa: "IkeSa", payload: Delete) -> tuple[list[Action], list[bytes]]:
    """The peer names its inbound SPIs, which are our outbound ones; we answer with our inbound ones."""
    actions: list[Action] = []
    gone: list[bytes] = []
    for spi in payload.spis:
        named = (payload.protocol, int.from_bytes(spi, "big"))
        each = next((each for each in sa.children if (each.protocol, each.spi_out) == named), None)
        how = collisions.reply(sa, Asked.CLOSE_CHILD, each)
        if each is None:
            if isinstance(sa.task, CreateChild):
                sa.task.deleted_meanwhile.append(named)
        elif how is Reply.WITHOUT_DELETE:
            # both ends close it: we receive on it until our own DELETE is answered (RFC 7296 1.4.1)
            actions += child.stop_sending(each)
        else:
            actions += child.remove(sa, each)
            gone.append(each.spi_in.to_bytes(4, "big"))
    return actions, gone
