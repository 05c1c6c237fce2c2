"""python -m tests.hostile: a long run of hostile datagrams, as a table. Exit code 1 when one of them did harm."""

import argparse
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from os import cpu_count
from time import perf_counter

from tests.hostile.batches import SIZE, Result, replay, run_batch, target_of
from tests.hostile.report import Report
from tests.hostile.targets import TARGETS

_PROGRESS_SECONDS = 5.0
_MOST_FAILURES = 20


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says."""
    asked = _parser().parse_args(arguments)
    if asked.index is not None:
        return _again(asked.seed, asked.index, asked.target)
    report = Report()
    shown = began = perf_counter()
    for result in _results(asked):
        report.add(result)
        now = perf_counter()
        if now - shown > _PROGRESS_SECONDS:
            shown = now
            print(report.progress(asked.count, now - began), file=sys.stderr, flush=True)
        if len(report.failures) >= _MOST_FAILURES:
            print("too many failures; the rest is not run", file=sys.stderr)
            break
        if asked.seconds and now - began > asked.seconds:
            break
    print(report.table(asked.seed, perf_counter() - began))
    return 1 if report.problems() else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help="how many datagrams (default 50000)")
    parser.add_argument("--seed", default="1", help="any text; the same text makes the same datagrams")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so many seconds")
    parser.add_argument("--jobs", type=int, default=min(2, cpu_count() or 1), help="processes (default 2)")
    parser.add_argument("--target", default="", choices=[each.name for each in TARGETS], help="only this one")
    parser.add_argument("--index", type=int, help="only this datagram of the seed, with all that is known")
    return parser


def _results(asked: argparse.Namespace) -> Iterator[Result]:
    """The results of all batches, as they come."""
    left = [(batch, min(SIZE, asked.count - batch * SIZE)) for batch in range(-(-asked.count // SIZE))]
    if asked.jobs <= 1:
        for batch, count in left:
            yield run_batch(asked.seed, batch, count, asked.target)
        return
    left.reverse()
    with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
        try:
            running = set()
            while left or running:
                while left and len(running) < 4 * asked.jobs:
                    running.add(pool.submit(run_batch, asked.seed, *left.pop(), asked.target))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _again(seed: str, index: int, only: str) -> int:
    """One datagram, with the whole traceback if there is one."""
    print(f"{target_of(seed, index // SIZE, only).name}, datagram {index} of seed {seed}")
    try:
        again = replay(seed, index, only)
        print(f"{again.target.explain()}\n{again.data.hex()}\n{again.became}, {again.ms:.2f} ms")
        again.target.finish()
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
