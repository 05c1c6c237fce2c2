"""The bar of what takes long: simulated time, turns, and turns a second of a run. Short ones never see it."""

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
        rate = run.turns / passed
        self.show(f"{format_seconds(run.now, 3)} simulated, {run.turns} turns, {rate:.0f} turns/s")

    def show(self, words: str) -> None:
        """Show any words."""
        if monotonic() - self._started < PATIENCE:
            return
        if self._bar is None:
            console = Console(stderr=True)
            if not console.is_interactive:
                return  # a file has no use for a line that moves
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._bar.add_task("")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=words)

    def close(self) -> None:
        """Take the bar away, if it ever appeared."""
        if self._bar is not None:
            self._bar.stop()
