"""The lab: one run, a place to look from, and every question that can be asked of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ipsecsim.base.instant import Instant, format_seconds
from ipsecsim.experiment.cursor import Cursor
from ipsecsim.experiment.expectations import Verdict, is_up
from ipsecsim.experiment.measuring import expect, measure
from ipsecsim.experiment.packets import NoSuchThing
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.lab import nodes, verbs
from ipsecsim.lab.builder import Topology as Builder
from ipsecsim.lab.errors import LabError
from ipsecsim.lab.keeping import Keeping
from ipsecsim.lab.nodes import NodeView, Tunnel
from ipsecsim.lab.packets import Packet, Packets
from ipsecsim.lab.predictions import Predictions
from ipsecsim.lab.progress import Progress
from ipsecsim.lab.shown import Shown
from ipsecsim.lab.source import Change, Source
from ipsecsim.lab.table import Cell, Table
from ipsecsim.lab.turn import Turn
from ipsecsim.lab.why import Why, ask
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.observe.overhead import overhead
from ipsecsim.scenario import Topology, units
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.views import tables, text


class Expected(Shown):
    """Was a claim met? True or false, and its text says what was found."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def text(self) -> str:
        """One line."""
        return str(self.verdict)

    def __bool__(self) -> bool:
        return self.verdict.is_met


class Lab(Shown, verbs.Verbs, Keeping):
    """A topology brought to life: run it, walk over it both ways, ask it, act at its end, save it.

    `source` is a name from the library, a path, YAML text, or a `Topology` made line by line; `params` are the
    file's parameters. Position n is after turn n. Raises ConfigError for what cannot be understood.
    """

    def __init__(
        self,
        source: str | Path | Builder,
        /,
        *,
        seed: int | str | None = None,
        record: Literal["all"] = "all",
        **params: object,
    ) -> None:
        if record != "all":
            raise LabError(
                f"record='{record}': a lab looks back and needs all; use ipsecsim run --record {record}"
            )
        self._begin(Source.of(source, seed, params))

    def _begin(self, source: Source) -> None:
        self.source = source
        self._run = Run(source.topology())
        self._cursor = Cursor(self._run)
        self._teller = teller(self._run)
        self._predictions = Predictions()

    # -- what it is -----------------------------------------------------------------------------

    @property
    def topology(self) -> Topology:
        """The model of the file."""
        return self._run.topology

    @property
    def seed(self) -> str:
        """Where all chance comes from."""
        return self._run.seed

    @property
    def params(self) -> Mapping[str, str]:
        """The file's parameters with their values."""
        return self.topology.params

    @property
    def now(self) -> Instant:
        """Simulated time of the position, in nanoseconds."""
        return self._cursor.now

    @property
    def turn(self) -> Turn:
        """The position: the turn that was last."""
        return self._turn(self._cursor.turn)

    @property
    def end(self) -> Turn:
        """The last turn so far."""
        return self._turn(self._cursor.end)

    @property
    def recording(self) -> Run:
        """World and recording, for views."""
        return self._run

    # -- move -----------------------------------------------------------------------------------

    def run(self, until: str | Mapping[str, str] | None = None, *, progress: bool = True) -> "Lab":
        """Run to the file's end, to a time ("5s"), or until claims hold ({"tunnel net": "up"}); then look there.

        Raises LabError when claims never hold.
        """
        bar = Progress() if progress else None
        try:
            if isinstance(until, Mapping):
                self._run_until_claims(until)
            else:
                stop = self.topology.until if until is None else _time(until)
                self._run.advance(stop, progress=bar)
                if until is None:
                    self._run.finish()
        finally:
            if bar is not None:
                bar.close()
            self.to_the_end()
        return self

    def _run_until_claims(self, claims: Mapping[str, str]) -> None:
        def hold() -> bool:
            return all(expect(self._run, subject, claim).is_met for subject, claim in claims.items())

        while not hold():
            if not self._run.step(self.topology.until):
                words = ", ".join(f"{subject}: {claim}" for subject, claim in claims.items())
                raise LabError(f"'{words}' never held; ask lab.why() what went wrong")

    def step(self, count: int = 1) -> Turn:
        """Go on by turns: past the end it simulates, before it only the position moves."""
        self._cursor.step(count)
        return self.turn

    def back(self, count: int = 1) -> Turn:
        """Go back by turns, at most to the start."""
        self._cursor.back(count)
        return self.turn

    def at(self, where: int | str | Turn | Packet) -> Turn:
        """Go to 12, "1.5s", "start", "end", "next drop", "last ike", or to where a packet was made."""
        if isinstance(where, Turn):
            where = where.number
        elif isinstance(where, Packet):
            where = where.life.born
        self._cursor.at(where)
        return self.turn

    # -- act ------------------------------------------------------------------------------------

    def do(self, sentence: str, *, at: str | None = None) -> "Lab":
        """A sentence of the script, for now or for a time to come. It does not wait: `run` goes on."""
        verbs.perform(self, sentence, at)
        return self

    def run_at_the_end(self) -> Run:
        """The run, for who acts in it. Raises LabError from the past."""
        cursor = self._cursor
        if cursor.turn != cursor.end:
            raise LabError(
                f"you are looking at turn {cursor.turn} of {cursor.end}, and the past can't be changed. Go to the "
                'present with lab.at("end"), or try it in a copy: lab.with_(...)'
            )
        return self._run

    def to_the_end(self) -> None:
        """Look at the present."""
        self._cursor.at("end")

    # -- look -----------------------------------------------------------------------------------

    @property
    def packets(self) -> Packets:
        """All packets made up to the position."""
        all_ = Packets(self._run)
        turn = self._cursor.turn
        return all_ if turn == self._cursor.end else all_.where(lambda packet: packet.life.born <= turn)

    def packet(self, number: int) -> Packet:
        """The packet of this number. Raises NoSuchThing."""
        found = Packets(self._run).number(number)
        assert isinstance(found, Packet)  # noqa: S101 - that is what a lab's packets are
        return found

    @property
    def drops(self) -> Table:
        """Every drop so far: where, why, and which packet."""
        lives = self._run.lives
        rows: list[dict[str, Cell]] = []
        for number in range(1, self._cursor.turn + 1):
            story = self._teller.tell(number)
            if story.drop is not None:
                found = [
                    lives.ended_by[row.sequence]
                    for row in self._run.recorder.turn(number)
                    if row.sequence in lives.ended_by
                ]
                rows.append(
                    {
                        "turn": number,
                        "node": story.node,
                        "reason": story.drop.code,
                        "packet": found[0].number if found else None,
                        "clause": story.clause,
                        "say": story.say,
                    }
                )
        return Table("Drops", ("turn", "node", "reason", "packet", "clause", "say"), rows)

    def node(self, name: str) -> NodeView:
        """What a node knows at the position. Raises NoSuchThing."""
        self._check("node", name, self.topology.nodes)
        return NodeView(self._run, self._cursor.turn, name)

    def tunnel(self, name: str) -> Tunnel:
        """Both ends of a tunnel at the position. Raises NoSuchThing."""
        self._check("tunnel", name, self.topology.tunnels)
        return Tunnel(self._run, self._cursor.turn, name)

    def sas(self, node: str | None = None) -> Table:
        """The SAs of one node or of all, at the position."""
        return nodes.sas(self._run, self._cursor.turn, self._nodes(node))

    def policies(self, node: str | None = None) -> Table:
        """The SPD rules of one node or of all, at the position."""
        return nodes.policies(self._run, self._cursor.turn, self._nodes(node))

    def routes(self, node: str | None = None) -> Table:
        """The routes of one node or of all, at the position."""
        return nodes.routes(self._run, self._cursor.turn, self._nodes(node))

    def nat(self, node: str | None = None) -> Table:
        """What NATs remember, at the position."""
        return nodes.nat(self._run, self._cursor.turn, self._nodes(node))

    def why(self, about: Packet | str | int | None = None) -> Why:
        """Why it went wrong: a tunnel, traffic, a node, a packet, or the run as a whole. Raises ConfigError."""
        return ask(self._run, about.number if isinstance(about, Packet) else about)

    # -- ask ------------------------------------------------------------------------------------

    def measure(self, what: str) -> float:
        """A number in words: "ping received", "packets layer=esp bytes", "tunnel net setup_time" (in seconds)."""
        return measure(self._run, what)

    def expect(self, subject: str, claim: str) -> Expected:
        """Does a claim hold now? `expect("ping", "received 3")`. It is true or false, and says what was found."""
        return Expected(expect(self._run, subject, claim))

    @property
    def verdicts(self) -> Table:
        """What came of the file's own expectations."""
        rows: list[dict[str, Cell]] = [
            {"met": each.is_met, "subject": each.subject, "claim": each.claim, "found": each.found}
            for each in self._run.verdicts()
        ]
        return Table("Expectations", ("met", "subject", "claim", "found"), rows)

    def overhead(self) -> Table:
        """What protection cost, in bytes, part by part."""
        rows: list[dict[str, Cell]] = [
            {
                "node": each.node,
                "policy": each.policy,
                "protocol": each.protocol,
                "packets": each.packets,
                "inner": each.inner,
                **each.parts,
                "wire": each.wire,
                "percent": round(each.percent, 1),
            }
            for each in overhead(self._run.recorder)
        ]
        return Table("Overhead in bytes", tuple(rows[0]) if rows else (), rows)

    # -- vary, teach ----------------------------------------------------------------------------

    def with_(
        self, *changes: Change, seed: int | str | None = None, at: int | str | None = None, **params: object
    ) -> "Lab":
        """A new lab, not yet run, with changes: `with_("links.wan.mtu=1400")`, `with_(nat="none")`."""
        if at is not None:
            raise LabError("with_(..., at=) is not there yet; leave at= out, and run the copy from its start")
        made = object.__new__(type(self))
        made._begin(self.source.changed(changes, seed, params))
        return made

    def predict(self, what: str, value: float | str) -> None:
        """Write down a guess, before looking. Nobody grades it."""
        self._predictions.predict(what, value)

    @property
    def predictions(self) -> Table:
        """Guesses beside what came of them; measured where the words are a measure."""
        return self._predictions.compare(self._outcome)

    def _outcome(self, what: str) -> float | None:
        return self.measure(what) if self._run.turns else None

    # -- how it shows ---------------------------------------------------------------------------

    def text(self) -> str:
        """What it is, where it stands, what its traffic found out, and whether all is well."""
        run, topology = self._run, self.topology
        size = ", ".join(text.size(topology)[:2])
        up = sum(is_up(run.world, name) for name in topology.tunnels)
        up_of = f"{up} of {len(topology.tunnels)} tunnels up"
        head = f"{topology.name}  seed {run.seed}   {self._where()}   {size}"
        if not run.turns:
            return f"{head}, {up_of}"
        is_past = self._cursor.turn != self._cursor.end
        head += f"\n  in the end {up_of}" if is_past else f", {up_of}"
        lines = [
            f"  {verb} {source} {to}   {tables.found(verb, run.world.results[name])}"
            for name, (verb, source, to) in run.world.traffic.items()
        ]
        verdicts = run.verdicts()
        met = sum(each.is_met for each in verdicts)
        leaks = len(list(check_leaks(run.recorder, run.world.simulator))) or "none"
        dropped = len(self.drops) or "none"
        lines.append(f"  drops {dropped}   leaks {leaks}   expectations {met} of {len(verdicts)}")
        return "\n".join([head, *lines])

    def _where(self) -> str:
        if not self._run.turns:
            return "not run yet"
        cursor = self._cursor
        if cursor.turn != cursor.end:
            return f"at turn {cursor.turn} of {cursor.end}, {format_seconds(cursor.now, 3)}"
        what = "quiet" if self._run.world.simulator.is_quiet() else "stopped"
        return f"{what} at {format_seconds(self._run.now, 3)} after {cursor.end} turns"

    def _ipython_key_completions_(self) -> list[str]:
        return [*self.topology.nodes, *self.topology.links, *self.topology.tunnels]

    def _turn(self, number: int) -> Turn:
        run = self._run
        if not number:
            return Turn(0, run.turns, 0, None)
        story = self._teller.tell(number)
        return Turn(number, run.turns, story.at, story, run.inventory.changes(number))

    def _nodes(self, node: str | None) -> list[str]:
        if node is None:
            return list(self.topology.nodes)
        self._check("node", node, self.topology.nodes)
        return [node]

    def _check(self, kind: str, name: str, known: Mapping[str, object]) -> None:
        if name not in known:
            raise NoSuchThing(f"there is no {kind} '{name}'{did_you_mean(name, known)}")


def _time(written: str) -> Instant:
    try:
        return units.duration(written)
    except Mistake as mistake:
        raise LabError(f'run(until="{written}"): {mistake}') from mistake
