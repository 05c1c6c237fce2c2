"""A position in a run: going forwards and back over what was recorded, and past its end by simulating on.

Position n is after turn n, 0 before anything happened. The world always stands at its own end; only the gaze moves.
"""

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import Instant, format_seconds
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.net.events import NoteTaken
from ipsecsim.scenario import units
from ipsecsim.scenario.problems import Mistake, did_you_mean

KINDS = ("ike", "esp", "ah", "nat", "state", "change", "drop", "forward", "app", "note")
"""What 'next ...' and 'last ...' can look for: the kinds of turns that stories know, a change of state, a note."""


class Cursor:
    """Where somebody looks. `turn` is the position; with `until` no more is simulated than up to that time."""

    def __init__(self, run: Run, *, until: Instant | None = None) -> None:
        self.run = run
        self.until = until
        self.turn = 0
        self._teller = teller(run)

    @property
    def end(self) -> int:
        """The last position there is so far."""
        return self.run.turns

    @property
    def now(self) -> Instant:
        """Simulated time of the position, in nanoseconds."""
        return self.run.recorder.turn(self.turn)[0].at if self.turn else 0

    def step(self, count: int = 1) -> int:
        """Go forwards, past the end by simulating; it stays at the end when nothing is left to do."""
        for _ in range(count):
            if self.turn == self.end and not self.run.step(self.until):
                break
            self.turn += 1
        return self.turn

    def back(self, count: int = 1) -> int:
        """Go back, at most to the start."""
        self.turn = max(0, self.turn - count)
        return self.turn

    def at(self, where: int | str) -> int:
        """Go to a turn by number, a time such as '1.5s', 'start', 'end', 'next drop' or 'last ike'.

        At a time stands what was there then. Raises ConfigError for a place that is not there; the position stays.
        """
        self.turn = self._find(where if isinstance(where, int) else where.strip())
        return self.turn

    def _find(self, where: int | str) -> int:
        if isinstance(where, str):
            if where in ("start", "end"):
                return 0 if where == "start" else self.end
            direction, _, what = where.partition(" ")
            if direction in ("next", "last") and what:
                return self._search(what.strip(), forwards=direction == "next")
            if not where.isdigit():
                return self._at_time(where)
        number = int(where)
        if not 0 <= number <= self.end:
            raise ConfigError(f"turn {number} is not there; turns so far: {self.end}")
        return number

    def _search(self, what: str, *, forwards: bool) -> int:
        if what not in KINDS:
            raise ConfigError(f"'{what}' cannot be looked for{did_you_mean(what, KINDS)}")
        turns = range(self.turn + 1, self.end + 1) if forwards else range(self.turn - 1, 0, -1)
        for number in turns:
            if self._is_there(what, number):
                return number
        raise ConfigError(f"no {what} {'after' if forwards else 'before'} turn {self.turn}")

    def _is_there(self, what: str, turn: int) -> bool:
        if what == "note":
            return any(isinstance(row.event, NoteTaken) for row in self.run.recorder.turn(turn))
        return ("state" if what == "change" else what) in self._teller.kinds(turn)

    def _at_time(self, text: str) -> int:
        try:
            at = units.duration(text)
        except Mistake as mistake:
            what = "a turn's number, a time such as 1.5s, start, end, next drop or last ike"
            raise ConfigError(f"'{text}' is no place to go to; write {what}") from mistake
        if at > self.run.now:
            raise ConfigError(f"at {text} is not there yet; the run stands at {format_seconds(self.run.now)}")
        low, high = 0, self.end
        while low < high:  # the last turn that was not later
            middle = (low + high + 1) // 2
            if self.run.recorder.turn(middle)[0].at <= at:
                low = middle
            else:
                high = middle - 1
        return low
