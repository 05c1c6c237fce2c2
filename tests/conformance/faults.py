"""What may go wrong in the world (tests/data/faults.csv), and which test shows that it is borne within its time."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.document import borne_by, markdown
from tests.conformance.items import DATA
from tests.conformance.marked import Marked, Outcome, outcome


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: how it is made, what is to come of it, and within which time."""

    id: str
    fault: str
    injection: str
    expected: str
    bound: str


def read_faults() -> dict[str, Fault]:
    """Every fault by its id, in the order of the file."""
    with (DATA / "faults.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Fault(row["id"], row["fault"], row["injection"], row["expected"], row["bound T"])
            for row in csv.DictReader(file)
        }


def section(faults: Mapping[str, Fault], marked: Mapping[str, Sequence[str]]) -> str:
    """How many are shown, and a row a fault, gaps included."""
    rows = [
        (
            each.id,
            each.fault,
            each.expected,
            each.bound,
            borne_by(marked[each.id]) if each.id in marked else "gap",
        )
        for each in faults.values()
    ]
    table = markdown(("id", "fault", "what is to come of it", "within", "shown by"), rows)
    return f"{sum(name in marked for name in faults)} of {len(faults)} are shown.\n\n{table}"


def report(faults: Mapping[str, Fault], marked: Marked) -> str:
    """A line a fault with its result, and beneath it a line a test."""
    lines = []
    for each in faults.values():
        tests = marked.tests.get(each.id, [])
        ended = outcome(tests, marked.outcomes).value if tests else "gap"
        lines.append(f"{each.id:7} {ended:8} {each.fault}")
        for test in tests:
            own = marked.outcomes.get(test, Outcome.SKIPPED)
            lines.append(f"{'':8}{test}" + ("" if own is Outcome.PASSED else f"  {own.value}"))
    return "\n".join(lines)
