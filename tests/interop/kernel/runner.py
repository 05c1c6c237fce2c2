"""Runs cases against one guest, which boots once for all of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.interop.kernel import guest as guests
from tests.interop.kernel import xfrm
from tests.interop.kernel.case import Case
from tests.interop.kernel.cases import CASES
from tests.interop.kernel.guest import Guest, Refused
from tests.interop.kernel.lab import Lab
from tests.interop.row import Row

why_not = guests.missing


def run(case: Case, guest: Guest) -> list[Row]:
    """One case: its rows."""
    lab = None
    try:
        lab = Lab(case, guest)
        case.play(lab)
    except Exception as failure:
        detail = f"{type(failure).__name__}: {failure}"
        rows = [] if lab is None else lab.rows
        if not rows or rows[-1].result == "ok":
            rows.append(Row(f"Linux {guest.release}", "", case.key, "start and end", "FAILED", 0.0))
        rows[-1].detail = detail if lab is None else f"{detail}\n{lab.both_sides()}"
        return rows
    return lab.rows


@contextmanager
def booted() -> Iterator[Guest]:
    """A guest that has its addresses and routes."""
    with guests.running() as guest:
        guest.order(xfrm.network())
        yield guest


def run_all(keys: Sequence[str]) -> Iterator[list[Row]]:
    """The rows of each case, in order."""
    if not keys:
        return
    try:
        with booted() as guest:
            for key in keys:
                yield run(CASES[key], guest)
    except Refused as failure:
        yield [Row("Linux", "", "", "boot and end of the guest", "FAILED", 0.0, str(failure))]
