"""Classic ciphers with a check around them: contexts that live long must not remember the wrong things."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection

CBC, SHA256 = ENCRYPTION[12], INTEGRITY[12]
CLASSIC = [row for row in ENCRYPTION.values() if not row.combined]
BLOCK_CIPHERS = {12: algorithms.AES, 23: Camellia, 3: TripleDES, 2: lambda key: TripleDES(key + key + key)}
CHAINED = [ENCRYPTION[number] for number in BLOCK_CIPHERS]


def keyed(row, key_bits: int, integrity=SHA256) -> Protection:
    key = bytes(range(key_bits // 8 + row.salt))
    return make_protection(row, key_bits, key, integrity, bytes(integrity.key_length))


def protection() -> Protection:
    return make_protection(CBC, 128, bytes(16), SHA256, bytes(SHA256.key_length))


def sealed_and_opened_in_any_order(row, key_bits, integrity):
    sender, receiver = keyed(row, key_bits, integrity), keyed(row, key_bits, integrity)
    plaintexts = [bytes([number]) * 16 * (1 + number % 5) for number in range(20)]
    sealed = [sender.seal(b"header", plaintext) for plaintext in plaintexts]
    for number in (3, 0, 19, 7, 7, 1, 18):
        assert receiver.open(b"header", memoryview(sealed[number])) == plaintexts[number]
        assert len(sealed[number]) == row.iv + len(plaintexts[number]) + integrity.icv


@pytest.mark.parametrize("row", CLASSIC, ids=lambda row: row.name)
def test_many_packets_through_one_context_open_in_any_order(row):
    for key_bits in row.key_bits:
        sealed_and_opened_in_any_order(row, key_bits, SHA256)


@pytest.mark.parametrize(
    "row", [row for row in INTEGRITY.values() if not row.ah_only], ids=lambda row: row.name
)
def test_every_integrity_algorithm_goes_with_a_classic_cipher(row):
    sealed_and_opened_in_any_order(CBC, 256, row)


@pytest.mark.parametrize("row", CHAINED, ids=lambda row: row.name)
def test_a_sealed_packet_is_plain_cbc_under_the_iv_it_carries(row):
    for key_bits in row.key_bits:
        sender = keyed(row, key_bits)
        cipher = BLOCK_CIPHERS[row.id](bytes(range(key_bits // 8)))
        for _ in range(3):
            sealed = sender.seal(b"", b"sixteen bytes...")
            fresh = Cipher(cipher, modes.CBC(sealed[: row.iv])).encryptor()
            assert sealed[row.iv :][:16] == fresh.update(b"sixteen bytes...")


def test_counter_mode_starts_at_one_behind_nonce_and_iv():
    sender = keyed(ENCRYPTION[13], 128)
    for number in (1, 2):
        sealed = sender.seal(b"", bytes(40))
        assert sealed[:8] == number.to_bytes(8, "big")
        block = bytes(range(16, 20)) + sealed[:8] + b"\0\0\0\x01"  # RFC 3686 4
        fresh = Cipher(algorithms.AES(bytes(range(16))), modes.CTR(block)).encryptor()
        assert sealed[8:48] == fresh.update(bytes(40))


def test_null_hides_nothing_and_is_authenticated():
    sealed = keyed(ENCRYPTION[11], 0).seal(b"header", b"in clear")
    assert sealed[:-16] == b"in clear"
    with pytest.raises(IntegrityFailed):
        keyed(ENCRYPTION[11], 0).open(b"header", b"In clear" + sealed[-16:])


@pytest.mark.conf("ESP-14")
@pytest.mark.parametrize("row", CHAINED, ids=lambda row: row.name)
def test_ivs_do_not_repeat_nor_come_from_the_packet_before_nor_count(row):
    sender = keyed(row, row.key_bits[0])
    sealed = [sender.seal(b"", bytes(32)) for _ in range(200)]
    ivs = [packet[: row.iv] for packet in sealed]
    assert len(set(ivs)) == 200
    assert all(iv != before[32 : 32 + row.iv] for iv, before in zip(ivs[1:], sealed, strict=False))
    weights = [int.from_bytes(iv, "big").bit_count() / (8 * row.iv) for iv in ivs]
    assert 0.47 < sum(weights) / len(weights) < 0.53  # a counter would have next to no bits set


def test_a_given_iv_repeats_a_recording_and_leaves_the_chain_alone():
    one, other = protection(), protection()
    recorded = one.seal(b"a", bytes(32))
    assert other.seal(b"a", bytes(32), recorded[:16]) == recorded
    assert one.seal(b"a", bytes(16), bytes(16)) == other.seal(b"a", bytes(16), bytes(16))
    assert other.seal(b"a", bytes(32)) == recorded


def test_every_flipped_bit_fails_and_the_context_survives():
    sender, receiver = protection(), protection()
    sealed = sender.seal(b"aad", bytes(16))
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(IntegrityFailed):
            receiver.open(b"aad", bytes(damaged))
    with pytest.raises(IntegrityFailed):
        receiver.open(b"aae", sealed)
    assert receiver.open(b"aad", sealed) == bytes(16)


@pytest.mark.conf("ESP-10")
def test_every_truncation_is_refused_with_a_reason():
    sealed = protection().seal(b"", bytes(32))
    receiver = protection()
    for length in range(len(sealed)):
        with pytest.raises(IntegrityFailed) as caught:
            receiver.open(b"", sealed[:length])
        assert caught.value.reason in (DropReason.ICV_FAIL, DropReason.ESP_ALIGN)
    assert receiver.open(b"", sealed) == bytes(32)


def test_half_a_block_under_a_good_icv_is_refused_and_leaves_nothing_behind():
    sender, receiver = protection(), protection()
    good = sender.seal(b"", bytes(32))
    covered = good[:40]
    forged = covered + SHA256.make(bytes(32))(covered)[:16]
    with pytest.raises(IntegrityFailed) as caught:
        receiver.open(b"", forged)
    assert caught.value.reason is DropReason.ESP_ALIGN
    assert receiver.open(b"", good) == bytes(32)


def test_sealing_half_a_block_is_the_callers_mistake():
    with pytest.raises(LocalError, match="no multiple of the block"):
        protection().seal(b"", bytes(17))


def test_an_iv_of_the_wrong_length_is_the_callers_mistake():
    with pytest.raises(LocalError, match="IV of 8 bytes"):
        protection().seal(b"", bytes(16), bytes(8))


def test_what_stands_behind_is_authenticated_and_not_sent():
    sender, receiver = protection(), protection()
    sealed = sender.seal(b"header", bytes(32), None, b"high")
    assert sealed[-16:] == SHA256.make(bytes(32))(b"header" + sealed[:-16] + b"high")[:16]
    assert receiver.open(b"header", memoryview(sealed), b"high") == bytes(32)
    for behind in (b"", b"high\0", b"hihg"):
        with pytest.raises(IntegrityFailed):
            receiver.open(b"header", sealed, behind)
