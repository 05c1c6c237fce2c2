"""The bar of a long run: simulated time, turns, and turns a second. Short runs never see it."""

from time import monotonic

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ipsecsim.base.instant import format_seconds
from ipsecsim.experiment.run import Run

PATIENCE = 2.0  # real seconds before a bar shows that something is going on


class Bar:
    """Call it now and then; it appears on standard error once patience is at its end."""

    def __init__(self) -> None:
        self._started = monotonic()
        self._bar: Progress | None = None

    def __call__(self, run: Run) -> None:
        """Show how far the run is."""
        passed = monotonic() - self._started
        if passed < PATIENCE:
            return
        if self._bar is None:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("")
            self._bar.start()
        rate = run.turns / passed
        words = f"{format_seconds(run.now, 3)} simulated, {run.turns} turns, {rate:.0f} turns/s"
        self._bar.update(self._bar.task_ids[0], description=words)

    def close(self) -> None:
        """Take the bar away, if it ever appeared."""
        if self._bar is not None:
            self._bar.stop()
