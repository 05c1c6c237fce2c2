"""An IKE SA that is made without a Child SA; what it is to carry is asked for afterwards (RFC 6023).

Only the responder announces that it can do so, in IKE_SA_INIT; an initiator never leaves the child out otherwise.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.ike.config import Childless
from ipsecsim.ike.errors import InvalidSyntax, NoProposalChosen
from ipsecsim.ike.v2.duties.tasks import CreateChild
from ipsecsim.ike.v2.messages.message import first, notify
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, ProtocolId
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

ABOUT_A_CHILD = (SecurityAssociationPayload, TsInitiator, TsResponder)


def announcement(sa: "IkeSa") -> list[Payload]:
    """What a responder says that would take an IKE SA without a child, on one of its connections at least."""
    if all(each.childless is Childless.NEVER for each in sa.candidates):
        return []
    return [Notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED, protocol=ProtocolId.IKE)]


def choose(sa: "IkeSa", payloads: Sequence[Payload]) -> bool:
    """Does an initiator leave the child out? Raises NoProposalChosen when it must and may not."""
    may_be = notify(payloads, NotifyType.CHILDLESS_IKEV2_SUPPORTED) is not None
    if sa.connection.childless is Childless.FORCE and not may_be:
        raise NoProposalChosen("the responder makes no IKE SA without a child (childless: force)")
    return may_be and sa.connection.childless in (Childless.PREFER, Childless.FORCE)


def is_asked_for(sa: "IkeSa", payloads: Sequence[Payload]) -> bool:
    """Did the initiator leave the child out? Raises InvalidSyntax for a part of one, and where we said no."""
    there = [first(payloads, kind) is not None for kind in ABOUT_A_CHILD]
    if any(there) and not all(there):
        raise InvalidSyntax("a request for a Child SA without all of SA, TSi and TSr")
    if not any(there) and sa.connection.childless is Childless.NEVER:
        raise InvalidSyntax("an IKE_AUTH request without a Child SA, which we did not say we take")
    return not any(there)


def check(sa: "IkeSa") -> None:
    """Raise NoProposalChosen where the first child may not come with the IKE SA."""
    if sa.connection.childless is Childless.FORCE:
        raise NoProposalChosen("Child SAs are made by CREATE_CHILD_SA only (childless: force)")


def ask_for_child(sa: "IkeSa") -> None:
    """The IKE SA stands: now the child that it was made for."""
    sa.agenda.add(CreateChild(sa.wanted_child, trigger=sa.trigger))
