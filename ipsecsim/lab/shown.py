"""Values that show themselves: as text anywhere, and in a notebook as text in a frame of its own.

Names in a topology, and much of what is in packets, are written by others: everything is escaped.
"""

from base64 import b64encode
from html import escape

from ipsecsim.views.figures.figure import Figure

_STYLE = "overflow-x:auto;line-height:1.35;white-space:pre"


_PICTURE = '<img src="data:image/png;base64,{data}" alt="{alt}" style="max-width:100%">'
_BESIDE = "<details><summary>the same as text</summary>{text}</details>"


class Shown:
    """`text()` is what it looks like; all other forms are made of it."""

    def text(self) -> str:
        """The plain text, as `print` writes it."""
        raise NotImplementedError

    def html(self) -> str:
        """The same for a page, safe to put there."""
        return f'<pre style="{_STYLE}">{escape(self.text())}</pre>'

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What Jupyter asks for."""
        return {"text/plain": self.text(), "text/html": self.html()}


def pictured(figure: Figure, beside: str) -> str:
    """A picture for a page, with words for who cannot see it, and the text below it."""
    picture = _PICTURE.format(data=b64encode(figure.data()).decode(), alt=escape(figure.alt))
    return picture + _BESIDE.format(text=beside)
