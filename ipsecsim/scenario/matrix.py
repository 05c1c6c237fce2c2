"""The matrix: one file, several worlds. An axis is a parameter or a path; a cell gives each axis one value."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario.model import Expectation

MOST_CELLS = 10_000

Cell = Mapping[str, str]


def cells(matrix: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Every combination, the last axis changing fastest. Raises ConfigError above 10,000."""
    count = 1
    for values in matrix.values():
        count *= len(values)
    if count > MOST_CELLS:
        raise ConfigError(f"the matrix has {count} cells; {MOST_CELLS} are the most")
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def is_path(axis: str) -> bool:
    """Is an axis set like `--set`? A parameter's name has no dot."""
    return "." in axis


def applies(expectation: Expectation, cell: Cell) -> bool:
    """Does a claim speak of this cell? One that is limited to an axis of which nothing is known does not."""
    return all(
        condition.key in cell and (cell[condition.key] in condition.values) is (condition.operator == "=")
        for condition in expectation.where
    )
