"""A topology put to the test: it loads, runs, repeats, keeps the invariants, meets its claims, tells its story."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.matrix import read_cell
from ipsecsim.experiment.run import MOST_TURNS, Run
from ipsecsim.observe.invariants import invariants
from ipsecsim.observe.written import jsonl
from ipsecsim.scenario import read
from ipsecsim.scenario.matrix import cells
from ipsecsim.scenario.model import StateClaim, Topology

Tell = Callable[[Run], str]
"""The story of a run, as a golden file holds it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One world of a file: the file as it stands, or one cell of its matrix. `golden` is its story."""

    source: str
    cell: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[tuple[str, str]] = ()
    golden: Path | None = None

    def __str__(self) -> str:
        return " ".join([Path(self.source).stem, *(f"{axis}={value}" for axis, value in self.cell.items())])

    def run(self) -> Run:
        """The finished run. Raises ConfigError."""
        topology = read_cell(self.source, self.cell, params=self.params, settings=self.settings)
        return Run(topology).run()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a case. `faults` are sentences, none when all is well; `fingerprint` stands for the trace."""

    case: Case
    turns: int
    claims: int
    faults: tuple[str, ...]
    fingerprint: str


def cases(
    source: str,
    *,
    params: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    golden: Path | None = None,
) -> list[Case]:
    """The file as it stands, unless that is one of its cells, and every cell of its matrix. Raises ConfigError.

    `golden` is the folder of stories; the one called like the topology is that of the file as it stands.
    """
    topology = read(source, params=params, settings=settings)
    given = {**topology.params, **dict(settings)}
    story = None if golden is None else golden / f"{topology.name}.txt"
    story = story if story is not None and story.is_file() else None
    made = [
        Case(source, cell, params or {}, settings, story if _is(cell, given) else None)
        for cell in cells(topology.matrix)
        if cell
    ]
    if not any(_is(each.cell, given) for each in made):
        made.insert(0, Case(source, {}, params or {}, settings, story))
    return made


def _is(cell: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Is this cell what the file says anyway?"""
    return all(given.get(axis) == value for axis, value in cell.items())


def examine(case: Case, tell: Tell) -> Trial:
    """Run a case once and hold it to everything that one run can show. What cannot be asked for is a fault too."""
    try:
        run = case.run()
        verdicts = run.verdicts()
    except ConfigError as mistake:
        return Trial(case, 0, 0, (str(mistake),), "")
    faults = [str(verdict) for verdict in verdicts if not verdict.is_met]
    faults += [str(each) for each in check(run)]
    if run.turns >= MOST_TURNS:
        faults.append(f"it does not come to an end: {MOST_TURNS} turns were not enough; say until:")
    if case.golden is not None:
        faults += _compare(tell(run), case.golden.read_text(encoding="utf-8"))
    return Trial(case, run.turns, len(verdicts), tuple(faults), fingerprint(run))


def check(run: Run) -> list[invariants.Violation]:
    """Where a run breaks an invariant; a leak does not, where the file claims one."""
    return invariants.check(run.recorder, run.world.simulator, may_leak=_claims_leaks(run.topology))


def _claims_leaks(topology: Topology) -> bool:
    return any(
        each.subject.kind == "leaks" and not isinstance(each.claim, StateClaim) for each in topology.expect
    )


def fingerprint(run: Run) -> str:
    """A hash over every row of the recording, and so over all bytes on all links."""
    digest = sha256()
    for row in run.recorder.rows:
        digest.update(jsonl.to_json(row).encode())
    return digest.hexdigest()


def _compare(told: str, golden: str) -> list[str]:
    """The first line that differs."""
    if told == golden:
        return []
    ours, theirs = told.splitlines(), golden.splitlines()
    number = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), -1)
    if number < 0:
        return [f"the golden story has {len(theirs)} lines, and now there are {len(ours)}"]
    return [
        f"line {number + 1} of the golden story is '{theirs[number].strip()}', now '{ours[number].strip()}'"
    ]


def examine_all(todo: Sequence[Case], tell: Tell) -> Iterator[Trial]:
    """Examine cases on every processor, each in two interpreters that hash differently; in the order given."""
    workers = max(1, min(len(todo), (cpu_count() or 2) // 2))
    with _interpreters(workers) as first, _interpreters(workers) as second:
        pairs = [(first.submit(examine, case, tell), second.submit(_once_more, case)) for case in todo]
        try:
            for trial, again in pairs:
                yield _together(trial.result(), again.result())
        finally:  # whoever has seen enough does not wait for the rest
            for pool in (first, second):
                pool.shutdown(cancel_futures=True)


def _interpreters(number: int) -> ProcessPoolExecutor:
    """Fresh ones: a forked one would hash as this one does. An interrupt is for whoever asked, not for them."""
    context = get_context("spawn")
    return ProcessPoolExecutor(number, mp_context=context, initializer=signal, initargs=(SIGINT, SIG_IGN))


def _once_more(case: Case) -> str:
    try:
        return fingerprint(case.run())
    except ConfigError:
        return ""  # the other interpreter tells


def _together(trial: Trial, again: str) -> Trial:
    if trial.fingerprint == again:
        return trial
    fault = "it does not repeat: another interpreter made another trace of it"
    return replace(trial, faults=(*trial.faults, fault))
