"""A lesson: it keeps guesses, shows them beside what happened, and checks exercises without telling the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ipsecsim.base.errors import ConfigError
from ipsecsim.lab.lessons import files
from ipsecsim.lab.predictions import Guess, Predictions
from ipsecsim.lab.shown import Shown
from ipsecsim.lab.table import Table

_MODULES = {7: "ipsecsim.lab.lessons.ah_meets_nat"}


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """What a check says of an answer: it holds, or which property failed first."""

    exercise: str
    passed: bool
    words: str

    def text(self) -> str:
        """One line."""
        return f"{self.exercise}   {'✓ right' if self.passed else '✗ not yet'}   {self.words}"

    def __bool__(self) -> bool:
        return self.passed


class Wrong(Exception):
    """A property that an answer does not have, in words that give nothing away."""


Check = Callable[..., str]
"""Takes an answer; says in words what holds. Raises Wrong."""


class Lesson:
    """`Lesson(7)`: predict, compare, check and claim."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._claims = files.claims(number)
        self._predictions = Predictions()
        self.own: Any = import_module(_MODULES[number])

    def predict(self, what: str, guess: Guess) -> None:
        """Write a guess down. Nobody grades it, and it is sent nowhere; a later one takes its place."""
        self._predictions.predict(what, guess)

    def compare(self, seen: Mapping[str, Guess]) -> Table:
        """The guesses beside what happened, the right ones with a tick and the word."""
        return self._predictions.compare(seen)

    def claim(self, name: str) -> Any:
        """An expected value of the lesson. Raises ConfigError for a name that is not there."""
        if name not in self._claims:
            raise ConfigError(f"lesson {self.number} claims nothing called '{name}'")
        return self._claims[name]["value"]

    def check(self, exercise: str, *answer: object, **more: object) -> Checked:
        """Is an answer right? If not, which property fails first; never the answer."""
        checks: Mapping[str, Check] = self.own.CHECKS
        if exercise not in checks:
            raise ConfigError(f"there is no exercise '{exercise}'; known: {', '.join(checks)}")
        given = [*answer, *more.values()]
        if any(each is None or each is Ellipsis for each in given):
            return Checked(exercise, False, "there is no answer yet: write one, then run this cell again")  # noqa: FBT003
        try:
            return Checked(exercise, True, checks[exercise](*answer, **more))  # noqa: FBT003
        except Wrong as wrong:
            return Checked(exercise, False, str(wrong))  # noqa: FBT003
