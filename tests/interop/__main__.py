"""`python -m tests.interop [WORD]`: our engines against live peers, a row a step; exit 1 when anything fails.

With WORD only the cases in whose name it stands. A peer that this machine does not have is left out, and a line
says how to get it; with CI in the environment that is a failure.
"""

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from tests.interop import cases, runner
from tests.interop.kernel import cases as kernel_cases
from tests.interop.kernel import ike_cases
from tests.interop.kernel import runner as kernel_runner
from tests.interop.row import Row


class Peer(NamedTuple):
    """A kind of peer: what keeps it from running here, the names of its cases, and how to run some of them."""

    why_not: Callable[[], str | None]
    keys: Collection[str]
    run: Callable[[Sequence[str]], Iterator[list[Row]]]


PEERS = (
    Peer(runner.why_not, cases.CASES, runner.run_all),
    Peer(kernel_runner.why_not, kernel_cases.CASES, kernel_runner.run_all),
    Peer(kernel_runner.why_not_by_ike, ike_cases.CASES, kernel_runner.run_all),
)
HEADINGS = ("peer", "role", "case", "step", "result", "seconds")
WIDTHS = (17, 9, 64, 47, 6, 7)


def main() -> int:
    """Print the table, then every failure with what both sides have to say."""
    began = time.monotonic()
    played, skipped = 0, 0
    rows: list[Row] = []
    print(line(HEADINGS))
    for peer in PEERS:
        keys = [key for key in peer.keys if all(word in key for word in sys.argv[1:])]
        reason = peer.why_not() if keys else None
        if reason is not None:
            print(f"SKIPPED {reason}")
            skipped += 1
            continue
        played += len(keys)
        for found in peer.run(keys):
            for row in found:
                print(
                    line((row.peer, row.role, row.case, row.step, row.result, f"{row.seconds:7.3f}")),
                    flush=True,
                )
            rows += found
    failed = [row for row in rows if row.result != "ok"]
    for row in failed:
        print(f"\nFAILED {row.role}, {row.case}, {row.step}\n{row.detail}")
    seconds = time.monotonic() - began
    print(f"\n{played} cases in {seconds:.0f} s, step by step:")
    print(f"{len(rows) - len(failed)} passed, {len(failed)} failed")
    if skipped and "CI" in os.environ:
        return 1
    return 1 if failed or not (rows or skipped) else 0


def line(cells: tuple[str, ...]) -> str:
    """A row of the table."""
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
