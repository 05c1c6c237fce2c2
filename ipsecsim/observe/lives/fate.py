"""The fate of every frame: whether it came off its link, and what the node there did with the packet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.observe.lives.life import Hop, Life, Step
from ipsecsim.observe.lives.lives import Lives


@dataclass(slots=True)
class Fate:
    """`turn` and `node` are those of the arrival, 0 and '' when there was none; `drop` says why it ended.

    `words` end the sentence "the packet was ...".
    """

    turn: int = 0
    node: str = ""
    drop: DropReason | None = None
    words: str = "still on its way when the recording ended"


def fates(lives: Lives) -> dict[int, Fate]:
    """Every frame's fate, by its number."""
    return {frame: fate(lives, *lives.crossing(frame)) for frame in lives.by_frame}


def fate(lives: Lives, life: Life, hop: Hop) -> Fate:
    """That of one crossing of a packet."""
    if hop.arrived is None:
        return Fate() if hop.reason is None else Fate(drop=hop.reason, words=f"lost: {because(hop.reason)}")
    said: list[str] = []
    for step in _at(lives, life, hop.arrived):
        words = _WORDS.get(step.what)
        if words is not None:
            told = words(lives.recorder.rows[step.row].event)
            if told not in said[-1:]:  # a packet that is cut first is sealed piece by piece
                said.append(told)
    return Fate(hop.arrived, hop.to, hop.reason, " and ".join(said) or "taken")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a packet in the end, whoever carried it: `word` is an end or where it is now.

    `by` is the packet whose end it shares, itself perhaps.
    """

    word: str
    reason: DropReason | None
    by: int


def outcome(lives: Lives, life: Life) -> Outcome:
    """A packet that never came out again ended with what it was put into, one that was cut with a lost piece."""
    if life.ends == "sealed" and life.steps[-1].other is not None:
        return outcome(lives, lives[life.steps[-1].other])
    if life.ends == "cut":
        pieces = [outcome(lives, lives[number]) for number in life.pieces]
        return next((each for each in pieces if each.word in ("dropped", "lost")), pieces[-1])
    word = "delivered" if life.ends in ("opened", "joined") else life.ends
    return Outcome(word, life.reason, life.number)


def because(reason: DropReason) -> str:
    """'this sequence number was already received (REPLAY_SEEN)'."""
    return f"{reason.sentence} ({reason.name})"


def _at(lives: Lives, life: Life, turn: int) -> Iterator[Step]:
    """What happened to a packet in a turn, and to what came out of it or went around it."""
    for step in life.steps:
        if step.turn != turn:
            continue
        yield step
        if step.what in _GOES_ON and step.other is not None:
            yield from _at(lives, lives[step.other], turn)
            return
        if step.what == "cut":
            for number in life.pieces:
                yield from _at(lives, lives[number], turn)
            return


def _dropped(event: PacketDropped) -> str:
    return f"dropped: {because(event.reason)}"


_GOES_ON = ("opened", "joined", "sealed")
_WORDS: dict[str, Callable[[Any], str]] = {
    "reassembled": lambda _: "put together from its fragments",
    "opened": lambda opened: f"taken out of {opened.protocol}",
    "forwarded": lambda _: "forwarded",
    "sealed": lambda sealed: f"{'signed' if sealed.protocol == 'AH' else 'sealed'} in {sealed.protocol}",
    "held": lambda _: "held until there is an SA",
    "stored": lambda _: "kept until its other fragments come",
    "delivered": lambda delivered: f"delivered to {delivered.to}",
    "dropped": _dropped,
    "refused": lambda dropped: f"refused there: {because(dropped.reason)}",
}
"""By the word of a step: what it adds to the sentence, from the event that tells of it."""
