"""The table that `make conformance` prints: every requirement of the areas begun, its tests and their results."""

from collections import Counter
from collections.abc import Mapping
from textwrap import shorten

from tests.conformance.items import Item
from tests.conformance.marked import Marked, Outcome, outcome

TEXT_WIDTH = 90


def result(item: Item, waiting: Mapping[str, str], marked: Marked) -> str:
    """'passed', 'failed', 'skipped', 'waiting: certificates', 'gap'."""
    tests = marked.tests.get(item.id)
    if tests:
        return outcome(tests, marked.outcomes).value
    return f"waiting: {waiting[item.id].partition(':')[0]}" if item.id in waiting else "gap"


def table(items: Mapping[str, Item], waiting: Mapping[str, str], marked: Marked) -> str:
    """A line a requirement, and beneath it a line a test."""
    lines = [_line("id", "weight", "result", "where", "requirement")]
    for item in items.values():
        if item.is_begun or item.id in marked.tests:
            ended = result(item, waiting, marked)
            words = shorten(item.text, TEXT_WIDTH, placeholder=" ...")
            lines.append(_line(item.id, f"{item.priority} {item.level}", ended, item.place, words))
            for test in marked.tests.get(item.id, ()):
                own = marked.outcomes.get(test, Outcome.SKIPPED)
                lines.append(f"{'':8}{test}" + ("" if own is Outcome.PASSED else f"  {own.value}"))
    return "\n".join(lines)


def sums(items: Mapping[str, Item], waiting: Mapping[str, str], marked: Marked) -> str:
    """How many requirements ended how, in the areas that are begun."""
    counts = Counter(
        result(item, waiting, marked).partition(":")[0] for item in items.values() if item.is_begun
    )
    words = ("passed", "failed", "skipped", "waiting", "gap")
    return f"{counts.total()} requirements: " + ", ".join(f"{counts[word]} {word}" for word in words)


def _line(name: str, weight: str, ended: str, where: str, words: str) -> str:
    return f"{name:7} {weight:14} {ended:22} {where:26} {words}"
