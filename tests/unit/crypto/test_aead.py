"""The AEAD ciphers: what they refuse, and that no nonce ever comes twice."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import ENCRYPTION
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection

COMBINED = [row for row in ENCRYPTION.values() if row.combined]


def protection(row, key_bits: int) -> Protection:
    return make_protection(row, key_bits, bytes(range(key_bits // 8 + row.salt)), None)


@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_what_was_sealed_opens_again_for_every_key_size(row):
    for key_bits in row.key_bits:
        sender, receiver = protection(row, key_bits), protection(row, key_bits)
        for length in (0, 1, 15, 16, 17, 1400):
            plaintext = bytes(length)
            sealed = sender.seal(b"header", plaintext)
            assert len(sealed) == row.iv + length + row.icv
            assert receiver.open(b"header", sealed) == plaintext
            assert receiver.open(b"header", memoryview(sealed)) == plaintext


@pytest.mark.conf("ESP-12", "ESP-13")
@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_no_iv_repeats_under_a_key(row):
    sender = protection(row, row.key_bits[0])
    ivs = [sender.seal(b"", b"x")[: row.iv] for _ in range(1000)]
    assert len(set(ivs)) == 1000


def test_the_first_iv_is_one_and_they_count_up():
    sender = protection(ENCRYPTION[20], 128)
    assert [sender.seal(b"", b"")[:8] for _ in range(2)] == [bytes(7) + b"\x01", bytes(7) + b"\x02"]


def test_a_given_iv_is_used_and_does_not_disturb_the_count():
    sender = protection(ENCRYPTION[20], 128)
    assert sender.seal(b"", b"", b"recorded").startswith(b"recorded")
    assert sender.seal(b"", b"").startswith(bytes(7) + b"\x01")


@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_every_flipped_bit_fails_the_integrity_check(row):
    sender, receiver = protection(row, 256), protection(row, 256)
    sealed = sender.seal(b"aad", b"some plaintext")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 0x80
        with pytest.raises(IntegrityFailed):
            receiver.open(b"aad", bytes(damaged))
    with pytest.raises(IntegrityFailed):
        receiver.open(b"aae", sealed)
    assert receiver.open(b"aad", sealed) == b"some plaintext"


@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_every_truncation_is_refused_with_a_reason(row):
    sealed = protection(row, 256).seal(b"", b"plain")
    receiver = protection(row, 256)
    for length in range(len(sealed)):
        with pytest.raises(IntegrityFailed) as caught:
            receiver.open(b"", sealed[:length])
        assert caught.value.reason is DropReason.ICV_FAIL


def test_an_iv_of_the_wrong_length_is_the_callers_mistake():
    with pytest.raises(LocalError, match="IV of 12 bytes"):
        protection(ENCRYPTION[20], 128).seal(b"", b"", bytes(12))
