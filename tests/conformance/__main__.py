"""`python -m tests.conformance`: run the tests that bear requirements out, print what follows, write the document.

Exit 1 when one of them fails, or when tests and tables contradict each other. `--write` runs nothing and only
writes; `--check` runs and writes nothing and says whether the document is what the marks make of it. Other
arguments go to pytest.
"""

import sys

from tests.conformance import document, report
from tests.conformance.faults import read_faults, section
from tests.conformance.faults import report as report_faults
from tests.conformance.items import contradictions, read_items, read_waiting
from tests.conformance.marked import CannotCollect, collect, run


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    items, waiting, faults = read_items(), read_waiting(), read_faults()
    try:
        marked = collect()
    except CannotCollect as wrong:
        print(wrong)
        return 1
    wrong_marks = contradictions(items, waiting, marked.tests, faults)
    if wrong_marks:
        print("\n".join(wrong_marks))
        return 1
    text = document.text(items, waiting, marked.tests, section(faults, marked.tests))
    if "--check" in arguments:
        return _check(text)
    document.PATH.write_text(text, encoding="utf-8")
    if "--write" in arguments:
        return 0
    all_passed = run(marked, arguments)
    print(report.table(items, waiting, marked))
    print(f"\n{report_faults(faults, marked)}")
    print(f"\n{report.sums(items, waiting, marked)}; docs/conformance.md is written")
    return 0 if all_passed else 1


def _check(text: str) -> int:
    if document.PATH.read_text(encoding="utf-8") == text:
        return 0
    print("docs/conformance.md is not what the marks on the tests make of it: run `make conformance`")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
