"""The tests that bear the id of a requirement or a fault, as pytest collects them, and how they ended."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKS = ("conf", "fault")
MARKED = " or ".join(MARKS)


class Outcome(Enum):
    """How a test ended. In the order in which one of several decides."""

    FAILED = "failed"
    SKIPPED = "skipped"
    PASSED = "passed"


@dataclass(slots=True)
class Marked:
    """`tests`: by requirement or fault, functions as `tests/...py::name`. `outcomes`: of the functions that ran."""

    tests: dict[str, list[str]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


class CannotCollect(Exception):
    """pytest could not read the tests; the text is what it said."""


def collect() -> Marked:
    """Find every marked test without running any. Raises CannotCollect."""
    plugin = _Collects()
    said = StringIO()
    with redirect_stdout(said):
        code = pytest.main(["--collect-only", "-m", MARKED, str(ROOT / "tests")], [plugin])
    if code != pytest.ExitCode.OK:
        raise CannotCollect(said.getvalue())
    return Marked({name: sorted(tests) for name, tests in sorted(plugin.tests.items())})


def run(marked: Marked, arguments: Sequence[str] = ()) -> bool:
    """Run the marked tests and note how each ended. False when one failed or pytest could not run them."""
    plugin = _Watches(marked.outcomes)
    code = pytest.main(["-m", MARKED, *arguments, str(ROOT / "tests")], [plugin])
    return code == pytest.ExitCode.OK


def outcome(tests: Sequence[str], outcomes: Mapping[str, Outcome]) -> Outcome:
    """What follows for a requirement: failed when one of its tests is, and passed only when all are."""
    ended = {outcomes.get(test, Outcome.SKIPPED) for test in tests}
    return next(each for each in Outcome if each in ended)


class _Collects:
    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in (each for kind in MARKS for each in item.iter_markers(kind)):
                for name in mark.args:
                    self.tests.setdefault(name, set()).add(_function(item.nodeid))


class _Watches:
    def __init__(self, outcomes: dict[str, Outcome]) -> None:
        self._outcomes = outcomes

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # a skipped or failing set-up has no call after it
        if report.when == "call" or report.outcome != "passed":
            name = _function(report.nodeid)
            ended = Outcome(report.outcome)
            order = list(Outcome)
            self._outcomes[name] = min(self._outcomes.get(name, ended), ended, key=order.index)


def _function(nodeid: str) -> str:
    """All cases of one test are one line."""
    return nodeid.partition("[")[0]
