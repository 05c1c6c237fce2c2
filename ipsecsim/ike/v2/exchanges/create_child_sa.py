"""CREATE_CHILD_SA: another Child SA, a new key for one, or a new IKE SA (RFC 7296 1.3).

    HDR, SK {[N(REKEY_SA),] SA, Ni, [KEi,] TSi, TSr}  -->
                                                      <--  HDR, SK {SA, Nr, [KEr,] TSi, TSr}

One module for each of the two things that it can be about; the offer in the SA payload tells which it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import InvalidSyntax, UnexpectedMessage
from ipsecsim.ike.events import NotifyReceived
from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke
from ipsecsim.ike.v2.exchanges import create_child, rekey_ike
from ipsecsim.ike.v2.messages.message import Answer, Message, notify, the
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import NotifyType, ProtocolId
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """What the task at hand asks for."""
    if isinstance(sa.task, CreateChild):
        return create_child.build_request(sa, sa.task)
    if isinstance(sa.task, RekeyIke):
        return rekey_ike.build_request(sa, sa.task)
    raise LocalError("CREATE_CHILD_SA without anything to create")


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Judge what the peer asks for. Raises TemporaryFailure when it crosses what we do (RFC 7296 2.25)."""
    offer = the(message.payloads, SecurityAssociationPayload)
    if any(proposal.protocol == ProtocolId.IKE for proposal in offer.proposals):
        return rekey_ike.handle_request(sa, message, now)
    kinds = {type(payload) for payload in message.payloads}
    if not {TsInitiator, TsResponder} <= kinds:
        raise InvalidSyntax("a request for a Child SA without traffic selectors")
    return create_child.handle_request(sa, message, now)


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """Go on with what we asked for."""
    task = sa.close_task()
    if notify(message.payloads, NotifyType.INVALID_SYNTAX):
        if sa.tap is not None:
            sa.tap(NotifyReceived(NotifyType.INVALID_SYNTAX.name, "CREATE_CHILD_SA"))
        return sa.fail()  # RFC 7296 2.21.3: fatal on both sides
    if isinstance(task, CreateChild):
        return create_child.handle_response(sa, task, message, now)
    if isinstance(task, RekeyIke):
        return rekey_ike.handle_response(sa, task, message, now)
    raise UnexpectedMessage("CREATE_CHILD_SA response")


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer is dead (RFC 7296 2.4)."""
    return sa.fail()
