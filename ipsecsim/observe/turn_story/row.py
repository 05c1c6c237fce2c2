"""The shape of the tables of sentences: the first row whose event happened, and whose question says yes, counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.trace import TraceEvent
from ipsecsim.observe.turn_story.facts import Facts

Words = str | Callable[[Any, Facts], str]
"""A pattern in which {e.field} is of the event and {f.field} of the facts; or a function where it takes more."""


def always(_event: Any, _facts: Facts) -> bool:
    """For rows that depend on nothing else."""
    return True


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of a turn in which `on` happened. The clause is its, or that of `clause_of` if it happened."""

    on: type[TraceEvent]
    verb: str
    say: Words
    deeper: Words
    when: Callable[[Any, Facts], bool] = always
    clause_of: type[TraceEvent] | None = None


def filled(words: Words, event: Any, facts: Facts) -> str:
    """The words for this turn."""
    return words.format(e=event, f=facts) if isinstance(words, str) else words(event, facts)
