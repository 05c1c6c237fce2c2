"""How things are timed here: CPU time, floors and work interleaved round by round, medians of the ratios.

Machines change their speed while one looks; a ratio of two figures from the same round survives that.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

ROUNDS = 7
TARGET_SECONDS = 0.15  # per timing: long enough for the clock, short enough for many rounds

Work = Callable[[int], object]
"""Does a thing so many times."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for one unit of work in each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.rounds)


def interleaved(works: Sequence[Work], rounds: int = ROUNDS) -> list[Timing]:
    """Time all works round by round; each is done often enough to take TARGET_SECONDS."""
    gc.collect()
    gc.freeze()  # what is imported is not looked through again in the middle of a timing
    counts = [_count_for(work) for work in works]
    timed: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for index, work in enumerate(works):
            timed[index].append(seconds(work, counts[index]) / counts[index])
    return [Timing(tuple(each)) for each in timed]


def seconds(work: Work, count: int) -> float:
    """CPU time of so many."""
    started = process_time()
    work(count)
    return process_time() - started


def ratio(work: Timing, floor: Timing) -> float:
    """The median over rounds of work to floor."""
    return median(a / b for a, b in zip(work.rounds, floor.rounds, strict=True))


def _count_for(work: Work) -> int:
    """How often fills TARGET_SECONDS. The better of two tries says so: one may fall into a garbage collection."""
    count = 1
    while True:
        passed = min(seconds(work, count), seconds(work, count))
        if passed > TARGET_SECONDS / 10:
            return max(1, round(count * TARGET_SECONDS / passed))
        count *= 4
