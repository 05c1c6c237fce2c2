"""Every row of the catalogue, and every key size of a cipher, is reached by a vector that passes."""

import functools

import pytest

from ipsecsim.crypto.catalogue import ENCRYPTION, GROUPS, INTEGRITY, PRF
from tests.unit.crypto.test_second_implementation import CHECKED
from tests.vectors import runner
from tests.vectors.results import Outcome

ROWS = [
    *(("encryption", row.id, key_bits, row.name) for row in ENCRYPTION.values() for key_bits in row.key_bits),
    *(("integrity", row.id, 0, row.name) for row in INTEGRITY.values()),
    *(("prf", row.id, 0, row.name) for row in PRF.values()),
    *(("groups", row.id, 0, row.name) for row in GROUPS.values()),
]

NO_NUMBERS = "RFC 8750 prints no numbers: the row is one with an explicit IV, and the IV is known otherwise"
OTHER_NONCE = "NIST has numbers for this key size and tag with nonces of 7 and 13 bytes, but ESP's have 11"
OTHER_KEY = "RFC 4543 prints no numbers, and packets are published for keys of 128 bits only"
UNPUBLISHED = {
    ("encryption", 29, 128): NO_NUMBERS,
    ("encryption", 29, 192): NO_NUMBERS,
    ("encryption", 29, 256): NO_NUMBERS,
    ("encryption", 30, 128): NO_NUMBERS,
    ("encryption", 30, 192): NO_NUMBERS,
    ("encryption", 30, 256): NO_NUMBERS,
    ("encryption", 31, 256): NO_NUMBERS,
    ("encryption", 14, 256): OTHER_NONCE,
    ("encryption", 15, 256): OTHER_NONCE,
    ("encryption", 21, 192): OTHER_KEY,
    ("encryption", 21, 256): OTHER_KEY,
}
"""Rows without published numbers, and why. A second implementation has to agree with each."""


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
def test_row_is_reached_by_a_published_vector_or_said_to_have_none(table, number, key_bits, name):
    row = (table, number, key_bits)
    if row in UNPUBLISHED:
        assert row not in reached(), f"{name}: there is a vector now, take the row out of UNPUBLISHED"
        assert (number, key_bits) in CHECKED, f"{name}: neither a vector nor a second implementation"
    else:
        assert row in reached(), f"{name}: no vector reaches this row"


def test_rows_said_to_have_no_vector_exist():
    assert UNPUBLISHED.keys() <= {row[:3] for row in ROWS}
