"""Two exchanges about the same SA that overlap: what to answer, and who gives way (RFC 7296 2.8.1, 2.8.2, 2.25)."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import SECOND, Instant, format_duration
from ipsecsim.ike.errors import TemporaryFailure
from ipsecsim.ike.events import PeerStayedBusy, RekeyCollided, RekeyPostponed
from ipsecsim.ike.v2.children.child import ChildSa, Material
from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke, Task
from ipsecsim.ike.v2.keying import followup
from ipsecsim.ike.v2.keying.followup import ChildOffer, HeirOffer, OpenChain
from ipsecsim.ike.v2.messages.message import the
from ipsecsim.ike.v2.peer import diagnosis
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.nonce import Nonce

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

TRY_AGAIN_AFTER = 10 * SECOND  # RFC 7296 2.25: not at once, when the peer says TEMPORARY_FAILURE
JITTER = 5 * SECOND  # two peers that both say "later" must not meet again at once
BUSY_FOR = 300 * SECOND  # RFC 7296 2.25: after "several minutes" the state of the peers is out of step


class Asked(Enum):
    """What a request of the peer is about."""

    NEW_CHILD = "create a Child SA"
    REKEY_CHILD = "rekey a Child SA"
    CLOSE_CHILD = "close a Child SA"
    REKEY_IKE = "rekey the IKE SA"
    CLOSE_IKE = "close the IKE SA"


class Busy(Enum):
    """What this side is at, at the same time."""

    CLOSING_IKE = "is closing the IKE SA"
    REKEYING_IKE = "is rekeying the IKE SA"
    WITH_A_CHILD = "is creating, rekeying or closing a Child SA"
    AWAITING_ONE = "is waiting to hear of a new Child SA, which may be that one"
    WITHOUT_IT = "does not have that Child SA"
    REKEYING_IT = "is rekeying that Child SA"
    CLOSING_IT = "is closing that Child SA"


class Reply(Enum):
    """How to answer."""

    AS_USUAL = "as usual"
    WITHOUT_DELETE = "without a Delete payload"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    CHILD_SA_NOT_FOUND = "CHILD_SA_NOT_FOUND"


RULES = {
    # RFC 7296 2.25.1
    (Asked.REKEY_CHILD, Busy.CLOSING_IT): Reply.TEMPORARY_FAILURE,
    (Asked.REKEY_CHILD, Busy.REKEYING_IT): Reply.AS_USUAL,  # the nonces decide later
    (Asked.REKEY_CHILD, Busy.WITHOUT_IT): Reply.CHILD_SA_NOT_FOUND,
    (Asked.CLOSE_CHILD, Busy.CLOSING_IT): Reply.WITHOUT_DELETE,  # our own request says it already
    (Asked.CLOSE_CHILD, Busy.REKEYING_IT): Reply.AS_USUAL,
    (Asked.CLOSE_CHILD, Busy.WITHOUT_IT): Reply.WITHOUT_DELETE,
    (Asked.REKEY_IKE, Busy.WITH_A_CHILD): Reply.TEMPORARY_FAILURE,
    # RFC 7296 2.25.2
    (Asked.REKEY_IKE, Busy.REKEYING_IKE): Reply.AS_USUAL,  # the nonces decide later
    (Asked.REKEY_IKE, Busy.CLOSING_IKE): Reply.TEMPORARY_FAILURE,
    (Asked.CLOSE_IKE, Busy.REKEYING_IKE): Reply.AS_USUAL,  # and our own request is forgotten
    (Asked.CLOSE_IKE, Busy.CLOSING_IKE): Reply.AS_USUAL,  # likewise
    (Asked.NEW_CHILD, Busy.REKEYING_IKE): Reply.TEMPORARY_FAILURE,
    (Asked.REKEY_CHILD, Busy.REKEYING_IKE): Reply.TEMPORARY_FAILURE,
    (Asked.CLOSE_CHILD, Busy.REKEYING_IKE): Reply.AS_USUAL,
    # not in the RFC's list: it will soon be clear which child is meant; the child would not outlive the exchange
    (Asked.REKEY_CHILD, Busy.AWAITING_ONE): Reply.TEMPORARY_FAILURE,
    (Asked.NEW_CHILD, Busy.CLOSING_IKE): Reply.TEMPORARY_FAILURE,
    (Asked.REKEY_CHILD, Busy.CLOSING_IKE): Reply.TEMPORARY_FAILURE,
}
"""Section 2.25 row by row. What is not listed does not disturb, and is answered as usual."""


def reply(sa: "IkeSa", asked: Asked, it: ChildSa | None = None) -> Reply:
    """How to answer a request, about the child `it` or about none that is here. Raises TemporaryFailure."""
    for busy in _doing(sa, it):
        how = RULES.get((asked, busy), Reply.AS_USUAL)
        if how is Reply.TEMPORARY_FAILURE:
            raise TemporaryFailure(f"the peer wants to {asked.value}, and this side {busy.value}")
        if how is not Reply.AS_USUAL:
            return how
    return Reply.AS_USUAL


def _doing(sa: "IkeSa", it: ChildSa | None) -> Iterator[Busy]:
    task = sa.task
    if sa.state is not State.ESTABLISHED:
        yield Busy.CLOSING_IKE  # "whether or not it has already sent the delete notification" (RFC 7296 2.8.2)
    if isinstance(task, RekeyIke):
        yield Busy.REKEYING_IKE
    if isinstance(task, CreateChild) or any(child.is_closing for child in sa.children):
        yield Busy.WITH_A_CHILD
    if it is None:
        if isinstance(task, CreateChild):
            yield Busy.AWAITING_ONE
        yield Busy.WITHOUT_IT
    elif it.is_closing:
        yield Busy.CLOSING_IT
    elif isinstance(task, CreateChild) and task.replaces is it:
        yield Busy.REKEYING_IT


def is_ours_redundant(sa: "IkeSa", old: ChildSa, ours: Material) -> bool:
    """Did both ends rekey `old`, and is it our new pair that goes?

    The one with the lowest of the four nonces does (RFC 7296 2.8.1). A pair of the peer's that lost is gone
    before `old` is; one that won may be gone too by now, but then `old` went first.
    """
    if not ours.lowest < old.successor_nonce:
        return False
    return old.successor is not None or old not in sa.children


def crossing_chain(sa: "IkeSa", task: CreateChild | RekeyIke) -> OpenChain | None:
    """The peer's additional key exchanges for the same purpose as ours, once we have our first answer."""
    opened = sa.chain
    if opened is None or task.answer is None:
        return None
    if isinstance(task, RekeyIke):
        return opened if isinstance(opened.offer, HeirOffer) else None
    is_same = isinstance(opened.offer, ChildOffer) and opened.offer.old is task.replaces
    return opened if is_same and task.replaces is not None else None


def gives_way(sa: "IkeSa", task: CreateChild | RekeyIke) -> bool:
    """Must our own chain stop, because its CREATE_CHILD_SA exchange has the lowest of the four nonces?

    There is nothing to delete yet, so nobody needs to be told (RFC 9370 2.2.4).
    """
    crossing = crossing_chain(sa, task)
    if crossing is None or task.answer is None:
        return False
    return min(task.nonce, the(task.answer.payloads, Nonce).data) < crossing.offer.material.lowest


def follow_up(sa: "IkeSa", task: CreateChild | RekeyIke, now: Instant) -> list[Action]:
    """Begin with our own additional key exchanges, unless the peer's crossing ones win."""
    decide(sa, task)
    return go_on(sa, task, now)


def go_on(sa: "IkeSa", task: CreateChild | RekeyIke, now: Instant) -> list[Action]:
    """The next of our own additional key exchanges, unless the peer's crossing ones win."""
    return [] if gives_way(sa, task) else sa.enqueue(task, now, first=True)


def decide(sa: "IkeSa", task: Task | None) -> None:
    """If both ends have begun, all four nonces are known: of two chains one goes on, and the other is forgotten."""
    if not isinstance(task, CreateChild | RekeyIke) or crossing_chain(sa, task) is None:
        return
    is_ours_kept = not gives_way(sa, task)
    if sa.tap is not None:
        name = task.config.name if isinstance(task, CreateChild) else sa.connection.name
        sa.tap(RekeyCollided(name, is_ours_kept))
    if is_ours_kept:
        followup.forget(sa)


def put_off(sa: "IkeSa", task: CreateChild | RekeyIke, now: Instant) -> list[Action]:
    """The peer is busy: ask again later, or close the IKE SA when it has been busy for minutes (RFC 7296 2.25)."""
    if sa.busy_since is None:
        sa.busy_since = now
    if now - sa.busy_since > BUSY_FOR:
        if sa.tap is not None:
            sa.tap(PeerStayedBusy(sa.spi_i, now - sa.busy_since))
        if isinstance(task, RekeyIke) or task.replaces is not None:
            waited = format_duration(now - sa.busy_since)
            diagnosis.tell(
                sa, Diagnosis.REKEY_COLLISION, f"the peer was busy whenever it was asked, for {waited}"
            )
        return sa.terminate(now)
    return ask_again(sa, task, now)


def ask_again(sa: "IkeSa", task: CreateChild | RekeyIke, now: Instant) -> list[Action]:
    """Put a task off: not at once, and not exactly when the peer does the same."""
    at = now + TRY_AGAIN_AFTER + sa.entropy.fork("again").below(JITTER)
    sa.agenda.postpone(task, at)
    sa.watch_agenda()
    if sa.tap is not None:
        sa.tap(RekeyPostponed(sa.spi_i, at))
    return []
