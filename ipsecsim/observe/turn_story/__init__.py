"""The story of a turn, computed once for every view: a verb, a sentence, why, and what each check saw."""

from ipsecsim.observe.turn_story.facts import Place
from ipsecsim.observe.turn_story.story import Culprit, DropStory, Hook, TurnStory
from ipsecsim.observe.turn_story.teller import Teller, tell

__all__ = ["Culprit", "DropStory", "Hook", "Place", "Teller", "TurnStory", "tell"]
