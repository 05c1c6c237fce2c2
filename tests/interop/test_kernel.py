"""A live Linux kernel agrees with us: the same cases as `make interop`, a test each."""

import os
from collections.abc import Iterator

import pytest

from tests.interop.kernel import runner
from tests.interop.kernel.cases import CASES
from tests.interop.kernel.guest import Guest

WHY_NOT = runner.why_not()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(WHY_NOT is not None and "CI" not in os.environ, reason=WHY_NOT or ""),
]


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    with runner.booted() as guest:
        yield guest


def test_kernel_is_here_in_ci() -> None:
    assert WHY_NOT is None, WHY_NOT


@pytest.mark.parametrize("key", CASES)
def test_kernel_agrees(key: str, guest: Guest) -> None:
    rows = runner.run(CASES[key], guest)
    assert rows
    for row in rows:
        assert row.result == "ok", f"{row.step}: {row.detail}"
