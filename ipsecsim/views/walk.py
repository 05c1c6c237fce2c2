"""A walk through a run in a terminal: a line that somebody types, and the page that answers it.

The run is simulated as far as somebody looks, turn by turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import Instant
from ipsecsim.experiment.asked import read_selection
from ipsecsim.experiment.cursor import Cursor
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.selection import crossing
from ipsecsim.experiment.telling import teller
from ipsecsim.observe.packets.changes import differences
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.observe.turn_story import TurnStory
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.study.why import by_turn, why
from ipsecsim.views import turn_text, xray_text
from ipsecsim.views.text import opening
from ipsecsim.views.why import whole


@dataclass(frozen=True, slots=True)
class _Command:
    """What one types, in the words of the help; `answer` gets what stands behind the letter."""

    typed: str
    does: str
    answer: Callable[["Walk", str], str]


class Walk:
    """Ask it line by line. None is the answer to 'q'."""

    def __init__(self, run: Run, *, until: Instant | None = None) -> None:
        self._run = run
        self._cursor = Cursor(run, until=run.topology.until if until is None else until)
        self._teller = teller(run)
        self._is_over = False

    def greeting(self) -> str:
        """What the run is about, before its first turn."""
        return f"{opening(self._run.topology, self._run.seed)}\n\nn steps, b goes back, ? tells all commands"

    def answer(self, line: str) -> str | None:
        """The page for a command; a mistake is answered by a sentence. An empty line steps."""
        typed = line.strip() or "n"
        if typed == "q":
            return None
        letter, rest = (typed[0], typed[1:].strip()) if typed[0] in "/?" else _split(typed)
        command = COMMANDS.get(letter)
        if command is None:
            return f"'{letter}' is no command; ? tells all of them"
        try:
            return command.answer(self, rest)
        except ConfigError as mistake:
            return str(mistake)

    # -- going ----------------------------------------------------------------------------------

    def step(self, count: str) -> str:
        """Go on by so many turns."""
        before = self._cursor.turn
        self._go(before + (_number(count) if count else 1))
        return self.here() if self._cursor.turn > before else self._end()

    def back(self, count: str) -> str:
        """Go back by so many turns."""
        self._cursor.back(_number(count) if count else 1)
        return self.here()

    def go(self, where: str) -> str:
        """Go to a turn, or to 'end'."""
        if where == "end":
            while self._more():
                pass
        else:
            self._go(_number(where))
            if self._cursor.turn < _number(where):
                return f"{self.here()}\n{self._end()}"
        return self.here()

    def search(self, words: str) -> str:
        """Go to the next turn that sends a packet which the selection means, or drops one."""
        _, selects = read_selection(self._run, words)
        start = self._cursor.turn
        while self._more():  # what became of a packet is known at the end only
            pass
        lives = self._run.lives
        turns = {hop.left for life in lives.all for hop in life.hops if selects(crossing(life, hop))}
        later = [turn for turn in sorted(turns) if turn > start]
        self._cursor.at(later[0] if later else start)
        return self.here() if later else f"no packet after turn {start} fits '{words}'"

    def seek(self, kind: str) -> str:
        """Go to the next turn of a kind."""
        start = self._cursor.turn
        while self._more():
            if kind in self._teller.kinds(self._cursor.turn):
                return self.here()
        self._cursor.at(start)
        return f"no more of that after turn {start}"

    # -- looking --------------------------------------------------------------------------------

    def here(self) -> str:
        """The page of the turn where one stands."""
        if not self._cursor.turn:
            return "before the first turn"
        return turn_text.page(self._run, self._story(), self._run.turns if self._is_over else None)

    def packet(self, _: str) -> str:
        """The packets of this turn, looked through with all keys; of one that goes on, what changed."""
        keys = self._run.keys
        story, lives = self._story(), self._run.lives
        lines: list[str] = []
        came: tuple[int, bytes] | None = None
        if story.came_in is not None:
            life, hop = lives.crossing(story.came_in)
            came = life.number, hop.arrived_packet or hop.packet
            lines += [f"packet {life.number} came from {hop.source}", *_fields(came[1], keys)]
        for frame in story.out:
            life, hop = lives.crossing(frame)
            if came is not None and came[0] == life.number:
                changed = xray_text.changes(differences(came[1], hop.packet, keys))
                lines += [
                    f"packet {life.number} goes on, with other fields",
                    *(f"  {each}" for each in changed),
                ]
            else:
                lines += [f"packet {life.number} is sent", *_fields(hop.packet, keys)]
        return "\n".join(lines) or "no packet came in this turn, and none went out"

    def why(self, about: str) -> str:
        """Why the packet of this turn ended, or what is asked about, as far as the run has got."""
        if about:
            return whole(why(self._run, about))
        answer = by_turn(self._run).get(self._cursor.turn)
        return whole(why(self._run) if answer is None else answer)

    def state(self, node: str) -> str:
        """The next turn that changes state; with a node's name, what that node knows now."""
        if not node:
            return self.seek("state")
        nodes = self._run.topology.nodes
        if node not in nodes:
            return f"there is no node '{node}'{did_you_mean(node, nodes)}"
        tree = self._run.inventory.tree(self._cursor.turn, node)
        return "\n".join([f"{node} after turn {self._cursor.turn}", *_branches(tree, 1)])

    def changes(self, _: str) -> str:
        """Everything that this turn changed."""
        lines = list(turn_text.changed(self._run.inventory.changes(self._cursor.turn)))
        return "\n".join(lines) or "nothing that a node knows has changed"

    def help(self, _: str) -> str:
        """All commands."""
        return "\n".join(f"  {each.typed:<12} {each.does}" for each in COMMANDS.values())

    # -- moving ---------------------------------------------------------------------------------

    def _more(self) -> bool:
        """One turn on; False at the end of the run."""
        before = self._cursor.turn
        moved = self._cursor.step() > before
        self._is_over = self._is_over or not moved
        return moved

    def _go(self, turn: int) -> None:
        if turn <= self._cursor.turn:
            self._cursor.at(max(0, turn))
        while self._cursor.turn < turn and self._more():
            pass

    def _story(self) -> TurnStory:
        if not self._cursor.turn:
            raise ConfigError("nothing has happened yet; n steps to the first turn")
        return self._teller.tell(self._cursor.turn)

    def _end(self) -> str:
        return f"the run ends here, after turn {self._run.turns}"


def _next(kind: str) -> Callable[[Walk, str], str]:
    return lambda walk, _: walk.seek(kind)


COMMANDS: dict[str, _Command] = {
    "n": _Command("n [COUNT]", "step; so does an empty line", Walk.step),
    "b": _Command("b [COUNT]", "back", Walk.back),
    "g": _Command("g TURN|end", "go to a turn", Walk.go),
    "/": _Command(
        "/SELECTOR", "the next turn that sends such a packet, as in /layer=esp link=wan", Walk.search
    ),
    "d": _Command("d", "the next drop", _next("drop")),
    "i": _Command("i", "the next IKE message", _next("ike")),
    "e": _Command("e", "the next ESP packet sealed or opened", _next("esp")),
    "a": _Command("a", "the next AH packet sealed or opened", _next("ah")),
    "N": _Command("N", "the next NAT", _next("nat")),
    "s": _Command("s [NODE]", "the next change of state; with a node, what it knows now", Walk.state),
    "c": _Command("c", "all that this turn changed", Walk.changes),
    "p": _Command("p", "the packets of this turn, looked through with all keys", Walk.packet),
    "w": _Command("w [ABOUT]", "why; also of 'tunnel net', 'ping alice bob', a packet's number", Walk.why),
    "?": _Command("?", "this list", Walk.help),
    "q": _Command("q", "quit", lambda _walk, _rest: ""),
}
"""What one may type."""


def _fields(packet: bytes, keys: Keys) -> list[str]:
    return [f"  {line}" for line in xray_text.fields(xray(packet, keys))]


def _split(typed: str) -> tuple[str, str]:
    word, _, rest = typed.partition(" ")
    return word, rest.strip()


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"'{text}' is no number of turns")
    return int(text)


def _branches(tree: object, depth: int) -> Iterator[str]:
    assert isinstance(tree, dict)  # noqa: S101 - a tree's branches are trees or values
    for name, below in tree.items():
        if isinstance(below, dict):
            yield f"{'  ' * depth}{name}"
            yield from _branches(below, depth + 1)
        else:
            yield f"{'  ' * depth}{name}: {below}"
