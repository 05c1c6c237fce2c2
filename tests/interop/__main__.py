"""`python -m tests.interop [WORD]`: our engines against live peers, a row a step; exit 1 when anything fails.

With WORD only the cases in whose name it stands. Without a peer on this machine nothing runs, and it says
how to get one; with CI in the environment that is a failure.
"""

import os
import sys
import time

from tests.interop import runner
from tests.interop.cases import CASES
from tests.interop.lab import Row

HEADINGS = ("peer", "role", "case", "step", "result", "seconds")
WIDTHS = (17, 9, 53, 47, 6, 7)


def main() -> int:
    """Print the table, then every failure with what both sides have to say."""
    reason = runner.why_not()
    if reason is not None:
        print(f"SKIPPED {reason}")
        return 1 if "CI" in os.environ else 0
    keys = [key for key in CASES if all(word in key for word in sys.argv[1:])]
    began = time.monotonic()
    rows: list[Row] = []
    print(line(HEADINGS))
    for found in runner.run_all(keys):
        for row in found:
            print(
                line((row.peer, row.role, row.case, row.step, row.result, f"{row.seconds:7.3f}")), flush=True
            )
        rows += found
    failed = [row for row in rows if row.result != "ok"]
    for row in failed:
        print(f"\nFAILED {row.role}, {row.case}, {row.step}\n{row.detail}")
    seconds = time.monotonic() - began
    print(f"\n{len(keys)} cases in {seconds:.0f} s, step by step:")
    print(f"{len(rows) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not rows else 0


def line(cells: tuple[str, ...]) -> str:
    """A row of the table."""
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
