"""Two ends that want new keys at the same time, and old keys that do not last until they agree (RFC 7296 2.25)."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import format_seconds
from ipsecsim.ike.events import ChildRekeyed, IkeRekeyed, NotifyReceived, RekeyPostponed, StateChanged
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import SaRemoved
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.wire.headers import security
from ipsecsim.wire.ike.numbers import NotifyType


def rekey_collision(case: Case) -> Iterator[Finding]:
    """A node was told to ask later, and what it wanted to replace came to its end before that."""
    ended: set[int] = set()
    for postponed, event in case.of(RekeyPostponed):
        end = _end_of_patience(case, postponed, event) if _is_busy(case, postponed) else None
        if end is None or end.sequence in ended:
            continue
        ended.add(end.sequence)
        late = _late(case, end)
        sentence = (
            f"{postponed.node}: its peer was busy at {format_seconds(postponed.at, 3)}, it was to ask again at "
            f"{format_seconds(event.until, 3)}, and the IKE SA ended at {format_seconds(end.at, 3)}; "
            f"{count(len(late), 'packet')} still came for it"
        )
        yield Finding(Diagnosis.REKEY_COLLISION, (postponed, end, *late), sentence)


def _is_busy(case: Case, postponed: Record) -> bool:
    """Was it the peer's own business that made a node wait, and no other refusal?"""
    notifies = [row.event.notify for row in case.before(postponed) if isinstance(row.event, NotifyReceived)]
    return NotifyType.TEMPORARY_FAILURE.name in notifies


def _end_of_patience(case: Case, postponed: Record, event: RekeyPostponed) -> Record | None:
    """The row in which the node itself ended the IKE SA while it waited, unless the keys were new by then."""
    renewed = [row for kind in (IkeRekeyed, ChildRekeyed) for row, _ in case.of(kind)]
    for row, changed in case.of(StateChanged):
        if row.node != postponed.node or row.sequence < postponed.sequence or row.at > event.until:
            continue
        is_over = changed.before == State.ESTABLISHED.name and row.turn.stimulus == "timer"
        if is_over and changed.after in (State.DELETING.name, State.DEAD.name):
            between = (postponed.sequence, row.sequence)
            is_renewed = any(
                each.node == row.node and between[0] < each.sequence < between[1] for each in renewed
            )
            return None if is_renewed else row
    return None


def _late(case: Case, end: Record) -> list[Record]:
    """Packets that came for the Child SAs that ended with it."""
    spis = {
        row.event.spi
        for row in case.after(end)
        if isinstance(row.event, SaRemoved) and row.event.direction == Direction.INBOUND.value
    }
    found: list[Record] = []
    for row, dropped in case.drops(DropReason.NO_SA):
        about = security(dropped.packet)
        if about is not None and about.spi in spis and row.node == end.node and row.sequence > end.sequence:
            found.append(row)
    return found
