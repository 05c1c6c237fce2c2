"""`make notebooks`: run every notebook from a fresh kernel and solve its exercises; a line each."""

import sys
from importlib import import_module

from tests.notebooks.running import NOTEBOOKS, execute


def main():
    """Print a line a notebook; the exit code says whether all went well."""
    well = True
    for path in NOTEBOOKS:
        answers = import_module(f"tests.notebooks.solutions.lesson_{path.name[:2]}").ANSWERS
        plain, solved = execute(path), execute(path, answers)
        right = solved.outputs.count("✓ right   ")
        fine = not plain.failed and not solved.failed and right >= len(answers)
        well = well and fine
        what = "ok    " if fine else "FAILED"
        print(
            f"{what} {path.name:<28} {plain.cells} cells in {plain.seconds:4.1f} s, "
            f"{right} of {len(answers)} exercises solved"
        )
        for ran in (plain, solved):
            if ran.failed:
                print(f"       failed at: {ran.failed.splitlines()[0]}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
