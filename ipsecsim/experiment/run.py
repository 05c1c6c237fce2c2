"""A run: a topology brought to life, watched, and led to its end."""

from collections.abc import Callable, Sequence

from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap
from ipsecsim.experiment.expectations import Verdict, judge_all
from ipsecsim.experiment.script import Script
from ipsecsim.observe.counters import Counters, Counting, count
from ipsecsim.observe.inventory import Inventory, Tree, look, tree_of
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.sparing import Keep, NoInventory, NoRecorder, headers_only, joined, no_lives
from ipsecsim.scenario.build import build
from ipsecsim.scenario.model import Topology
from ipsecsim.scenario.world import World

Progress = Callable[["Run"], None]
PROGRESS_EVERY = 64  # turns between two calls: seldom enough to cost nothing

MOST_TURNS = 5_000_000  # a file can ask for endless traffic; the run must end all the same


class Run:
    """World and recording together. `seed` overrides the file's, `until` its end of time.

    `record` is what is kept: "all"; "headers", which is all rows, but of packets the first 64 bytes and of nodes no
    state; or "none", which leaves counters. What asks for more raises NotRecorded. `observers` are told everything.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        seed: str | None = None,
        record: str = "all",
        observers: Sequence[Tap] = (),
    ) -> None:
        self.topology = topology
        self.seed = topology.seed if seed is None else seed
        self.keep = Keep(record)
        self._counting: Counting | None = None
        self.recorder: Recorder = Recorder()
        self.inventory: Inventory = NoInventory(self.keep)
        self._lives = Lives(self.recorder) if self.keep is Keep.ALL else no_lives(self.keep)
        if self.keep is Keep.ALL:
            self.inventory = Inventory(self.recorder.tell)
            own: list[Tap] = [self.inventory.tell]
        elif self.keep is Keep.HEADERS:
            own = [headers_only(self.recorder.tell)]
        else:
            self.recorder, self._counting = NoRecorder(self.keep), Counting()
            own = [self._counting.tell]
        self.world: World = build(topology, seed=self.seed, observer=joined(*own, *observers))
        if self.keep is Keep.ALL:
            self.inventory.watch(self.world.simulator)
        self._keys = Keys()
        self._script = Script(self.world, self._lives)

    @property
    def keys(self) -> Keys:
        """All keys that were made so far, of every node, to look under seals with."""
        return self._keys.catch_up(self.recorder.rows)

    @property
    def counters(self) -> Counters:
        """What every node and link has handled so far."""
        return count(self.recorder.rows) if self._counting is None else self._counting.counters

    def known(self, node: str, position: int | None = None) -> Tree:
        """What a node knew at a position; what it knows now needs no recording. Raises NotRecorded, IndexError."""
        if position is None and self.keep is not Keep.ALL:
            return tree_of(look(self.world.simulator.nodes[node]))
        return self.inventory.tree(self.turns if position is None else position, node)

    @property
    def now(self) -> Instant:
        """Simulated time."""
        return self.world.simulator.now

    @property
    def lives(self) -> Lives:
        """Every packet so far, from birth to end."""
        return self._lives.catch_up()

    @property
    def turns(self) -> int:
        """How many turns have run."""
        return self.world.simulator.turns

    def step(self, until: Instant | None = None) -> bool:
        """Run one turn. False when nothing is left to do, or, with `until`, nothing before or at that time."""
        has_run = self.world.simulator.step(until)
        if has_run:
            self._script.after_turn()
        return has_run

    def run(self, until: Instant | None = None, *, progress: Progress | None = None) -> "Run":
        """Run to `until`, else to the file's own end, else until the world is quiet; turns at the end still run."""
        self.advance(self.topology.until if until is None else until, progress=progress)
        self.finish()
        return self

    def advance(self, until: Instant | None = None, *, progress: Progress | None = None) -> None:
        """Run to `until`, or until the world is quiet. What the script waits for may still come."""
        while self.turns < MOST_TURNS and self.step(until):
            if progress is not None and self.turns % PROGRESS_EVERY == 0:
                progress(self)

    def finish(self) -> None:
        """Nothing more will come: what the script still waits for, it has waited for in vain."""
        self._script.finish()

    def verdicts(self) -> list[Verdict]:
        """What came of the file's expectations: those on the way, then those at the end."""
        return [*self._script.verdicts, *judge_all(self.world, self._lives)]
