"""A figure as a value: a drawing, the same finding in plain text, and one sentence for who cannot see it.

matplotlib is imported when something is drawn, not before; `pyplot` and its global state are never used.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.visible import visible
from ipsecsim.views.palette import HATCH_WIDTH, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing
    from matplotlib.text import Text

WIDTH, HEIGHT = 7.0, 4.0  # inches: a notebook's column, and a page's
FORMATS = ("png", "svg", "pdf")
DPI = 110

_LONGEST = 60
_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib: the same picture everywhere
    "font.size": 11,
    "text.parse_math": False,  # names come from outside, and '$' is no mathematics
    "axes.edgecolor": colour("control"),
    "axes.labelcolor": colour("ink"),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": colour("ink-2"),
    "ytick.color": colour("ink-2"),
    "text.color": colour("ink"),
    "hatch.linewidth": HATCH_WIDTH,
    "grid.color": colour("hairline"),
    "svg.hashsalt": "ipsecsim",  # the same bytes each time
    "svg.fonttype": "path",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """`title` is the finding in a sentence, `text` says all that is drawn, `alt` is for who cannot see it."""

    kind: str
    title: str
    text: str
    alt: str
    drawing: "Drawing"

    def save(self, path: Path | str) -> Path:
        """Write it as the ending of the name says: png, svg or pdf. Raises ConfigError for another one."""
        target = Path(path)
        target.write_bytes(self.data(check_name(target)))
        return target

    def data(self, form: str = "png") -> bytes:
        """The picture's bytes."""
        described = {"png": "Description", "svg": "Description", "pdf": "Subject"}
        undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        file = BytesIO()
        with style(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")  # of a name in a script that the font lacks
            self.drawing.savefig(
                file,
                format=form,
                dpi=DPI,
                metadata={"Title": self.title, described[form]: self.alt, **undated[form]},
            )
        return file.getvalue()

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        """What a notebook shows: the picture, and its text for who has no pictures."""
        return {"image/png": self.data(), "text/plain": self.text}


def check_name(path: Path) -> str:
    """The format that the ending of a name means. Raises ConfigError for another ending."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ConfigError(f"'{path.name}' is no picture's name; end it with .{', .'.join(FORMATS)}")
    return ending


@contextmanager
def style() -> Iterator[None]:
    """Everything is drawn, and saved, in here."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]  # the stub wants each key as a literal
        yield


def canvas(width: float = WIDTH, height: float = HEIGHT) -> "Drawing":
    """An empty drawing on white ground. Inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Empty

    drawing = Empty(figsize=(width, height), facecolor=colour("surface"))
    FigureCanvasAgg(drawing)
    return drawing


def sheet(width: float = WIDTH, height: float = HEIGHT) -> "tuple[Drawing, Axes]":
    """A drawing without axes whose coordinates are inches from the upper left corner."""
    drawing = canvas(width, height)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return drawing, axes


def chart(title: str, width: float = WIDTH, height: float = HEIGHT) -> "tuple[Drawing, Axes]":
    """A drawing with time or another measure along x, a light grid for it, and its finding above."""
    drawing = canvas(width, height)
    drawing.set_layout_engine("constrained")
    axes = drawing.add_subplot()
    axes.grid(axis="x", linewidth=0.6)
    axes.set_axisbelow(True)
    drawing.suptitle(wrapped(title, width), x=0.012, ha="left", fontsize=11, fontweight="bold")
    return drawing, axes


def wrapped(title: str, width: float = WIDTH) -> str:
    """A title in lines that fit."""
    from textwrap import fill

    return fill(title, int(width * 10.6))


def shown(text: str, most: int = _LONGEST) -> str:
    """Words from outside, fit to be drawn: nothing invisible, and no more of it than is read."""
    words = visible(text[: most + 1])
    return words if len(words) <= most else words[: most - 1] + "…"


def fit(text: "Text", width: float) -> None:
    """Cut a text that is there to so many inches. Measured, never guessed from its length."""
    drawing = text.get_figure(root=True)
    if drawing is None:
        return
    whole = text.get_text()
    low, high = 0, len(whole)
    while low < high:  # how much of it fits
        middle = (low + high + 1) // 2
        text.set_text(whole if middle == len(whole) else whole[:middle].rstrip() + "…")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")
            is_small = text.get_window_extent().width / drawing.dpi <= width
        low, high = (middle, high) if is_small else (low, middle - 1)
    text.set_text(whole if low == len(whole) else whole[:low].rstrip() + "…")
