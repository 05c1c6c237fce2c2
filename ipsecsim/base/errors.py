"""Errors sorted by who is at fault, because blame decides who may catch them."""

from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.visible import visible

_TAB = "\t"


class IpsecsimError(Exception):
    """Root of every error this package raises on purpose."""


class RemoteError(IpsecsimError):
    """Bytes from outside are wrong. Raised anywhere, caught once, at the engine's door.

    Each subclass carries the drop reason under which such bytes are counted.
    """

    reason: DropReason = DropReason.IP_MALFORMED


class LocalError(IpsecsimError):
    """Our own caller is wrong. Never caught inside: the traceback is the message."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class ConfigError(IpsecsimError):
    """What a person wrote is wrong: names file, line, cause and remedy."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the message. How it came about is no news to who wrote what is wrong."""
        return [f"{type(self).__name__}: {self}"]

    def __str__(self) -> str:
        message = visible(self.message, keep="\n")
        if self.place is None:
            return message
        text = f"{visible(str(self.place))}: {message}"
        if self.place.source:
            caret = " " * max(0, self.place.column - 1) + "^"
            text += f"\n  {visible(self.place.source, keep=_TAB)}\n  {caret}"
        return text
