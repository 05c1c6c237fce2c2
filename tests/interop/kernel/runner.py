"""Runs cases against guests that boot once for all of them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import Queue
from traceback import format_exception

from ipsecsim.emulation import strongswan
from tests.interop.kernel import cases, ike_cases, xfrm
from tests.interop.kernel import guest as machine
from tests.interop.kernel.case import Case
from tests.interop.kernel.guest import Guest
from tests.interop.kernel.lab import Lab
from tests.interop.kernel.serial_line import Refused
from tests.interop.row import Row

CASES: dict[str, Case] = {**cases.CASES, **ike_cases.CASES}
GUESTS = 2  # a busy guest keeps one core busy


def why_not() -> str | None:
    """What keeps the cases with keys by hand from running here, and how to get it; None when nothing does."""
    return machine.missing()


def why_not_by_ike() -> str | None:
    """The same of those with a charon in the guest."""
    return machine.missing() or strongswan.missing()


def run(case: Case, guest: Guest) -> list[Row]:
    """One case: its rows."""
    rows: list[Row] = []
    try:
        lab = Lab(case, guest, rows)
        try:
            case.play(lab)
        except Exception as failure:
            failure.add_note(lab.both_sides())
            raise
    except Exception as failure:
        if not rows or rows[-1].result == "ok":
            rows.append(Row(f"Linux {guest.release}", "", case.key, "start and end", "FAILED", 0.0))
        rows[-1].detail = "".join(format_exception(failure))
    return rows


@contextmanager
def booted() -> Iterator[Guest]:
    """A guest that has its addresses and routes."""
    with machine.running() as guest:
        guest.line.order(xfrm.network())
        yield guest


def run_all(keys: Sequence[str]) -> Iterator[list[Row]]:
    """The rows of each case, in order."""
    if not keys:
        return
    idle: Queue[Guest] = Queue()

    def run_on_idle(key: str) -> list[Row]:
        guest = idle.get()
        try:
            return run(CASES[key], guest)
        finally:
            idle.put(guest)

    try:
        with ThreadPoolExecutor(GUESTS) as pool, ExitStack() as guests:
            for guest in pool.map(lambda _: guests.enter_context(booted()), range(GUESTS)):
                idle.put(guest)
            yield from pool.map(run_on_idle, keys)
    except Refused as failure:
        yield [Row("Linux", "", "", "boot and end of the guests", "FAILED", 0.0, str(failure))]
