"""Guesses that are written down before looking, and later shown beside what came of them."""

from collections.abc import Callable, Mapping

from ipsecsim.base.errors import ConfigError
from ipsecsim.lab.table import Cell, Table

Guess = float | str
NO_GUESS = ("", "...", "?")

_HEADS = ("what", "your guess", "what happened", "right")


class Predictions:
    """Never graded, never sent anywhere; a later guess about the same thing stands in the place of the first."""

    def __init__(self) -> None:
        self.guesses: dict[str, Guess] = {}

    def predict(self, what: str, value: Guess) -> None:
        """Keep a guess."""
        self.guesses[what] = value

    def compare(self, outcome: Callable[[str], Guess | None] | Mapping[str, Guess]) -> Table:
        """Each guess beside what happened, with a tick and a word."""
        find = outcome.get if isinstance(outcome, Mapping) else outcome
        rows: list[dict[str, Cell]] = []
        for what, guess in self.guesses.items():
            try:
                came = find(what)
            except ConfigError:
                came = None  # the words are no measure: whoever looks compares
            rows.append(dict(zip(_HEADS, (what, guess, came, _judged(guess, came)), strict=True)))
        return Table("Predictions", _HEADS, rows)


def _judged(guess: Guess, came: Guess | None) -> str:
    if guess in NO_GUESS:
        return "no guess"
    if came is None:
        return "not known yet"
    same = float(guess) == float(came) if _is_number(guess) and _is_number(came) else guess == came
    return "✓ right" if same else "✗ other"


def _is_number(value: Guess) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
