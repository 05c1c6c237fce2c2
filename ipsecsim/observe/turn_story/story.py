"""What a view is given about a turn. Nothing in it is left for a view to decide."""

from dataclasses import dataclass
from typing import Literal

from ipsecsim.base.instant import Instant

Verdict = Literal["pass", "skip", "fail", "unreached"]
Relation = Literal["none", "same", "wrap", "unwrap", "answer"]


@dataclass(frozen=True, slots=True)
class Hook:
    """A check on a packet's way through a node, and what was seen there. 'skip': there was nothing to do."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The field that made a seal untrue: what it was when it was sealed, and who changed it in which turn."""

    layer: str
    field: str
    was: str
    now: str
    by: str
    turn: int


@dataclass(frozen=True, slots=True)
class DropStory:
    """Why a packet ended: `code` is the drop reason, `hook` the check that failed.

    `knows` and `blind` say who hears of it and who does not, `look` where to look. Which setting would change it is
    no matter of the recording: `study.why` tells that.
    """

    code: str
    hook: str
    clause: str
    knows: str
    blind: str
    look: str
    culprit: Culprit | None = None


@dataclass(frozen=True, slots=True)
class TurnStory:
    """A turn in words. `came_in` and `out` are frames, `rel` is how what goes out stands to what came in.

    `say` is one sentence, subject first; `deeper` says why, or what if not. `clause` is the most exact section of
    the standards, or ''. `message` is the name of the message or packet that the turn is about, or ''.
    """

    turn: int
    at: Instant
    node: str
    verb: str
    rel: Relation
    kinds: tuple[str, ...]
    came_in: int | None
    out: tuple[int, ...]
    say: str
    deeper: str
    clause: str
    hooks: tuple[Hook, ...]
    message: str = ""
    drop: DropStory | None = None
