"""What must hold in every recording: nothing vanishes, nothing leaks, nothing false or old is taken in, no table
grows without bound, causes come first, the wire keeps its rules.

`check` is run after every simulated run in the tests. Each kind of violation is looked for in its own file.
"""

from collections.abc import Iterator

from ipsecsim.net.events import FrameArrived, FrameDoubled, FrameSent, TurnBegan
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.authentic import check_authentic
from ipsecsim.observe.invariants.bounds import check_bounds
from ipsecsim.observe.invariants.conservation import check_conservation
from ipsecsim.observe.invariants.crossings import check_crossings
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.invariants.wire_rules import check_wire
from ipsecsim.observe.recorder import Recorder

__all__ = ["Violation", "check"]


def check(recorder: Recorder, simulator: Simulator, *, may_leak: bool = False) -> list[Violation]:
    """Every violation, in the order of turns. The simulator must stand where the recording ends.

    `may_leak` is for a lesson that leaks on purpose.
    """
    found = [
        *check_order(recorder),
        *check_conservation(recorder, simulator),
        *([] if may_leak else check_leaks(recorder, simulator)),
        *check_authentic(recorder),
        *check_bounds(recorder, simulator),
        *check_crossings(recorder, simulator),
        *check_wire(recorder, simulator),
    ]
    return sorted(found, key=lambda violation: violation.turn)


def check_order(recorder: Recorder) -> Iterator[Violation]:
    """Rows and turns count without gaps, time never goes back, and a cause comes before its effect."""
    number, now = 0, 0
    sent_in: dict[int, int] = {}
    for position, row in enumerate(recorder.rows):
        turn = row.turn
        if row.sequence != position:
            yield Violation(turn.number, turn.node, f"row {position} calls itself {row.sequence}")
        begins = isinstance(row.event, TurnBegan)
        if turn.number != number + begins:
            yield Violation(turn.number, turn.node, f"follows turn {number}, and TurnBegan is out of place")
        if turn.at < now:
            yield Violation(turn.number, turn.node, f"time went back from {now} ns to {turn.at} ns")
        if begins and not 0 <= turn.cause < turn.number:
            yield Violation(turn.number, turn.node, f"its cause, turn {turn.cause}, is no earlier turn")
        number, now = turn.number, turn.at
        if isinstance(row.event, FrameSent | FrameDoubled):
            sent_in[row.event.frame] = turn.number
        elif isinstance(row.event, FrameArrived) and sent_in.get(row.event.frame) != turn.cause:
            frame, sender = row.event.frame, sent_in.get(row.event.frame)
            sentence = f"frame {frame} was sent in turn {sender}, but the cause is turn {turn.cause}"
            yield Violation(turn.number, turn.node, sentence)
