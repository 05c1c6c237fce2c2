"""A live strongSwan agrees with us: the same cases as `make interop`, a test each."""

import os

import pytest

from tests.interop import runner
from tests.interop.cases import CASES

WHY_NOT = runner.why_not()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(WHY_NOT is not None and "CI" not in os.environ, reason=WHY_NOT or ""),
]


def test_strongswan_is_here_in_ci() -> None:
    assert WHY_NOT is None, WHY_NOT


@pytest.mark.parametrize("key", CASES)
def test_charon_agrees(key: str) -> None:
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    rows = runner.run(key)
    assert rows
    for row in rows:
        assert row.result == "ok", f"{row.step}: {row.detail}"
