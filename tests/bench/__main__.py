"""`python -m tests.bench`: measure every goal, print a table, write bench.json."""

import argparse
import json
import platform
from pathlib import Path

from tests.bench.goals import GOALS, rows_of
from tests.bench.row import Row

REPORT = Path("bench.json")


def main() -> None:
    """Print a row as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=REPORT, help="where to write the figures (default: %(default)s)"
    )
    parser.add_argument(
        "--goal", type=int, action="append", choices=sorted(GOALS), help="only this one; may be given again"
    )
    arguments = parser.parse_args()
    interpreter = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{interpreter}; ratios of CPU time to a floor measured in the same run, median of the rounds\n")
    print(f"{'goal':4}  {'what':58}  {'us':>9}  {'ratio':>7}  {'goal':>8}  unit")
    rows = []
    for row in rows_of(arguments.goal or sorted(GOALS)):
        rows.append(row)
        print(_line(row), flush=True)
    missed = [row for row in rows if row.is_missed]
    arguments.out.write_text(json.dumps(_report(rows, interpreter), indent=2) + "\n", encoding="utf-8")
    print(f"\n{len(missed)} of {len(rows)} missed their goal; figures in {arguments.out}")


def _line(row: Row) -> str:
    limit = "" if row.limit is None else f"{'>=' if row.more_is_better else ''}{row.limit:.2f}"
    mark = " missed" if row.is_missed else ""
    return f"{row.goal:>4}  {row.what:58}  {row.microseconds:9.2f}  {row.ratio:7.2f}  {limit:>8}  {row.unit}{mark}"


def _report(rows: list[Row], interpreter: str) -> dict[str, object]:
    return {
        "interpreter": interpreter,
        "rows": [
            {"goal": row.goal, "what": row.what, "ratio": row.ratio, "limit": row.limit, "unit": row.unit}
            for row in rows
        ],
    }


if __name__ == "__main__":
    main()
