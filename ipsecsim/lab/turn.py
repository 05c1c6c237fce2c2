"""A turn as a value: where it is in the run, what it was about, and what it changed."""

from dataclasses import dataclass

from ipsecsim.base.instant import Instant, format_seconds
from ipsecsim.lab.shown import Shown
from ipsecsim.observe.inventory import Change
from ipsecsim.observe.turn_story import TurnStory


@dataclass(frozen=True, repr=False)
class Turn(Shown):
    """Position `number` of `total`; 0 is before anything, and has no story. `at` is in nanoseconds."""

    number: int
    total: int
    at: Instant
    story: TurnStory | None
    changes: tuple[Change, ...] = ()

    @property
    def node(self) -> str:
        """Whose turn it was."""
        return "" if self.story is None else self.story.node

    @property
    def verb(self) -> str:
        """What it did: sends, forwards, rewrites, seals, opens, drops."""
        return "" if self.story is None else self.story.verb

    @property
    def say(self) -> str:
        """One sentence."""
        return "" if self.story is None else self.story.say

    @property
    def clause(self) -> str:
        """The section of the standards that asks for it."""
        return "" if self.story is None else self.story.clause

    @property
    def reason(self) -> str:
        """The drop reason, where something was dropped."""
        return "" if self.story is None or self.story.drop is None else self.story.drop.code

    def text(self) -> str:
        """A headline, the sentence, and why."""
        head = f"turn {self.number} of {self.total}   {format_seconds(self.at)}"
        story = self.story
        if story is None:
            return f"{head}   nothing has happened yet"
        clause = f"   [{story.clause}]" if story.clause else ""
        lines = [f"{head}   {story.node} {story.verb}", f"  {story.say}{clause}"]
        if story.deeper:
            lines.append(f"  {story.deeper}")
        return "\n".join(lines)

    def __int__(self) -> int:
        return self.number
