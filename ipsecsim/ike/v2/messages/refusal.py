"""What becomes of a message that cannot be accepted (RFC 7296 2.21)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import IkeError, InvalidSyntax, NoProposalChosen
from ipsecsim.ike.v2.duties.tasks import CreateChild
from ipsecsim.ike.v2.messages import courier, doubt
from ipsecsim.ike.v2.messages.fragments import TooManyFragments
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.states import PROVED, State
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


@contextmanager
def answered(sa: "IkeSa", header: IkeHeader) -> Iterator[None]:
    """After authentication every request with an error has an answer, if need be INVALID_SYNTAX (2.21.3).

    For what is done with a message whose seal and message ID are good.
    """
    was_proved = sa.state in PROVED
    try:
        yield
    except RemoteError as wrong:
        has_answer = isinstance(wrong, IkeError) and wrong.notify is not None
        if header.is_response or has_answer or not was_proved:
            raise
        raise InvalidSyntax(str(wrong), wrong.reason) from wrong


def refuse(sa: "IkeSa", header: IkeHeader, error: RemoteError, path: Path, now: Instant) -> list[Action]:
    """Answer a request that `message` could not accept; a broken seal or a wrong ID is not answered."""
    if isinstance(error, TooManyFragments):
        return sa.fail()
    if header.is_response:
        return _refuse_response(sa, header, error, now)
    if not isinstance(error, IkeError) or error.notify is None:
        return []
    if header.message_id != sa.window.expected_request:
        return []
    notify = Notify(error.notify, error.notify_data, error.notify_protocol, error.notify_spi)
    actions = courier.respond(sa, header, [notify], path, now)
    # RFC 7296 2.21.3: a badly formed request is the end of the SA on both sides, without a DELETE
    if sa.state not in PROVED or error.notify == NotifyType.INVALID_SYNTAX:
        actions = sa.fail() + actions
    return actions


def _refuse_response(sa: "IkeSa", header: IkeHeader, error: RemoteError, now: Instant) -> list[Action]:
    """An answer that was ours to judge and is not acceptable ends what has no other end."""
    waiting = sa.window.outstanding
    if sa.state is State.INIT_SENT:  # in clear: what makes no sense is as if it had never come
        return doubt.doubt(sa, now) if isinstance(error, NoProposalChosen) else []
    if error.reason is DropReason.KE_INVALID:
        error = InvalidSyntax(str(error), error.reason)  # RFC 6989 2.5: delete the IKE SA
    is_judged = isinstance(error, IkeError) and error.notify is not None
    if not is_judged or (waiting is not None and waiting.message_id != header.message_id):
        return []
    if sa.state in PROVED:
        return [] if waiting is not None else _drop_child(sa, now)
    return sa.fail()


def _drop_child(sa: "IkeSa", now: Instant) -> list[Action]:
    """The IKE SA stands, but the child in its answer cannot be used: tear both down."""
    return [*CreateChild(sa.wanted_child, trigger=sa.trigger).given_up(), *sa.terminate(now)]
