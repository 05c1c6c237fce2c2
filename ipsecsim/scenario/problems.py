"""How mistakes in a topology are told: all of one kind at once, each with its place, at most ten."""

import difflib
from collections.abc import Iterable

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.model import Remark

MOST = 10
"""Mistakes shown."""

_ENOUGH = 100  # mistakes after which reading stops: a hostile file could hold a hundred thousand
_LONGEST = 400  # characters of one message
_MANY = 2000  # known words beyond which near ones are not looked for


class Mistake(ConfigError):
    """What a piece of text gets wrong, before anybody has said where the text stands.

    `offset` counts characters from the start of that text.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Refused(ConfigError):
    """A topology that cannot be used. `errors` holds every mistake found, in the file's order."""

    def __init__(self, errors: list[ConfigError]) -> None:
        first = errors[0]
        super().__init__(first.message, first.place)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        shown = [str(error) for error in self.errors[:MOST]]
        if len(self.errors) > MOST:
            shown.append(f"and {len(self.errors) - MOST} more")
        return "\n".join(shown)


class Problems:
    """Collects mistakes, remarks, and uses of what does not run yet, while a topology is read.

    Mistakes hide what is merely not there yet: nobody wants to hear that NAT comes later because of a slip.
    """

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self.later: list[ConfigError] = []
        self.remarks: list[Remark] = []
        self._seen: set[tuple[str, Place | None]] = set()

    def add(self, message: str, place: Place | None) -> None:
        """Note one mistake. The same words at the same place count once. Raises Refused when it is enough."""
        self._note(message, place, self.errors)
        if len(self.errors) >= _ENOUGH:
            self.stop()

    def not_yet(self, what: str, place: Place | None) -> None:
        """Note that `what` is documented but does not run yet."""
        self._note(f"not yet: {what}", place, self.later)

    def _note(self, message: str, place: Place | None, where: list[ConfigError]) -> None:
        if len(message) > _LONGEST:
            message = message[: _LONGEST - 3] + "..."
        if (message, place) not in self._seen:
            self._seen.add((message, place))
            where.append(ConfigError(message, place))

    def remark(self, message: str, place: Place) -> None:
        """Note something that looks like a slip but can be read."""
        self.remarks.append(Remark(message, place))

    def stop(self) -> None:
        """Raise Refused when there are mistakes."""
        if self.errors:
            raise Refused(self.errors)

    def stop_at_later(self) -> None:
        """Raise Refused when something is used that does not run yet."""
        if self.later:
            raise Refused(self.later)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip for, or None."""
    candidates = list(dict.fromkeys(known))
    if len(candidates) > _MANY or len(word) > _LONGEST:
        return None
    lower = {candidate.lower(): candidate for candidate in candidates}
    if word.lower() in lower:
        return lower[word.lower()]
    swapped = next((known for known in lower if sorted(known) == sorted(word.lower())), None)
    if swapped is not None:
        return lower[swapped]
    close = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean 'this'?", or what there is when that is a short list, or nothing."""
    candidates = list(dict.fromkeys(known))
    best = nearest(word, candidates)
    if best is not None:
        return f"; did you mean '{best}'?"
    if candidates and len(candidates) <= 10:
        return f"; known: {', '.join(sorted(candidates))}"
    return ""
