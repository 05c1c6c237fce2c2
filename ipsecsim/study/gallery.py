"""A folder of failures: each is run and asked what is wrong, and if wanted, shown to be cured by one setting."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.scenario.model import Topology
from ipsecsim.study.proof import Proof, prove
from ipsecsim.study.why import Why, why


@dataclass(frozen=True, slots=True)
class Row:
    """One file and its main trouble. `proof` is None where it was not asked for, or no setting is a cure."""

    name: str
    why: Why
    proof: Proof | None


def gallery(sources: Iterable[str | Path], *, with_proof: bool = False) -> Iterator[Row]:
    """A row for each topology, as soon as it has run. Raises ConfigError."""
    for source in sources:
        run = Run(read(source)).run()
        answer = why(run)
        proof = prove(run, answer, partial(_again, source)) if with_proof else None
        yield Row(Path(source).stem, answer, proof)


def _again(source: str | Path, settings: Sequence[tuple[str, str]]) -> Topology:
    return read(source, settings=settings)
