"""A line on standard error once a run has taken two seconds: simulated time, turns, turns a second."""

import sys
from time import monotonic

from ipsecsim.base.instant import format_seconds
from ipsecsim.experiment.run import Run

_PATIENCE = 2.0
_EVERY = 0.5  # real seconds between two lines


class Progress:
    """Call it now and then, and `close` it."""

    def __init__(self) -> None:
        self._started = monotonic()
        self._next = self._started + _PATIENCE
        self._written = 0

    def __call__(self, run: Run) -> None:
        """Say how far the run is."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        rate = run.turns / (now - self._started)
        words = f"{format_seconds(run.now, 3)} simulated, {run.turns} turns, {rate:.0f} turns/s"
        sys.stderr.write(f"\r{words:<{self._written}}")
        sys.stderr.flush()
        self._written = len(words)

    def close(self) -> None:
        """Take the line away, if it ever appeared."""
        if self._written:
            sys.stderr.write(f"\r{'':<{self._written}}\r")
