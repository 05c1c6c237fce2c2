"""A run is cut into batches. A batch knows nothing of the others, so any input can be made again by itself.

Batch n of a seed is always the same target with the same inputs, whoever runs it and in whatever order.
"""

import gc
import resource
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import perf_counter, thread_time
from traceback import extract_tb

from tests.hostile.target import Broken, Target
from tests.hostile.targets import TARGETS

SIZE = 250
HANG_SECONDS = 60
_SHOWN = 4000  # characters of hex; the index says the rest


@dataclass
class Failure:
    """One input that did harm, and how to see it again. `only` is the one target that the run was for, if so."""

    target: str
    seed: str
    only: str
    index: int
    what: str
    where: str
    data: bytes

    def __str__(self) -> str:
        shown = self.data.hex()
        if len(shown) > _SHOWN:
            shown = f"{shown[:_SHOWN]}... ({len(self.data)} bytes)"
        only = f" --target '{self.only}'" if self.only else ""
        again = f"python -m tests.hostile --seed {self.seed}{only} --index {self.index}"
        return f"{self.target}: {self.what}\n  {self.where[:_SHOWN]}\n  {again}\n  {shown}"


@dataclass
class Result:
    """What became of some batches of one target. Sizes in KiB; `slowest_ms` is processor time."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0
    slowest_index: int = -1
    growth: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Count another result of the same target in."""
        self.inputs += other.inputs
        self.seconds += other.seconds
        self.outcomes += other.outcomes
        if other.slowest_ms > self.slowest_ms:
            self.slowest_ms, self.slowest_index = other.slowest_ms, other.slowest_index
        self.growth = max(self.growth, other.growth)
        self.failures += other.failures


gc.freeze()  # what was imported need not be looked through again and again: pauses look like slow inputs


class Hang(Exception):
    """A batch does not come to its end."""


@contextmanager
def _no_hang() -> Iterator[None]:
    """An input that never ends is a failure like any other, not the end of the run."""

    def stop(_signal: int, _frame: object) -> None:
        raise Hang(f"still at it after {HANG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def chance_for(seed: str, batch: int) -> Random:
    """All chance of a batch."""
    return Random(f"{seed}/{batch}")  # noqa: S311 - to be repeated, not to be secret


def target_of(seed: str, batch: int, only: str = "") -> type[Target]:
    """Which target a batch is for."""
    choices = [each for each in TARGETS if only in ("", each.name)]
    chance = Random(f"{seed}/{batch}/target")  # noqa: S311 - to be repeated, not to be secret
    return chance.choices(choices, [each.share for each in choices])[0]


def run_batch(seed: str, batch: int, count: int = SIZE, only: str = "") -> Result:
    """Feed the first `count` inputs of a batch; a failure ends it."""
    kind = target_of(seed, batch, only)
    result = Result(kind.name)
    data, index = b"", batch * SIZE
    target: Target | None = None
    before = peak_memory()
    began = perf_counter()
    try:
        with _no_hang():
            target = kind(chance_for(seed, batch))
            for index in range(batch * SIZE, batch * SIZE + count):
                data = target.next_input()
                start = thread_time()
                became = target.feed(data)
                took = (thread_time() - start) * 1000
                result.outcomes[became] += 1
                result.inputs += 1
                if took > result.slowest_ms:
                    result.slowest_ms, result.slowest_index = took, index
            data = b""
            target.finish()
    except Exception as wrong:
        where = target.explain() if target is not None else "while it was set up"
        result.failures.append(Failure(kind.name, seed, only, index, _describe(wrong), where, data))
    result.seconds = perf_counter() - began
    result.growth = peak_memory() - before
    if result.slowest_ms > kind.most_ms and not result.failures:
        _judge_slow(kind, seed, batch, only, result)
    return result


def _judge_slow(kind: type[Target], seed: str, batch: int, only: str, result: Result) -> None:
    """Slow once may be the machine's fault: an input is slow when it is slow again."""
    again = replay(seed, result.slowest_index, only)
    result.slowest_ms = min(result.slowest_ms, again.ms)
    if again.ms > kind.most_ms:
        what = f"took {again.ms:.0f} ms, {kind.most_ms:.0f} are allowed"
        where = again.target.explain()
        result.failures.append(Failure(kind.name, seed, only, result.slowest_index, what, where, again.data))


@dataclass
class Replay:
    """One input again, in the state it met."""

    target: Target
    data: bytes
    became: str
    ms: float


def replay(seed: str, index: int, only: str = "") -> Replay:
    """Feed all of a batch up to one input. Raises what that input makes the target raise."""
    batch = index // SIZE
    target = target_of(seed, batch, only)(chance_for(seed, batch))
    for _ in range(batch * SIZE, index):
        target.feed(target.next_input())
    data = target.next_input()
    start = thread_time()
    became = target.feed(data)
    return Replay(target, data, became, (thread_time() - start) * 1000)


def _describe(wrong: Exception) -> str:
    if isinstance(wrong, Broken):
        return str(wrong)
    place = extract_tb(wrong.__traceback__)[-1]
    file = place.filename.rpartition("ipsecsim/")[2]
    return f"{type(wrong).__name__}: {str(wrong)[:300]} ({file}:{place.lineno})"


def peak_memory() -> int:
    """The most memory this process ever had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
