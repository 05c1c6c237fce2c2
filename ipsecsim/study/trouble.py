"""What went wrong in a run, and which of it a question is about."""

from collections.abc import Iterable
from dataclasses import dataclass

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.exposures import Exposure
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up, traffic_names
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.experiment.tunnels import Tunnels
from ipsecsim.net.apps import APPS
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why import findings
from ipsecsim.study.exposed import exposed
from ipsecsim.study.then import Then

BY_DESIGN = frozenset(
    {
        DropReason.KEEPALIVE,
        DropReason.DUMMY,
        DropReason.COOKIE_REQUIRED,
        DropReason.FRAG_DUP,
        DropReason.RETRANSMIT_IGNORED,
    }
)
"""Packets that end like this have done what they were sent for."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A diagnosis or exposure with the rows that show it, or drops at one node for a reason that none explains.

    `by` is who has what an exposure gave away.
    """

    reason: Diagnosis | Exposure | DropReason
    rows: tuple[Record, ...]
    sentence: str
    rules: tuple[tuple[str, str], ...] = ()
    by: str = ""

    @property
    def node(self) -> str:
        """Where it shows."""
        return self.rows[0].node

    @property
    def is_explained(self) -> bool:
        """Is it known what is wrong as a whole, and not only which check ended packets?"""
        return not isinstance(self.reason, DropReason)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about. `tunnel`, `traffic`, `node` and `packet` are empty where the question names none."""

    words: str
    tunnel: str = ""
    traffic: frozenset[str] = frozenset()
    node: str = ""
    packet: int = 0


class Evidence:
    """A run, looked at once: the lives of its packets, and all that went wrong, what is explained first."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.world = run.world
        self.recorder = run.recorder
        self.lives = run.lives
        self.teller = teller(run)
        self.then = Then(run)
        self._tunnels = Tunnels(run.world)
        given = [Trouble(each.exposure, each.rows, each.sentence, by=each.by) for each in exposed(run)]
        found = [
            Trouble(each.diagnosis, each.rows, each.sentence, each.rules)
            for each in findings(run.recorder, run.world.simulator)
        ]
        # what was given away in a turn goes before the harm that came of it
        known = sorted([*given, *found], key=lambda each: each.rows[0].turn.number)
        self.troubles = [*known, *_unexplained(run, found)]

    def question(self, about: str | int | None) -> Question:
        """'tunnel net', 'ping alice bob', 'node west', 'packet 7' or 7. Raises ConfigError for all else."""
        if about is None or about == "":
            return Question("the run")
        if isinstance(about, int):
            return self._packet(about)
        kind, _, name = about.strip().partition(" ")
        if kind == "tunnel":
            tunnels = self.world.topology.tunnels
            name = next(iter(tunnels)) if not name and len(tunnels) == 1 else name
            return Question(f"tunnel {name}", tunnel=_one_of("tunnel", name, tunnels))
        if kind == "node":
            return Question(f"node {name}", node=_one_of("node", name, self.world.topology.nodes))
        number = name if kind == "packet" else about.strip().removeprefix("#")
        if number.isdecimal():
            return self._packet(int(number))
        names = frozenset(traffic_names(self.world, tuple(about.split())))
        if not names:
            _one_of("traffic", about, self.world.traffic)
        return Question(about.strip(), traffic=names)

    def harm(self) -> list[Trouble]:
        """All that went wrong with the run, as `about` has it for the question about all of it."""
        return self.about(self.question(None))

    def of_traffic(self, name: str) -> Question:
        """The question about one traffic. Who made it is said where nobody gave it a name."""
        verb, source, to = self.world.traffic[name]
        has_name = name.split()[0] != verb
        return Question(name if has_name else f"{verb} {source} {to}", traffic=frozenset((name,)))

    def about(self, question: Question) -> list[Trouble]:
        """The troubles that a question is about, diagnoses first; of a run also drops that did unexplained harm."""
        if question.tunnel:
            return [each for each in self.troubles if self._tunnels.is_about(each, question.tunnel)]
        if question.node:
            return [each for each in self.troubles if any(row.node == question.node for row in each.rows)]
        if question.packet:
            return self._about_packet(self.lives[question.packet])
        if question.traffic:
            return [each for each in self.troubles if self.behind(each.rows) & question.traffic]
        known = [each for each in self.troubles if each.is_explained]
        hurt = self.hurt() - self.behind(row for each in known for row in each.rows)
        return [each for each in self.troubles if each.is_explained or self.behind(each.rows) & hurt]

    def behind(self, rows: Iterable[Record]) -> frozenset[str]:
        """The traffic on whose account rows happened."""
        return frozenset().union(*(self.lives.behind[row.sequence] for row in rows))

    def tunnel_of(self, trouble: Trouble) -> str:
        """The first tunnel that it concerns; '' for none."""
        tunnels = self.world.topology.tunnels
        return next((name for name in tunnels if self._tunnels.is_about(trouble, name)), "")

    def hurt(self) -> frozenset[str]:
        """Traffic of which not all arrived."""
        return frozenset(name for name, result in self.world.results.items() if result.lost)

    def _packet(self, number: int) -> Question:
        if not 1 <= number <= len(self.lives.all):
            raise ConfigError(f"there is no packet {number}; there are: 1 to {len(self.lives.all)}")
        return Question(f"packet {number}", packet=number)

    def _about_packet(self, life: Life) -> list[Trouble]:
        """What ended a packet, or one that it was part of; an end that was by design too."""
        related = self._related(life)
        for each in self.troubles:
            rows = tuple(row for row in each.rows if self._about(row) & related)
            if rows:
                return [Trouble(each.reason, rows, each.sentence, each.rules)]
        for sequence, ended in self.lives.ended_by.items():
            if ended.number == life.number and ended.reason is not None:
                row = self.recorder.rows[sequence]
                return [Trouble(ended.reason, (row,), _dropped([row]))]
        return []

    def _about(self, row: Record) -> set[int]:
        ended = self.lives.ended_by.get(row.sequence)
        return {self.lives.about[row.sequence]} | (set() if ended is None else {ended.number})

    def _related(self, life: Life) -> set[int]:
        """A packet, those in which it travelled on, as a whole or in pieces, and what came out of it."""
        found, todo = {life.number}, [life]
        while todo:
            each = todo.pop()
            for number in (*each.carried_by, *each.carries, *each.pieces):
                if number not in found:
                    found.add(number)
                    todo.append(self.lives[number])
        return found

    def state(self, question: Question) -> str:
        """'tunnel net is down', 'ping alice bob: 0 of 3 got through'."""
        if question.tunnel:
            return f"{question.words} is {'up' if is_up(self.world, question.tunnel) else 'down'}"
        if question.traffic:
            verbs = {self.world.traffic[name][0] for name in question.traffic}
            if any("received" not in APPS[verb].measures for verb in verbs):
                return question.words
            results = [self.world.results[name] for name in question.traffic]
            received, sent = sum(each.received for each in results), sum(each.sent for each in results)
            return f"{question.words}: {received} of {sent} got through"
        if question.packet:
            return f"{question.words} was {self.lives[question.packet].ends}"
        return question.words


def _one_of(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name not in names:
        there = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"
        raise ConfigError(f"there is no {kind} '{name}'; there are: {there}")
    return name


def _unexplained(run: Run, found: list[Trouble]) -> list[Trouble]:
    """Drops that no diagnosis speaks of, by node and reason."""
    explained = {row.sequence for each in found for row in each.rows}
    left: dict[tuple[str, DropReason], list[Record]] = {}
    for row, event in run.recorder.of(PacketDropped):
        if row.sequence not in explained and event.reason not in BY_DESIGN:
            left.setdefault((row.node, event.reason), []).append(row)
    return [Trouble(reason, tuple(rows), _dropped(rows)) for (_, reason), rows in left.items()]


def _dropped(rows: list[Record]) -> str:
    event = rows[0].event
    detail = f" ({event.detail})" if isinstance(event, PacketDropped) and event.detail else ""
    return f"{rows[0].node} dropped {count(len(rows), 'packet')}{detail}"
