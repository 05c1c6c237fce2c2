"""Causes and effects: which turn led to which. The chains are those of `Turn.cause`."""

from ipsecsim.observe.recorder import Recorder


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
