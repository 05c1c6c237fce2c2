"""Which packet carries which, and which is a piece of which, where copies stand for what they are copies of."""

from collections.abc import Callable, Sequence

from ipsecsim.observe.lives.life import Life


def original(every: Sequence[Life], life: Life) -> Life:
    """What a copy is a copy of, in the end; a packet itself where it is none."""
    while life.copy_of is not None:
        life = every[life.copy_of - 1]
    return life


def carried(every: Sequence[Life], outer: Life) -> Life | None:
    """What was put into a packet, or into the one it is a copy of; None where nobody saw it."""
    carries = original(every, outer).carries
    return every[carries[0] - 1] if carries else None


def is_away(every: Sequence[Life], inner: Life, outer: Life) -> bool:
    """Is the packet still in there, so that it can come out itself?"""
    last = inner.steps[-1]
    return last.what == "sealed" and last.other == original(every, outer).number


def whole(every: Sequence[Life], pieces: Sequence[Life]) -> Life | None:
    """The nearest packet of which all of these are pieces."""
    larger = [_larger(every, piece) for piece in pieces]
    number = next((each for each in larger[0] if all(each in others for others in larger)), None)
    return None if number is None else every[number - 1]


def is_piece(every: Sequence[Life], piece: Life, larger: Life) -> bool:
    """Is it known already that one is a piece of the other, or of a piece of it?"""
    return larger.number in piece.piece_of or any(
        is_piece(every, every[number - 1], larger) for number in piece.piece_of
    )


def causes(every: Sequence[Life], life: Life) -> list[int]:
    """The packets that this one came of: which it carries, is a piece or a copy of, answers; and theirs in turn."""
    return _reach(every, life, lambda each: [*each.carries, *each.piece_of, each.copy_of, each.answers])


def effects(every: Sequence[Life], life: Life) -> list[int]:
    """The packets that came of this one: its carriers, pieces, copies, answers; and theirs in turn."""
    return _reach(every, life, lambda each: [*each.carried_by, *each.pieces, *each.copies, *each.answered_by])


def _reach(every: Sequence[Life], life: Life, near: Callable[[Life], list[int | None]]) -> list[int]:
    found = {life.number}
    waiting = [life]
    while waiting:
        for number in near(waiting.pop()):
            if number is not None and number not in found:
                found.add(number)
                waiting.append(every[number - 1])
    return sorted(found - {life.number})


def _larger(every: Sequence[Life], piece: Life) -> list[int]:
    """The packets that a piece is of, nearest first: pieces may be cut once more."""
    found: list[int] = []
    life = original(every, piece)
    while life.piece_of:
        life = original(every, every[life.piece_of[0] - 1])
        found.append(life.number)
    return found
