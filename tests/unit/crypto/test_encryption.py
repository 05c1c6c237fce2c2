"""AES-CBC with an HMAC around it: contexts that live long must not remember the wrong things."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection

CBC, SHA256 = ENCRYPTION[12], INTEGRITY[12]


def protection(key_bits: int = 128, integrity=SHA256) -> Protection:
    return make_protection(CBC, key_bits, bytes(key_bits // 8), integrity, bytes(integrity.key_length))


@pytest.mark.parametrize("integrity", INTEGRITY.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("key_bits", CBC.key_bits)
def test_many_packets_through_one_context_open_in_any_order(key_bits, integrity):
    sender, receiver = protection(key_bits, integrity), protection(key_bits, integrity)
    plaintexts = [bytes([number]) * 16 * (1 + number % 5) for number in range(20)]
    sealed = [sender.seal(b"header", plaintext) for plaintext in plaintexts]
    for number in (3, 0, 19, 7, 7, 1, 18):
        assert receiver.open(b"header", memoryview(sealed[number])) == plaintexts[number]
        assert len(sealed[number]) == 16 + len(plaintexts[number]) + integrity.icv


def test_a_sealed_packet_is_plain_cbc_under_the_iv_it_carries():
    sender = protection()
    for _ in range(3):
        sealed = sender.seal(b"", b"sixteen bytes...")
        fresh = Cipher(algorithms.AES(bytes(16)), modes.CBC(sealed[:16])).encryptor()
        assert sealed[16:32] == fresh.update(b"sixteen bytes...")


@pytest.mark.conf("ESP-14")
def test_ivs_do_not_repeat_nor_come_from_the_packet_before_nor_count():
    sender = protection()
    sealed = [sender.seal(b"", bytes(32)) for _ in range(200)]
    ivs = [packet[:16] for packet in sealed]
    assert len(set(ivs)) == 200
    assert all(iv != before[32:48] for iv, before in zip(ivs[1:], sealed, strict=False))
    weights = [int.from_bytes(iv, "big").bit_count() for iv in ivs]
    assert 60 < sum(weights) / len(weights) < 68  # a counter would have next to no bits set


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
