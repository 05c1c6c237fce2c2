"""Building protections: mistakes in keys and pairings end before the first packet."""

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY
from ipsecsim.crypto.protection import make_protection

GCM, CBC, SHA256 = ENCRYPTION[20], ENCRYPTION[12], INTEGRITY[12]


@pytest.mark.conf("ESP-28")
@pytest.mark.parametrize("row", ENCRYPTION.values(), ids=lambda row: row.name)
def test_the_attributes_are_those_of_the_rows(row):
    integrity = None if row.combined else SHA256
    key = bytes(row.key_bits[0] // 8 + row.salt)
    made = make_protection(row, row.key_bits[0], key, integrity, bytes(32) if integrity else b"")
    assert (made.combined, made.iv_length, made.alignment) == (row.combined, row.iv, row.block)
    assert made.icv_length == (row.icv or SHA256.icv)


@pytest.mark.parametrize(
    ("encryption", "key_bits", "key", "integrity", "integrity_key", "complaint"),
    [
        (GCM, 128, bytes(16), None, b"", "20 bytes of key material, not 16"),
        (GCM, 100, bytes(20), None, b"", "no keys of 100 bits"),
        (GCM, 128, bytes(20), SHA256, bytes(32), "brings its own integrity check"),
        (CBC, 128, bytes(16), SHA256, bytes(31), "32 bytes of key material, not 31"),
        (CBC, 128, bytes(16), INTEGRITY[9], bytes(20), "aes-128-gmac is for AH alone"),
        (ENCRYPTION[21], 128, bytes(20), SHA256, bytes(32), "brings its own integrity check"),
    ],
)
def test_what_does_not_fit_is_the_callers_mistake(
    encryption, key_bits, key, integrity, integrity_key, complaint
):
    with pytest.raises(LocalError, match=complaint):
        make_protection(encryption, key_bits, key, integrity, integrity_key)


@pytest.mark.conf("ARC-23")
def test_neither_encryption_nor_integrity_is_refused():
    with pytest.raises(LocalError, match="null without an integrity algorithm protects nothing"):
        make_protection(ENCRYPTION[11], 0, b"", None)


def test_a_classic_cipher_alone_is_left_to_study_and_lets_every_forgery_through():
    sender, receiver = (make_protection(CBC, 128, bytes(16), None) for _ in range(2))
    sealed = sender.seal(b"header", bytes(32))
    assert (sender.combined, sender.icv_length, len(sealed)) == (False, 0, 16 + 32)
    assert receiver.open(b"another header", sealed) == bytes(32)
    forged = bytearray(sealed)
    forged[15] ^= 1  # the IV: exactly this bit flips in the first block
    assert receiver.open(b"", bytes(forged)) == bytes(15) + b"\x01" + bytes(16)
