"""Every row of the catalogue, and every key size of a cipher, is reached by a vector that passes."""

import functools

import pytest

from ipsecsim.crypto.catalogue import ENCRYPTION, GROUPS, INTEGRITY, PRF
from tests.vectors import runner
from tests.vectors.results import Outcome

ROWS = [
    *(("encryption", row.id, key_bits, row.name) for row in ENCRYPTION.values() for key_bits in row.key_bits),
    *(("integrity", row.id, 0, row.name) for row in INTEGRITY.values()),
    *(("prf", row.id, 0, row.name) for row in PRF.values()),
    *(("groups", row.id, 0, row.name) for row in GROUPS.values()),
]


@functools.cache
def reached() -> set[tuple[str, int, int]]:
    """The rows that passing cases of the project's own vector files went through."""
    return {
        row
        for path in runner.DATA.glob("*.json")
        for result in runner.run_file(path.stem, path)
        if result.outcome is Outcome.PASSED
        for row in result.reached
    }


@pytest.mark.parametrize(("table", "number", "key_bits", "name"), ROWS)
def test_row_is_reached_by_a_published_vector(table, number, key_bits, name):
    assert (table, number, key_bits) in reached(), f"{name}: no vector reaches this row"
