"""What the figures have in common: boxes with the pattern of a protection class, and marks of packets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.observe.turn_story.naming import layer
from ipsecsim.views.palette import EVENTS, MEANINGS, PROTECTION, Theme, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = MEANINGS[Theme.LIGHT]
TIME_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


@dataclass(frozen=True, slots=True)
class Mark:
    """How a packet is drawn on a time axis."""

    word: str
    marker: str
    edge: str
    face: str


def mark(kind: str) -> Mark:
    """By the word of `EVENTS`."""
    event = EVENTS[kind]
    edge = colour(event.meaning)
    return Mark(event.word, event.marker, edge, colour("surface") if event.is_hollow else edge)


def kind_of(packet: bytes) -> str:
    """The word of `EVENTS` for a packet as it is seen on a link."""
    found = layer(packet)
    return "forward" if found == "plain" else found


def protected_box(
    axes: "Axes",
    protection: str,
    place: tuple[float, float],
    size: tuple[float, float],
    *,
    is_patterned: bool = True,
) -> None:
    """A rectangle in the tint, the pattern and the edge of a class."""
    from matplotlib.patches import Rectangle

    look, shade = PROTECTION[protection], SHADES[protection]
    axes.add_patch(
        Rectangle(
            place,
            *size,
            facecolor=shade.tint,
            edgecolor=shade.line or shade.stroke,
            hatch=look.hatch if is_patterned else "",
            linewidth=0,
        )
    )
    axes.add_patch(
        Rectangle(
            place,
            *size,
            facecolor="none",
            edgecolor=shade.stroke,
            linewidth=1.0,
            linestyle="--" if look.is_dashed else "-",
        )
    )


def time_unit(longest: int) -> tuple[int, str]:
    """In what to count so many nanoseconds: how many make one, and its name."""
    return next((each for each in TIME_UNITS if longest >= each[0]), TIME_UNITS[-1])
