"""SAs that one end has lost and the other still sends to (RFC 7296 2.4)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import format_seconds
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import SaInstalled, SaRemoved
from ipsecsim.net.events import NodeCrashed
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.wire.headers import security

_IN = Direction.INBOUND.value
_SHOWS_AS = (DropReason.NO_SA, DropReason.NODE_DOWN)


@dataclass(slots=True)
class _Loss:
    """The row in which a node lost SAs, what they were for, and the packets that came for them all the same."""

    row: Record
    rules: set[str] = field(default_factory=set)
    late: list[Record] = field(default_factory=list)

    @property
    def words(self) -> str:
        """'2 packets still came for what it had: NODE_DOWN 1, NO_SA 1'."""
        events = (row.event for row in self.late)
        reasons = Counter(event.reason.name for event in events if isinstance(event, PacketDropped))
        listed = ", ".join(f"{name} {number}" for name, number in reasons.items())
        return f"{count(len(self.late), 'packet')} still came for what it had: {listed}"


def peer_rebooted(case: Case) -> Iterator[Finding]:
    """A node went down with all its SAs, and its peers did not know."""
    for loss in _losses(case):
        if isinstance(loss.row.event, NodeCrashed):
            yield _finding(Diagnosis.PEER_REBOOTED, loss, "went down")


def stale_sa(case: Case) -> Iterator[Finding]:
    """A node that stayed up forgot SAs, and told nobody."""
    for loss in _losses(case):
        if not isinstance(loss.row.event, NodeCrashed):
            yield _finding(Diagnosis.STALE_SA, loss, "forgot SAs and told nobody")


def _finding(diagnosis: Diagnosis, loss: _Loss, what: str) -> Finding:
    node = loss.row.node
    sentence = f"{node} {what} at {format_seconds(loss.row.at, 3)}; {loss.words}"
    rules = tuple((node, rule) for rule in sorted(loss.rules))
    return Finding(diagnosis, (loss.row, *loss.late), sentence, rules)


def _losses(case: Case) -> list[_Loss]:
    """Every turn in which a node lost SAs that somebody sent to afterwards."""
    standing: dict[tuple[str, int], str] = {}  # inbound SAs, by node and SPI, with their rules
    lost: dict[tuple[str, int], _Loss] = {}
    by_turn: dict[int, _Loss] = {}

    def lose(key: tuple[str, int], row: Record) -> None:
        loss = by_turn.setdefault(row.turn.number, _Loss(row))
        loss.rules.add(standing.pop(key))
        lost[key] = loss

    kinds = (SaInstalled, SaRemoved, NodeCrashed, PacketDropped)
    rows = sorted((row for kind in kinds for row, _ in case.of(kind)), key=lambda row: row.sequence)
    for row in rows:
        event = row.event
        if isinstance(event, SaInstalled) and event.direction == _IN:
            standing[row.node, event.spi] = event.policy
            lost.pop((row.node, event.spi), None)
        elif isinstance(event, SaRemoved) and (row.node, event.spi) in standing and event.direction == _IN:
            if _is_told(case, row):
                del standing[row.node, event.spi]
            else:
                lose((row.node, event.spi), _crash(case, row) or row)
        elif isinstance(event, NodeCrashed):
            for key in [key for key in standing if key[0] == row.node]:
                lose(key, row)
        elif isinstance(event, PacketDropped) and event.reason in _SHOWS_AS:
            found = security(event.packet)
            loss = lost.get((row.node, found.spi)) if found else None
            if loss is not None:
                loss.late.append(row)
    return [loss for loss in by_turn.values() if loss.late]


def _is_told(case: Case, removed: Record) -> bool:
    """Did the two ends speak about it: a DELETE, or the answer to one?"""
    turn = case.recorder.turn(removed.turn.number)
    return any(isinstance(row.event, IkeMessageSent | IkeMessageReceived) for row in turn)


def _crash(case: Case, removed: Record) -> Record | None:
    turn = case.recorder.turn(removed.turn.number)
    return next((row for row in turn if isinstance(row.event, NodeCrashed)), None)
