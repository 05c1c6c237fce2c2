"""The AEAD ciphers: what they refuse, and that no nonce ever comes twice."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import ENCRYPTION
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection

COMBINED = [row for row in ENCRYPTION.values() if row.combined]
WITH_IV = [row for row in COMBINED if row.iv]


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
@pytest.mark.parametrize("row", WITH_IV, ids=lambda row: row.name)
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


@pytest.mark.conf("ESP-12", "ESP-13", "ESP-15")
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


@pytest.mark.conf("ESP-26")
@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_a_failed_check_tells_nothing_of_what_it_was_about(row):
    sealed = bytearray(protection(row, 256).seal(b"header", b"confidential"))
    sealed[-1] ^= 1
    with pytest.raises(IntegrityFailed) as caught:
        protection(row, 256).open(b"header", bytes(sealed))
    assert [type(each) for each in caught.value.args] == [str]
    assert "confidential" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert not vars(caught.value)


@pytest.mark.parametrize("row", COMBINED, ids=lambda row: row.name)
def test_an_iv_of_the_wrong_length_is_the_callers_mistake(row):
    with pytest.raises(LocalError, match="IV of 12 bytes"):
        protection(row, 256).seal(b"", b"", bytes(12))


@pytest.mark.conf("ESP-15")
def test_gmac_leaves_the_payload_in_clear_and_covers_it_with_its_iv():
    sealed = protection(ENCRYPTION[21], 128).seal(b"SPI and sequence", b"payload")
    assert sealed[:8] + sealed[8:-16] == bytes(7) + b"\x01" + b"payload"
    assert len(sealed) == 8 + len(b"payload") + 16


def test_a_cut_tag_is_the_front_of_the_whole_one():
    whole = protection(ENCRYPTION[20], 128).seal(b"header", bytes(100))
    assert protection(ENCRYPTION[19], 128).seal(b"header", bytes(100)) == whole[:-4]
    assert protection(ENCRYPTION[18], 128).seal(b"header", bytes(100)) == whole[:-8]


@pytest.mark.conf("ESP-28")
@pytest.mark.parametrize(("implicit", "explicit"), [(30, 20), (29, 14), (31, 28)])
@pytest.mark.parametrize("sequence", [bytes(3) + b"\x07", bytes(3) + b"\x01" + bytes(3) + b"\x07"])
def test_an_implicit_iv_is_the_sequence_number_and_saves_eight_bytes(implicit, explicit, sequence):
    aad, iv = b"\0SPI" + sequence, sequence.rjust(8, b"\0")
    sender, known = (protection(ENCRYPTION[number], 256) for number in (implicit, explicit))
    sealed = sender.seal(aad, b"payload")
    assert iv + sealed == known.seal(aad, b"payload", iv)
    assert sender.iv_length == 0
    with pytest.raises(IntegrityFailed):
        sender.open(aad[:-1] + b"\x08", sealed)
