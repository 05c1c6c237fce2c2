"""What a run found, as a table for people."""

from collections import Counter

from tests.hostile.batches import Failure, Result
from tests.hostile.targets import TARGETS

MOST_GROWTH = 64 * 1024  # KiB by which the peak memory of a process may grow in one batch
_OUTCOMES = 6  # the most frequent ones are named, the others counted


class Report:
    """Results of all targets, added up."""

    def __init__(self) -> None:
        self._results = {each.name: Result(each.name) for each in TARGETS}

    def add(self, result: Result) -> None:
        """Count a batch in."""
        self._results.setdefault(result.target, Result(result.target)).add(result)

    @property
    def failures(self) -> list[Failure]:
        """Everything that did harm, in the order of the run."""
        found = [each for result in self._results.values() for each in result.failures]
        return sorted(found, key=lambda failure: failure.index)

    @property
    def inputs(self) -> int:
        """How many datagrams were fed."""
        return sum(result.inputs for result in self._results.values())

    def problems(self) -> list[str]:
        """All that makes the run a failure."""
        grown = [
            f"{result.target}: peak memory grew by {result.growth} KiB in one batch"
            for result in self._results.values()
            if result.growth > MOST_GROWTH
        ]
        return [str(each) for each in self.failures] + grown

    def progress(self, count: int, seconds: float) -> str:
        """One line while it runs."""
        failed = f", {len(self.failures)} failures" if self.failures else ""
        return f"{self.inputs:,} of {count:,}, {self.inputs / seconds:,.0f}/s{failed}"

    def table(self, seed: str, seconds: float) -> str:
        """The whole story."""
        lines = [f"{'target':<16}{'datagrams':>10}{'us each':>9}{'slowest':>10}{'memory':>10}  outcomes"]
        lines += [_row(result) for result in self._results.values() if result.inputs or result.failures]
        busy = sum(result.seconds for result in self._results.values()) or 1
        rate = f"{self.inputs / seconds:,.0f} a second, {self.inputs / busy:,.0f} a second and process"
        lines.append(f"{self.inputs:,} datagrams of seed {seed} in {seconds:.0f} s: {rate}")
        wrong = self.problems()
        lines.append(
            f"{len(wrong)} failures" if wrong else "nothing but the engines' own drop reasons came out"
        )
        return "\n".join([*lines, *wrong])


def _row(result: Result) -> str:
    each = result.seconds / max(1, result.inputs) * 1e6
    slowest, memory = f"{result.slowest_ms:.1f} ms", f"+{result.growth} KiB"
    numbers = f"{result.inputs:>10,}{each:>9.0f}{slowest:>10}{memory:>10}"
    return f"{result.target:<16}{numbers}  {_outcomes(result.outcomes)}"


def _outcomes(outcomes: Counter[str]) -> str:
    named = [f"{name} {count:,}" for name, count in outcomes.most_common(_OUTCOMES)]
    others = outcomes.most_common()[_OUTCOMES:]
    if others:
        named.append(f"and {len(others)} more: {sum(count for _, count in others):,}")
    return ", ".join(named)
