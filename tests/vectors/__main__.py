"""`python -m tests.vectors`: check all published numbers and recordings; exit 1 when anything fails."""

import sys

from tests.vectors import recordings, report, runner


def main() -> int:
    """Print both tables, what is not supported yet, and every failure."""
    published, recorded = runner.run_all(), recordings.run_all()
    results = published + recorded
    print(report.table("published vectors", published))
    print()
    print(report.table("recordings", recorded))
    print()
    print(report.not_supported(results))
    failed = report.failures(results)
    if failed:
        print()
        print(failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
