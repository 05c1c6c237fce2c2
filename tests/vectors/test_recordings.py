"""Recordings of real peers, a folder a test. What is not supported yet is shown, and is no pass."""

import pytest

from tests.vectors import recordings
from tests.vectors.report import failures, not_supported, table
from tests.vectors.results import Outcome

FULLY_SUPPORTED = {
    "ikev2-ah-tunnel",
    "ikev2-collision-child-rekey",
    "ikev2-cookie-invalid-ke",
    "ikev2-dpd",
    "ikev2-errors",
    "ikev2-mobike",
    "ikev2-natt-masquerade",
    "ikev2-natt-masquerade-libipsec",
    "ikev2-psk-aescbc-modp2048",
    "ikev2-psk-aescbc-modp2048-libipsec",
    "ikev2-psk-aesgcm-ecp384",
    "ikev2-psk-chapoly-x25519",
    "ikev2-rekey-pfs-delete",
    "ikev2-rsa-rfc7427-frag",
    "ikev2-second-child-narrowing",
    "ikev2-transport",
    "ikev2-transport-natt",
}
"""Recordings of which every single part is checked; they must not fall back. Of `kernel` all are."""


@pytest.mark.conf("ARC-25", "IK2-48", "IK2-118")
@pytest.mark.parametrize("family", recordings.folders())
def test_recording_is_reproduced_to_the_octet(family):
    results = recordings.run_folder(family, recordings.folders()[family])
    print(table("recordings", results), not_supported(results), sep="\n")
    assert not failures(results), failures(results)
    if family in FULLY_SUPPORTED or family.startswith("kernel/"):
        assert all(result.outcome is Outcome.PASSED for result in results), not_supported(results)


def test_the_fully_supported_recordings_are_there():
    assert set(recordings.folders()) >= FULLY_SUPPORTED
    assert sum(family.startswith("kernel/") for family in recordings.folders()) == 32
