"""Causes and effects: which turn led to which. The chains are those of `Turn.cause`."""

from ipsecsim.ipsec.events import HoldEnded, PacketHeld, PacketSealed
from ipsecsim.net.events import FrameArrived, FrameDoubled, FrameSent, TrafficSent
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire.headers import Security, security

_NONE: frozenset[str] = frozenset()


def causes(recorder: Recorder, turn: int) -> list[int]:
    """The turns that led to `turn`, nearest first, back to one that nothing in the recording led to.

    Raises IndexError for a turn that did not happen.
    """
    chain: list[int] = []
    cause = recorder.turn(turn)[0].turn.cause
    while cause:
        chain.append(cause)
        cause = recorder.turn(cause)[0].turn.cause
    return chain


def effects(recorder: Recorder, turn: int) -> list[int]:
    """The turns that `turn` led to, directly or not, in the order in which they happened.

    Raises IndexError for a turn that did not happen.
    """
    recorder.turn(turn)
    found = {turn}
    # a cause always comes before its effect, so one walk forward sees every chain
    for number in range(turn + 1, recorder.turns + 1):
        if recorder.turn(number)[0].turn.cause in found:
            found.add(number)
    return sorted(found - {turn})


def followers(recorder: Recorder) -> dict[int, list[int]]:
    """For each turn that led to others, those to which it led directly: one walk, for who asks about many."""
    found: dict[int, list[int]] = {}
    for rows in recorder.all_turns():
        found.setdefault(rows[0].turn.cause, []).append(rows[0].turn.number)
    return found


def traffic_behind(recorder: Recorder) -> list[frozenset[str]]:
    """For each row, by its sequence, the traffic it is about: what was sent last on the way that leads there.

    The way is that of the frames; a packet that was held goes on as what it was. What a timer does belongs to all
    that the turn belonged to in which it was armed. Where no traffic leads to a row the set is empty.
    """
    found: list[frozenset[str]] = []
    by_turn: list[frozenset[str]] = [_NONE]  # turn 0 is no turn
    by_frame: dict[int, frozenset[str]] = {}
    held: dict[bytes, frozenset[str]] = {}
    for rows in recorder.all_turns():
        now = by_turn[rows[0].turn.cause]
        of_turn = _NONE
        sealed: dict[
            Security | None, frozenset[str]
        ] = {}  # several in one turn are sent only when all are sealed
        for row in rows:
            event = row.event
            if isinstance(event, TrafficSent):
                now = frozenset((event.name,))
            elif isinstance(event, FrameArrived):
                now = by_frame.pop(event.frame, now)
            elif isinstance(event, FrameSent):
                by_frame[event.frame] = now
            elif isinstance(event, FrameDoubled):
                by_frame[event.frame] = by_frame.get(event.original, now)
            elif isinstance(event, PacketHeld):
                held[event.packet] = now
            elif isinstance(event, HoldEnded):
                now = held.pop(event.packet, now)
            elif isinstance(event, PacketSealed):
                sealed[Security.of(event.protocol, event.spi, event.sequence)] = now
            elif isinstance(event, PacketOriginated) and sealed:
                now = sealed.get(security(event.packet), now)
            found.append(now)
            of_turn |= now
        by_turn.append(of_turn)
    return found
