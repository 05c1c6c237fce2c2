"""Turns in real time: one stimulus, everything that follows from it, and the one timer set anew.

The twin of the simulated turn (`net/turn.py`). A recorder cannot tell the two apart.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Duration, Instant, format_duration
from ipsecsim.base.trace import Tap
from ipsecsim.net.turn import TURN, Observer

if TYPE_CHECKING:
    from ipsecsim.net.node import Engine, Performer

Work = Callable[[], list[Action]]


class Driver:
    """Owns the clock and the timer of one node, and performs what its engines ask for.

    `performers` says who performs an action; `engines` are asked for their deadlines after each turn.
    """

    def __init__(self, name: str, observer: Observer | None = None) -> None:
        self.name = name
        self.engines: list[Engine] = []
        self.performers: dict[type[Action], Performer] = {}
        self.tap: Tap | None = observer
        self.turns = 0
        self.failure: Exception | None = None
        self._began = time.monotonic_ns()
        self._turn_at: Instant | None = None  # when the turn that runs began
        self._timer: asyncio.TimerHandle | None = None
        self._changed: asyncio.Event | None = None

    @property
    def now(self) -> Instant:
        """Nanoseconds since the driver was made; all of a turn happens at the instant it began."""
        return self._clock() if self._turn_at is None else self._turn_at

    def turn(self, stimulus: str, work: Work, *, cause: int = 0) -> None:
        """Bring a stimulus to the node. Raises what `work` raises, and from then on so does everything."""
        if self.failure is not None:
            raise self.failure
        self.turns += 1
        self._turn_at = self._clock()
        try:
            if self.tap is not None:
                self.tap((TURN, self.turns, self._turn_at, self.name, stimulus, cause))
            self._perform(work())
        except Exception as failure:
            self.failure = failure
            raise
        finally:
            self._turn_at = None
            self._rearm()
            if self._changed is not None:
                self._changed.set()

    async def until(self, condition: Callable[[], bool], *, within: Duration) -> bool:
        """Wait until a turn has made `condition` true; False when the time is over first.

        Raises what ended the driver: the failure of a turn, or TimeoutError for the run-time limit.
        """
        end = self._clock() + within
        self._changed = self._changed or asyncio.Event()
        while True:
            if self.failure is not None:
                raise self.failure
            if condition():
                return True
            left = end - self._clock()
            if left <= 0:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left / SECOND)
            except TimeoutError:
                continue

    def stop(self, failure: Exception | None = None) -> None:
        """No timer rings any more; who waits is told why."""
        self.failure = self.failure or failure
        self.engines.clear()
        self._rearm()
        if self._changed is not None:
            self._changed.set()

    def limit(self, run_time: Duration, end: Callable[[], None]) -> asyncio.TimerHandle:
        """Call `end` when the run-time limit is reached, and stop."""

        def over() -> None:
            end()
            self.stop(TimeoutError(f"{self.name}: the run-time limit of {format_duration(run_time)} is over"))

        return asyncio.get_running_loop().call_later(run_time / SECOND, over)

    # -- inside a turn --------------------------------------------------------------------------

    def _perform(self, actions: list[Action]) -> None:
        """In order; what follows from an action is done before the next one."""
        for action in actions:
            following = self.performers[type(action)](action)
            if following:
                self._perform(following)

    # -- the timer ------------------------------------------------------------------------------

    def _rearm(self) -> None:
        """Set the timer to the earliest deadline of all engines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._next_deadline()
        if due is not None:
            wait = max(0, due - self._clock()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(wait, self._ring, self.turns)

    def _ring(self, cause: int) -> None:
        self._timer = None
        due = self._next_deadline()
        if due is None or due > self._clock():
            self._rearm()  # rounding can make it ring a little early
            return
        self.turn("timer", self._serve_timers, cause=cause)

    def _serve_timers(self) -> list[Action]:
        for engine in tuple(self.engines):
            self._perform(engine.handle_timeout(self.now))
        return []

    def _next_deadline(self) -> Instant | None:
        deadlines = [at for engine in self.engines if (at := engine.next_deadline()) is not None]
        return min(deadlines, default=None)

    def _clock(self) -> Instant:
        return time.monotonic_ns() - self._began
