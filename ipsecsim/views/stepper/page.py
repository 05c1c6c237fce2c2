"""The stepper as one offline page: module, styles and run in a single file that may load nothing and ask nobody."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from json import dumps
from pathlib import Path
from typing import Any

from ipsecsim.base.instant import format_seconds
from ipsecsim.base.visible import visible
from ipsecsim.experiment.run import Run
from ipsecsim.views.palette import Theme, colour, css
from ipsecsim.views.stepper.data import data

Data = Mapping[str, Any]
"""A run in the form of `views/stepper/data`."""

FILE = "run.html"

MOST_LINES = 2000  # of the text below the picture
_HERE = Path(__file__).parent
_IFRAME_HEIGHT = 860  # pixels


@cache
def module() -> str:
    """The ES module with `mount`: its parts in the order of their names. Whole and without a build step."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((_HERE / "js").glob("*.js")))


@cache
def stylesheet() -> str:
    """The colours of the palette, and what has which."""
    return css() + (_HERE / "stepper.css").read_text(encoding="utf-8")


def write(run: Run, path: Path, *, last: int | None = None) -> Path:
    """The page in a file, which is all that one has to pass on; with `last` only the turns up to that one."""
    path.write_text(to_html(data(run, last=last)), encoding="utf-8")
    return path


def to_html(shown: Run | Data, *, host: str = "page", theme: str = "auto") -> str:
    """The page as text. `host` is 'page', or 'notebook' for a view of fixed height; `theme` auto, light or dark."""
    sent = data(shown) if isinstance(shown, Run) else shown
    script = f"{module()}\n{_START % (dumps(host), dumps(theme))}"
    style = f"{stylesheet()}{_page_style()}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    title = escape(visible(str(sent["title"])))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f'<main><h1 class="offscreen">{title}</h1><div id="stepper"></div>{_twin(sent)}</main>',
            f'<script type="application/json" id="run">{_embedded(sent)}</script>',
            f'<script type="module">{script}</script>',
            "</body>",
            "</html>",
            "",
        ]
    )


def to_iframe(shown: Run | Data, *, height: int = _IFRAME_HEIGHT, theme: str = "auto") -> str:
    """The page within another one, where widgets do not work: sandboxed, so that it reaches nothing of it.

    `height` in pixels.
    """
    sent = data(shown) if isinstance(shown, Run) else shown
    page = escape(to_html(sent, host="notebook", theme=theme), quote=True)
    title = escape(visible(f"step by step: {sent['title']}"), quote=True)
    return (
        f'<iframe srcdoc="{page}" title="{title}" sandbox="allow-scripts" width="100%" height="{height}" '
        'style="border: 0"></iframe>'
    )


@cache
def _page_style() -> str:
    """The ground around the stepper, in the theme that it has."""
    light, dark = (
        f"{{ background: {colour('background', theme)}; color: {colour('ink', theme)}; }}" for theme in Theme
    )
    return (
        f"body {{ margin: 0; }} body {light} "
        f"@media (prefers-color-scheme: dark) {{ body:not([data-theme=light]) {dark} }} "
        f"body[data-theme=dark] {dark} @media print {{ body {light} }} "
        ".offscreen { position: absolute; clip-path: inset(50%); } "
        ".twin { padding: 0 18px 18px; font: 14px system-ui, sans-serif; } .twin pre { white-space: pre-wrap; }"
    )


_START = """
const place = document.getElementById("stepper");
const options = { data: JSON.parse(document.getElementById("run").textContent), host: %s, theme: %s };
const asked = new URLSearchParams(location.hash.slice(1));
if (asked.has("theme")) options.theme = asked.get("theme");
if (asked.has("host")) options.host = asked.get("host");
options.onTheme = (name) => (document.body.dataset.theme = name); // the ground is not the stepper's own
const stepper = mount(place, options);
if (asked.has("turn")) stepper.go(Number(asked.get("turn")));
// nobody has to click into the page first
addEventListener("keydown", (event) => event.target === document.body && stepper.key(event));
// the story in text is open where no script runs, and on paper
const twin = document.querySelector("details.twin");
twin.open = false;
addEventListener("beforeprint", () => (twin.open = true));
addEventListener("afterprint", () => (twin.open = false));
"""


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _embedded(sent: Data) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or a line."""
    text = dumps(sent, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _twin(sent: Data) -> str:
    """The same story in text, for print, for search, and for browsers without scripts."""
    strings: Sequence[str] = sent["strings"]

    def text(value: int | str | None) -> str:
        return strings[value] if isinstance(value, int) else value or ""

    turns: Sequence[Data] = sent["turns"]
    lines = [
        f"turn {turn['n']}   {format_seconds(turn['t'])}   {turn['node']}   {text(turn['say'])}"
        for turn in turns[:MOST_LINES]
    ]
    if sent["turns_total"] > len(lines):
        lines.append(f"and {sent['turns_total'] - len(lines)} turns more")
    story = escape("\n".join(map(visible, lines)))
    return f'<details class="twin" open><summary>The same in text</summary><pre>{story}</pre></details>'
