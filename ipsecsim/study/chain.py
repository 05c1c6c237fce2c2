"""The chain of events that leads from a cause to the end of it: few links, each of which a student can check."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ike import events as ike
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net import events as net
from ipsecsim.observe.lives.causality import causes, effects
from ipsecsim.observe.packets.packet_summary import message_name
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.explain import explain
from ipsecsim.scenario.build_ipsec import IKE_RULE
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat
from ipsecsim.study.trouble import Evidence, Trouble
from ipsecsim.wire.ike.notify import FIRST_STATUS_TYPE
from ipsecsim.wire.ike.numbers import NotifyType

FEWEST, MOST = 2, 6
_WORTH_TELLING = 3  # what has less weight is only told for want of better
_AFTER = 2
_BETWEEN = 2  # links between cause and end that show it too
_OF_A_KIND = 2

_WEIGHTS: dict[type[TraceEvent], int] = {
    net.NodeCrashed: 9,
    nat.MappingEnded: 9,
    stack.ConnectionForgotten: 9,
    net.BitFlipped: 9,
    net.BytesChanged: 9,
    PacketDropped: 8,
    ike.Diagnosed: 8,
    nat.PacketTranslated: 7,
    stack.IcmpErrorSent: 7,
    net.SettingChanged: 7,
    net.PacketReplayed: 7,
    net.InterfaceChanged: 6,
    net.AddressChanged: 6,
    ipsec.PacketSealed: 6,
    ipsec.SaRemoved: 6,
    stack.PacketFragmented: 6,
    ike.NotifyReceived: 6,
    ike.BeganAgain: 5,
    ike.MessageRetransmitted: 5,
    ike.RekeyPostponed: 6,
    ipsec.SaExpired: 6,
    ike.StateChanged: 3,
    ike.IkeMessageSent: 5,
    ipsec.PacketHeld: 4,
    ipsec.PacketOpened: 4,
    ipsec.PolicyMatched: 3,
    stack.PacketForwarded: 2,
    stack.PacketOriginated: 1,
}
"""How much an event explains; what is not here explains nothing."""

_ENDS = (
    ike.NotifyReceived,
    ike.RefusalBelieved,
    ike.PeerUnresponsive,
    ike.ChildSaFailed,
    ike.TrustEnded,
    net.EchoReplyMissed,
    net.QueryGivenUp,
    net.TrafficRefused,
)
"""With what it ends for those who were waiting."""


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain: what happened in a turn, at a node."""

    turn: int
    node: str
    sentence: str


def chain(evidence: Evidence, trouble: Trouble, traffic: frozenset[str]) -> tuple[Link, ...]:
    """Two to six links in the order of their turns, for one packet of the traffic where any is meant."""
    cause, end = _cause_and_end(evidence, trouble, traffic)
    shown = [row for row in _varied(trouble.rows, 1) if cause.sequence < row.sequence < end.sequence]
    chosen = {row.sequence: row for row in (cause, *shown[:_BETWEEN], end)}
    before = _before(evidence, end) + ([] if cause is end else _before(evidence, cause))
    if before:
        begin = min(before, key=lambda row: row.sequence)
        chosen[begin.sequence] = begin
    weighty = sorted(before, key=lambda row: (-_weight(row), -row.sequence))
    telling = [row for row in _varied(weighty, _OF_A_KIND) if _weight(row) >= _WORTH_TELLING]
    for row in [*_after(evidence, end), *telling][: MOST - len(chosen)]:
        chosen[row.sequence] = row
    if len(chosen) < FEWEST:
        chosen |= {row.sequence: row for row in weighty[:1]}
    return tuple(Link(row.turn.number, row.node, told(row.event)) for _, row in sorted(chosen.items()))


def told(event: TraceEvent) -> str:
    """A link's sentence. Of an IKE message its name is enough, and the errors in it."""
    if isinstance(event, ike.IkeMessageSent):
        name = message_name(event.exchange, event.message_id, is_response=event.is_response)
        return f"sent {name}" + (f" with {', '.join(errors(event))}" if errors(event) else "")
    if isinstance(event, ike.Diagnosed):
        return f"found out: {event.diagnosis.sentence} ({event.detail})"
    return explain(event)


def errors(event: TraceEvent) -> list[str]:
    """The errors that a message of IKE tells, by name, if this is the sending of one."""
    payloads = event.payloads if isinstance(event, ike.IkeMessageSent) else ()
    return [name[2:-1] for name in payloads if name in _ERRORS]


_ERRORS = frozenset(f"N({each.name})" for each in NotifyType if each < FIRST_STATUS_TYPE)


def _varied(rows: Iterable[Record], most: int) -> list[Record]:
    """Not the same thing again and again: of each kind so many at most."""
    seen = Counter[type[TraceEvent]]()
    found: list[Record] = []
    for row in rows:
        seen[type(row.event)] += 1
        if seen[type(row.event)] <= most:
            found.append(row)
    return found


def _cause_and_end(evidence: Evidence, trouble: Trouble, traffic: frozenset[str]) -> tuple[Record, Record]:
    """Where it begins and where it shows: two rows of different kinds, or twice the same one."""
    first = trouble.rows[0]
    meant = [row for row in trouble.rows if evidence.lives.behind[row.sequence] & traffic] or [first]
    if _kind(first) != _kind(meant[0]):
        return first, meant[0]
    others = (row for row in trouble.rows if _kind(row) != _kind(first) and row.sequence > first.sequence)
    return (first, next(others, first)) if meant[0] is first else (meant[0], meant[0])


def _kind(row: Record) -> tuple[object, ...]:
    event = row.event
    return (type(event), event.reason if isinstance(event, PacketDropped) else None)


def _before(evidence: Evidence, end: Record) -> list[Record]:
    """What led there: the best row of each turn, and of its own turn what came before."""
    own = [row for row in evidence.recorder.turn(end.turn.number) if row.sequence < end.sequence]
    earlier = [evidence.recorder.turn(number) for number in causes(evidence.recorder, end.turn.number)]
    return [best for rows in (own, *earlier) for best in _best(rows)]


def _best(rows: Iterable[Record]) -> Iterator[Record]:
    """The row that explains most: what traffic sent begins every chain, and else the weightiest one."""
    rows = list(rows)
    sent = [row for row in rows if isinstance(row.event, net.TrafficSent)]
    weighty = [row for row in rows if _weight(row)]
    if sent or weighty:
        yield sent[0] if sent else max(weighty, key=_weight)


def _weight(row: Record) -> int:
    if isinstance(row.event, net.TrafficSent):
        return 2
    if isinstance(row.event, ipsec.PolicyMatched) and row.event.policy == IKE_RULE:
        return 0  # that IKE's own packets pass is no news
    return _WEIGHTS.get(type(row.event), 0)


def _after(evidence: Evidence, end: Record) -> list[Record]:
    """What was answered, and who gave up: in its own turn, in what its cause led to, or by the traffic itself."""
    same = [row for row in evidence.recorder.turn(end.turn.number) if row.sequence > end.sequence]
    found = [row for row in same if _is_answer(row.event)][:1]
    led_to = set(effects(evidence.recorder, end.turn.cause or end.turn.number))
    behind = evidence.lives.behind[end.sequence]
    for row in evidence.recorder.rows[end.sequence + 1 :]:
        if isinstance(row.event, _ENDS) and (
            row.turn.number in led_to or getattr(row.event, "name", "") in behind
        ):
            found.append(row)
    return _varied(found, 1)[:_AFTER]


def _is_answer(event: TraceEvent) -> bool:
    return bool(errors(event)) or isinstance(event, stack.IcmpErrorSent)
