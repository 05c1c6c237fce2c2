"""Running every cell of a topology's matrix: the file as a truth table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.scenario.matrix import cells, is_path
from ipsecsim.scenario.model import Topology


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell and its finished run."""

    cell: Mapping[str, str]
    run: Run

    @property
    def is_met(self) -> bool:
        """Did all claims that speak of this cell hold?"""
        return all(verdict.is_met for verdict in self.run.verdicts())


def run_matrix(
    source: str | Path,
    *,
    params: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    seed: str | None = None,
    prepare: Callable[[Run], None] = lambda _: None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Run every cell, one after the other, each made ready by `prepare`.

    Raises ConfigError for a topology without a matrix.
    """
    params = params or {}
    matrix = read(source, params=params, settings=settings).matrix
    if not matrix:
        raise ConfigError(f"'{source}' has no matrix; `ipsecsim run` runs it as it is")
    todo = list(cells(matrix))
    for number, cell in enumerate(todo, start=1):
        topology = read_cell(source, cell, params=params, settings=settings)
        run = Run(topology, seed=seed)
        prepare(run)
        yield Outcome(cell, run.run())
        if progress is not None:
            progress(number, len(todo))


def read_cell(
    source: str | Path,
    cell: Mapping[str, str],
    *,
    params: Mapping[str, str],
    settings: Sequence[tuple[str, str]],
) -> Topology:
    """The topology of one cell: its axes are parameters, or settings by path."""
    return read(
        source,
        params={**params, **{axis: value for axis, value in cell.items() if not is_path(axis)}},
        settings=[*settings, *((axis, value) for axis, value in cell.items() if is_path(axis))],
    )


def check_axes(
    source: str | Path, topology: Topology, *, params: Mapping[str, str], settings: Sequence[tuple[str, str]]
) -> None:
    """Read the file once with each value of each axis, all else as it stands. Raises ConfigError."""
    for axis, values in topology.matrix.items():
        for value in values:
            read_cell(source, {axis: value}, params=params, settings=settings)
