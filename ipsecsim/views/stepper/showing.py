"""The stepper in a notebook: a widget where widgets work, else the same page in a frame."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ipsecsim.experiment.run import Run
from ipsecsim.views.stepper.data import data
from ipsecsim.views.stepper.page import to_html, to_iframe

if TYPE_CHECKING:
    from ipsecsim.views.stepper.widget import StepperWidget

Mode = Literal["auto", "widget", "iframe", "html"]

NO_ANYWIDGET = (
    "the stepper as a widget needs anywidget: pip install 'ipsecsim[notebook]', or take mode=\"iframe\""
)


class Page:
    """The stepper as a page in a frame: it works where widgets do not, and tells Python nothing back."""

    def __init__(self, run: Run, *, note: str = "") -> None:
        self._run = run
        self._note = note

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What Jupyter asks for."""
        return {"text/plain": repr(self), "text/html": to_iframe(data(self._run))}

    def __repr__(self) -> str:
        said = f"the stepper of {self._run.topology.name}, {self._run.turns} turns, as a page in a frame"
        return f"{said} ({self._note})" if self._note else said

    def html(self) -> str:
        """The page as text, to be written to a file."""
        return to_html(data(self._run))

    def save(self, path: str | Path) -> Path:
        """Write the page to a file that needs nothing else."""
        Path(path).write_text(self.html(), encoding="utf-8")
        return Path(path)


def show(
    run: Run, *, mode: Mode = "auto", live: bool = False, turn: int | None = None
) -> "StepperWidget | Page":
    """The stepper of a run. `live`: a step past its end runs the simulation one turn further.

    'auto' is a widget where anywidget is installed, else the page in a frame ('iframe', or 'html'). `turn` is where
    it stands at first. Raises ModuleNotFoundError for a widget that cannot be had.
    """
    if mode in ("iframe", "html"):
        return Page(run)
    try:
        from ipsecsim.views.stepper.widget import StepperWidget
    except ModuleNotFoundError as missing:
        if mode == "widget":
            raise ModuleNotFoundError(NO_ANYWIDGET) from missing
        return Page(run, note=NO_ANYWIDGET)
    return StepperWidget(run, live=live, turn=turn)
