"""What the stepper is sent: one JSON object of a run, in which nothing is left to decide.

Bytes are base64; of a text that may repeat stands the index in `strings`. The state of the nodes is there every 64
turns, and each turn says what it changed, so that one can go both ways.
"""

import json
from typing import Any

from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.ipsec.events import ReplayRejected
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.lives.life import Hop
from ipsecsim.observe.turn_story import DropStory, TurnStory
from ipsecsim.study.why import Why, by_turn
from ipsecsim.views.stepper.chapters import Chapter, chapters, topics
from ipsecsim.views.stepper.images import Images
from ipsecsim.views.stepper.ladder import Rung, rungs
from ipsecsim.views.stepper.scene import scene, secured
from ipsecsim.views.stepper.strings import Interned

FORMAT = 1
CHECKPOINT_EVERY = 64

Json = dict[str, Any]


def data(run: Run, first: int = 1, last: int | None = None) -> Json:
    """A run, or its turns from `first` to `last`. Equal runs give equal objects."""
    return Feed(run).whole(first, last)


def to_json(sent: Json) -> str:
    """As text, without spaces, and with nothing in it that could end a script element."""
    return json.dumps(sent, separators=(",", ":")).replace("</", "<\\/")


class Feed:
    """Tells a run to a stepper: all of it by `whole`, and later by `more` what has happened since."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._strings: Interned[str] = Interned()
        self._images = Images(run, self._strings)
        self._teller = teller(run)
        self._sent = 0  # the last turn that was told
        self._rungs: list[Rung] = []
        self._chapters: list[Chapter] = []
        self._known = (0, 0, 0)  # strings, layouts, packets that were told
        self._whys: dict[int, Why] | None = None  # by turn, as far as the run goes; made when somebody asks

    def whole(self, first: int = 1, last: int | None = None, *, live: bool = False) -> Json:
        """The turns from `first` to `last`, and all that is needed to show them. `live`: more may come."""
        run, self._whys = self._run, None
        end = run.turns if last is None else min(last, run.turns)
        self._rungs = self._ladder(first, end)
        self._chapters = [each for each in chapters(run.recorder) if each.turn <= end]
        turns = [self._turn(number) for number in range(first, end + 1)]
        topology = run.topology
        sent = {
            "format": FORMAT,
            "title": topology.name.replace("_", " "),
            "topology": topology.name,
            "seed": run.seed,
            "story": topology.story.strip(),
            "look_for": list(topology.look_for),
            "turns_total": run.turns,
            "first": first,
            "live": live,
            **scene(run),
            "chapters": [_chapter(each) for each in self._chapters],
            "turns": turns,
            "ladder": [self._rung(each) for each in self._rungs],
            "checkpoints": [
                self._checkpoint(turn) for turn in range(first - 1, end + 1) if _is_checkpoint(turn, first)
            ],
        }
        # last, for all of the above has added to them
        sent |= {
            "strings": list(self._strings.all),
            "layouts": list(self._images.layouts.all),
            "packets": list(self._images.all),
        }
        self._sent = end
        self._remember()
        return sent

    def more(self, *, live: bool = True) -> Json:
        """What has happened since: new entries of each list, and the rows of the ladder from `ladder_from` on."""
        run, first, self._whys = self._run, self._sent + 1, None
        before, self._rungs = self._rungs, self._ladder(1, run.turns)
        same = next(
            (at for at, (old, new) in enumerate(zip(before, self._rungs, strict=False)) if old != new),
            min(len(before), len(self._rungs)),
        )
        fresh = topics(run.recorder, first)
        if fresh and self._chapters and fresh[0].name == self._chapters[-1].name:
            del fresh[0]
        self._chapters += fresh
        strings, layouts, packets = self._known
        sent: Json = {
            "turns": [self._turn(number) for number in range(first, run.turns + 1)],
            "ladder_from": same,
            "ladder": [self._rung(each) for each in self._rungs[same:]],
            "chapters": [_chapter(each) for each in fresh],
            "checkpoints": [
                self._checkpoint(turn) for turn in range(first, run.turns + 1) if turn % CHECKPOINT_EVERY == 0
            ],
            "secured": secured(run),
            "turns_total": run.turns,
            "live": live,
        }
        sent |= {
            "strings": self._strings.all[strings:],
            "layouts": self._images.layouts.all[layouts:],
            "packets": self._images.all[packets:],
        }
        self._sent = run.turns
        self._remember()
        return sent

    def _remember(self) -> None:
        self._known = (len(self._strings.all), len(self._images.layouts.all), len(self._images.all))

    # -- turns ----------------------------------------------------------------------------------

    def _turn(self, number: int) -> Json:
        story, text = self._teller.tell(number), self._strings
        turn = self._run.recorder.turn(number)[0].turn
        came = None if story.came_in is None else self._hop(story.came_in)
        told: Json = {
            "n": number,
            "t": turn.at,
            "node": turn.node,
            "cause": turn.cause,
            "verb": text(story.verb),
            "rel": story.rel,
            "kinds": list(story.kinds),
            "in": None,
            "from": "",
            "link_in": text(""),
            "out": [self._out(frame, number) for frame in story.out],
            "message": text(story.message),
            "say": text(story.say),
            "deeper": text(story.deeper),
            "rfc": text(story.clause),
            "hooks": [[text(hook.name), hook.verdict, text(hook.detail)] for hook in story.hooks],
            "changes": [
                [list(change.path), change.old, change.new] for change in self._run.inventory.changes(number)
            ],
        }
        if came is not None and story.came_in is not None:
            packet = came.arrived_packet or came.packet
            told |= {
                "in": self._images(self._life(story.came_in), packet, number),
                "from": came.source,
                "link_in": text(came.link),
            }
        if story.drop is not None:
            told["drop"] = self._drop(story, story.drop)
        again = [
            row.event for row in self._run.recorder.turn(number) if isinstance(row.event, ReplayRejected)
        ]
        if again:
            told["again"] = [f"{again[0].spi:08x}", again[0].sequence]
        return told

    def _out(self, frame: int, turn: int) -> Json:
        hop = self._hop(frame)
        rows = self._run.recorder.turn(turn)
        aimed = {each.frame: each.next_hop for row in rows if isinstance(each := row.event, FrameSent)}
        reason = "" if hop.reason is None else hop.reason.name
        return {
            "p": self._images(self._life(frame), hop.packet, turn),
            "to": hop.to or self._teller.owner(aimed[frame], turn) if frame in aimed else hop.to,
            "link": self._strings(hop.link),
            "lost": self._strings(reason) if reason else None,
        }

    def _drop(self, story: TurnStory, drop: DropStory) -> Json:
        text = self._strings
        why = self._why(story.turn)
        told: Json = {
            "code": text(drop.code),
            "hook": text(drop.hook),
            "clause": text(drop.clause),
            "knows": text(drop.knows),
            "blind": text(drop.blind),
            "look": text(drop.look or ("" if why is None else why.look_at)),
            "flip": text("" if why is None else why.setting),
            "why": text("" if why is None or why.reason == drop.code else why.sentence),
        }
        if drop.culprit is not None:
            told["culprit"] = {
                "layer": drop.culprit.layer,
                "field": text(drop.culprit.field),
                "was": text(drop.culprit.was),
                "by": text(f"{drop.culprit.by} in turn {drop.culprit.turn}"),
            }
        return told

    def _why(self, turn: int) -> Why | None:
        if self._whys is None:
            self._whys = by_turn(self._run)
        return self._whys.get(turn)

    def _hop(self, frame: int) -> Hop:
        return self._run.lives.crossing(frame)[1]

    def _life(self, frame: int) -> int:
        return self._run.lives.by_frame[frame].number

    # -- beside the turns -----------------------------------------------------------------------

    def _ladder(self, first: int, last: int) -> list[Rung]:
        found = rungs(self._run.recorder, self._run.lives)
        return [each for each in found if first <= each.sent <= last or first <= (each.arrived or 0) <= last]

    def _rung(self, rung: Rung) -> Json:
        text = self._strings
        return {
            "turn_sent": rung.sent,
            "turn_arrived": rung.arrived,
            "a": rung.source,
            "b": rung.to,
            "name": text(rung.name),
            "chips": [text(chip) for chip in rung.chips],
            "sealed": rung.sealed,
            "kind": rung.kind,
            "reason": text(rung.reason) if rung.reason else None,
        }

    def _checkpoint(self, turn: int) -> Json:
        inventory = self._run.inventory
        nodes = self._run.topology.nodes
        return {"turn": turn, "state": {node: inventory.tree(turn, node) for node in nodes}}


def _is_checkpoint(turn: int, first: int) -> bool:
    return turn == first - 1 or turn % CHECKPOINT_EVERY == 0


def _chapter(chapter: Chapter) -> Json:
    return {"turn": chapter.turn, "name": chapter.name}
