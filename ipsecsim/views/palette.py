"""The one table of colours, patterns and words: the stepper's CSS, the figures and the texts take it from here.

Base: Okabe and Ito's colours, which colour-blind people can tell apart; green, plum and sky are darker on white.
Nothing is said by colour alone: every class has a pattern and a word, every event a marker.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Shade:
    """One meaning in one theme: `stroke` for edges and marks, `tint` below text, `word` for text on the tint.

    `line` is for hatches where the stroke is darker than it needs to be there.
    """

    stroke: str
    tint: str
    word: str
    line: str = ""


class Theme(Enum):
    """Two grounds to draw on."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class ProtectionStyle:
    """How the bytes of a protection class are drawn. `hatch` is matplotlib's word for the pattern."""

    word: str
    hatch: str
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class EventStyle:
    """How a kind of event is drawn: matplotlib's marker, the glyph in texts, the meaning whose colour it has."""

    word: str
    marker: str
    glyph: str
    meaning: str
    is_hollow: bool = False


SURFACES: dict[Theme, dict[str, str]] = {
    Theme.LIGHT: {
        "surface": "#FFFFFF",
        "background": "#FAF9F6",
        "sunken": "#F1F0EC",
        "ink": "#191C22",
        "ink-2": "#4C5362",
        "hairline": "#CFD2D8",
        "control": "#858C99",
        "focus": "#0A58CA",
    },
    Theme.DARK: {
        "surface": "#1A1E24",
        "background": "#121519",
        "sunken": "#0E1114",
        "ink": "#EDEFF3",
        "ink-2": "#B7BECA",
        "hairline": "#363D48",
        "control": "#7D8696",
        "focus": "#8AB8FF",
    },
}

MEANINGS: dict[Theme, dict[str, Shade]] = {
    Theme.LIGHT: {
        "clear": Shade("#6E7684", "#E8EAEE", "#4C5362"),
        "encrypted": Shade("#0072B2", "#DDEBF6", "#005A8D"),
        "auth": Shade("#B97F00", "#FDF1D2", "#7A5000", line="#E69F00"),
        "both": Shade("#00946B", "#D8F0E6", "#00604A"),
        "mutable": Shade("#B27B00", "#FFFFFF", "#7A5000"),
        "rewritten": Shade("#B8548C", "#F8E3EF", "#8C2F66"),
        "drop": Shade("#D55E00", "#FDE6D8", "#A33F00"),
        "state": Shade("#2F8FC8", "#E0F0FA", "#17618F"),
    },
    Theme.DARK: {
        "clear": Shade("#8A93A3", "#2C323C", "#B7BECA"),
        "encrypted": Shade("#4AA8E0", "#12304A", "#8CCBF2"),
        "auth": Shade("#F0B429", "#41320A", "#F5CC6A"),
        "both": Shade("#2CC295", "#0D3D30", "#7FE0C2"),
        "mutable": Shade("#D9A326", "#1A1E24", "#F5CC6A"),
        "rewritten": Shade("#E08CB8", "#4A2239", "#F2B5D3"),
        "drop": Shade("#FF8A3D", "#4A2310", "#FFB587"),
        "state": Shade("#6CC3F5", "#10364E", "#9ED8FA"),
    },
}

PROTECTION: dict[str, ProtectionStyle] = {
    "clear": ProtectionStyle("in the clear", ""),
    "encrypted": ProtectionStyle("encrypted only", "///"),
    "auth": ProtectionStyle("authenticated", "\\\\\\"),
    "both": ProtectionStyle("encrypted + authenticated", "xxx"),
    "mutable": ProtectionStyle("mutable, left out of the AH seal", "", is_dashed=True),
}
"""By the word of `wire/layout` for the class."""

EVENTS: dict[str, EventStyle] = {
    "ike": EventStyle("IKE", "o", "o", "ink"),
    "esp": EventStyle("ESP", "s", "|", "both"),
    "ah": EventStyle("AH", "s", "|", "auth", is_hollow=True),
    "nat": EventStyle("NAT", "D", "D", "rewritten"),
    "state": EventStyle("State", "^", "^", "state"),
    "drop": EventStyle("Drop", "X", "X", "drop"),
    "forward": EventStyle("plain forward", "|", ".", "clear"),
}

SERIES: tuple[tuple[str, str], ...] = (
    ("ink", "-"),
    ("encrypted", "--"),
    ("drop", "-."),
    ("rewritten", ":"),
    ("both", "-"),
)
"""Lines of a chart in order: whose colour, and matplotlib's style."""

HATCH_WIDTH = 0.8


def colour(name: str, theme: Theme = Theme.LIGHT) -> str:
    """The colour of a surface token, or the stroke of a meaning. Raises KeyError for neither."""
    surface = SURFACES[theme].get(name)
    return MEANINGS[theme][name].stroke if surface is None else surface


def css() -> str:
    """The custom properties of both themes; without a choice the reader's own preference counts."""
    light, dark = _properties(Theme.LIGHT), _properties(Theme.DARK)
    return (
        f".ipsecsim {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ .ipsecsim:not([data-theme=light]) {{ {dark} }} }}\n"
        f".ipsecsim[data-theme=dark] {{ {dark} }}\n"
        f"@media print {{ .ipsecsim, .ipsecsim[data-theme] {{ {light} }} }}\n"
    )


def _properties(theme: Theme) -> str:
    rows = [f"--{name}: {value};" for name, value in SURFACES[theme].items()]
    for name, shade in MEANINGS[theme].items():
        rows += [
            f"--{name}: {shade.stroke};",
            f"--{name}-tint: {shade.tint};",
            f"--{name}-word: {shade.word};",
        ]
        rows.append(f"--{name}-line: {shade.line or shade.stroke};")
    return " ".join([*rows, f"color-scheme: {theme.value};"])
