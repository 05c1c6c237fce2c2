"""A live Linux kernel agrees with us: the same cases as `make interop`, a test each."""

import os
from collections.abc import Iterator

import pytest

from tests.interop.kernel import cases, ike_cases, runner
from tests.interop.kernel.guest import Guest
from tests.interop.row import Row

WHY_NOT = runner.why_not()
WHY_NOT_BY_IKE = runner.why_not_by_ike()

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


@pytest.mark.parametrize("key", cases.CASES)
def test_kernel_agrees(key: str, guest: Guest) -> None:
    all_well(runner.run(cases.CASES[key], guest))


@pytest.mark.skipif(WHY_NOT_BY_IKE is not None and "CI" not in os.environ, reason=WHY_NOT_BY_IKE or "")
@pytest.mark.parametrize("key", ike_cases.CASES)
def test_kernel_agrees_with_keys_by_ike(key: str, guest: Guest) -> None:
    all_well(runner.run(ike_cases.CASES[key], guest))


def all_well(rows: list[Row]) -> None:
    assert rows
    for row in rows:
        assert row.result == "ok", f"{row.step}: {row.detail}"
