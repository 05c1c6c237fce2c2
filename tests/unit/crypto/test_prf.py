"""prf and prf+."""

import hmac

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import PRF
from ipsecsim.crypto.prf import compute, prf_plus

HASHES = {1: "md5", 2: "sha1", 5: "sha256", 6: "sha384", 7: "sha512"}


@pytest.mark.parametrize("row", [PRF[number] for number in HASHES], ids=lambda row: row.name)
def test_prf_is_hmac_of_the_hash_in_its_name(row):
    for key in (b"", b"short", bytes(300)):
        assert compute(row, key, b"data") == hmac.digest(key, b"data", HASHES[row.id])
    assert len(compute(row, b"key", b"")) == row.output


@pytest.mark.parametrize("row", PRF.values(), ids=lambda row: row.name)
def test_prf_plus_chains_blocks_and_cuts_the_last(row):
    first = compute(row, b"key", b"seed" + b"\x01")
    second = compute(row, b"key", first + b"seed" + b"\x02")
    assert prf_plus(row, b"key", b"seed", row.output + 5) == first + second[:5]
    assert prf_plus(row, b"key", b"seed", 1) == first[:1]
    assert prf_plus(row, b"key", b"seed", 0) == b""


def test_prf_plus_ends_after_255_blocks():
    row = PRF[5]
    assert len(prf_plus(row, b"key", b"seed", 255 * 32)) == 255 * 32
    with pytest.raises(LocalError, match="8160 bytes"):
        prf_plus(row, b"key", b"seed", 255 * 32 + 1)
