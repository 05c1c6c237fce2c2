"""Published numbers, a file a test. What is not supported yet is shown, and is no pass."""

import pytest

from tests.vectors import runner
from tests.vectors.report import failures, not_supported, table
from tests.vectors.results import Outcome

NOTHING_SUPPORTED_YET = {
    "eap",
    "ike_v1_encrypted",
    "ike_v1_hash",
    "mlkem",
}
"""Families of which no case can pass yet. One that can must leave this list."""

FULLY_SUPPORTED = {"ah_packets", "esp_packets", "ike_fragment_reassembly", "ike_sk_payload"}
"""Families of which every case passes; they must not fall back."""


@pytest.mark.parametrize("family", runner.files())
def test_published_numbers_hold(family):
    results = runner.run_file(family, runner.files()[family])
    print(table("published vectors", results), not_supported(results), sep="\n")
    assert not failures(results), failures(results)
    if family.split("/")[-1] in {path.stem for path in runner.DATA.glob("*.json")}:
        passed = any(result.outcome is Outcome.PASSED for result in results)
        assert passed == (family.split("/")[-1] not in NOTHING_SUPPORTED_YET)
    if family in FULLY_SUPPORTED:
        assert all(result.outcome is Outcome.PASSED for result in results), not_supported(results)


def test_the_fully_supported_families_are_there():
    assert set(runner.files()) >= FULLY_SUPPORTED
