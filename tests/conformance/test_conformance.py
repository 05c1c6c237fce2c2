"""No test claims what is not required, and the document says what the tests claim."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.conformance import document, faults, report
from tests.conformance.faults import read_faults
from tests.conformance.items import contradictions, read_items, read_waiting
from tests.conformance.marked import ROOT, Marked, Outcome, outcome

ITEMS = read_items()
WAITING = read_waiting()
FAULTS = read_faults()
TEST = "tests/unit/ipsec/test_replay.py::test_a_duplicate_is_seen"


def _without_pytest() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


@pytest.mark.slow
def test_marks_tables_and_document_agree() -> None:
    """In a process of its own: pytest does not collect inside itself."""
    command = [sys.executable, "-m", "tests.conformance", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=_without_pytest(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_marked_tests_are_run_and_watched() -> None:
    """What `make conformance` does with all of them, done with one function."""
    code = (
        "from tests.conformance.marked import Marked, run; marked = Marked();"
        " print(run(marked, ['-k', 'test_zero_is_never_accepted']), marked.outcomes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=_without_pytest(), capture_output=True, text=True
    )
    named = "tests/unit/ipsec/test_replay.py::test_zero_is_never_accepted"
    assert done.stdout.splitlines()[-1] == f"True {{'{named}': {Outcome.PASSED!r}}}"


def test_every_requirement_is_there() -> None:
    assert len(ITEMS) == 379
    assert contradictions(ITEMS, WAITING, {"ESP-04": [TEST]}) == []


def test_every_fault_is_there_and_is_shown_by_a_test_or_a_gap() -> None:
    assert len(FAULTS) == 42
    assert contradictions(ITEMS, WAITING, {"FLT-08": [TEST]}, FAULTS) == []
    section = faults.section(FAULTS, {"FLT-08": [TEST]})
    assert section.startswith("1 of 42 are shown.\n\n| id |")
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in section.splitlines()[2:]}
    assert lines["FLT-08"].endswith("`unit/ipsec/test_replay.py` a duplicate is seen |")
    assert lines["FLT-09"].endswith("| gap |")


def test_the_report_of_faults_says_what_became_of_their_tests() -> None:
    told = faults.report(FAULTS, Marked({"FLT-08": ["a", "b"]}, {"a": Outcome.PASSED, "b": Outcome.FAILED}))
    assert "FLT-08  failed   NAT reboot (new ports)\n        a\n        b  failed\n" in told
    assert "FLT-09  gap " in told


def test_an_id_that_does_not_exist_is_an_error() -> None:
    (sentence,) = contradictions(ITEMS, WAITING, {"ESP-99": [TEST]})
    assert sentence == f"{TEST} claims ESP-99, which is neither a requirement nor a fault"


def test_what_was_written_down_from_memory_cannot_be_claimed() -> None:
    (sentence,) = contradictions(ITEMS, WAITING, {"SIG-06": [TEST]})
    assert "look RFC 4754 up first" in sentence


def test_what_waits_is_a_requirement_and_has_no_test() -> None:
    assert contradictions(ITEMS, {"ESP-99": "nothing"}, {}) == [
        "ESP-99 is said to wait, and is no requirement"
    ]
    (sentence,) = contradictions(ITEMS, {"ARC-18": "certificates"}, {"ARC-18": [TEST]})
    assert sentence == f"ARC-18 is said to wait, and {TEST} bears it out"


def test_a_requirement_passes_only_when_all_its_tests_do() -> None:
    ended = {"a": Outcome.PASSED, "b": Outcome.FAILED, "c": Outcome.SKIPPED}
    assert outcome(["a"], ended) is Outcome.PASSED
    assert outcome(["a", "c", "b"], ended) is Outcome.FAILED
    assert outcome(["a", "c"], ended) is Outcome.SKIPPED
    assert outcome(["a", "never ran"], ended) is Outcome.SKIPPED


def test_the_report_says_passed_failed_waiting_and_gap() -> None:
    marked = Marked({"ESP-04": ["a"], "ESP-19": ["b"]}, {"a": Outcome.PASSED, "b": Outcome.FAILED})
    waiting = {"ARC-18": "certificates", "ESN-07": "IKE with extended sequence numbers"}
    told = report.table(ITEMS, waiting, marked)
    for name, ended in (("ESP-04", "passed"), ("ESP-19", "failed"), ("ESP-05", "gap")):
        (line,) = (line for line in told.splitlines() if line.startswith(name))
        assert f" {ended} " in line
    assert "waiting: certificates" in told
    begun = sum(item.is_begun for item in ITEMS.values())
    expected = f"{begun} requirements: 1 passed, 1 failed, 0 skipped, 2 waiting, "
    assert expected in report.sums(ITEMS, waiting, marked)


def test_a_mark_more_changes_the_document() -> None:
    without, with_it = (
        document.text(ITEMS, WAITING, {}, ""),
        document.text(ITEMS, WAITING, {"ESP-19": [TEST]}, ""),
    )
    assert "`unit/ipsec/test_replay.py` a duplicate is seen" not in without
    assert "`unit/ipsec/test_replay.py` a duplicate is seen" in with_it
    assert "| ESP | Encapsulating Security Payload | 1 of 22 | 0 of 8 | 0 of 3 | 0 | 32 |" in with_it


def test_a_bar_in_a_text_does_not_end_its_cell() -> None:
    other = {"ESP-19": replace(ITEMS["ESP-19"], text="this | that")}
    assert "this \\| that" in document.text(other, {}, {}, "")
