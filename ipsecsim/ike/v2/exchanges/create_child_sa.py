"""CREATE_CHILD_SA: another Child SA, or a new key for what there is (RFC 7296 1.3). Here: refused, politely.

HDR, SK {...}  -->
               <--  HDR, SK {N(NO_ADDITIONAL_SAS)}

RFC 7296 4 allows a minimal implementation to know no more than that, but it has to answer: a peer that
hears nothing takes us for dead, one that is refused sets up a new IKE SA instead.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import UnexpectedMessage
from ipsecsim.ike.v2.message import Answer, Message
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """We never begin it."""
    raise LocalError("CREATE_CHILD_SA is only ever refused here")


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """No; and while the IKE SA is being closed: not now (RFC 7296 2.25.2)."""
    if sa.state is State.ESTABLISHED:
        return Answer([Notify(NotifyType.NO_ADDITIONAL_SAS)])
    if sa.state is State.DELETING:
        return Answer([Notify(NotifyType.TEMPORARY_FAILURE)])
    raise UnexpectedMessage(f"CREATE_CHILD_SA request while {sa.state.value}")


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """The window lets none through, since we never ask."""
    raise UnexpectedMessage("CREATE_CHILD_SA response")


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nobody answers."""
    return sa.fail()
