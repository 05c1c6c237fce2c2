"""Every combined cipher against a second implementation, put together here from smaller parts.

Published numbers reach most rows (tests/laws/test_catalogue_has_vectors.py); for the rest this is the proof.
"""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

from ipsecsim.crypto.catalogue import ENCRYPTION
from ipsecsim.crypto.protection import make_protection

SPI = bytes.fromhex("00c0ffee")
SEQUENCE, EXTENDED = bytes.fromhex("00000102"), bytes.fromhex("0000000700000102")


def pad16(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def gcm(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, tag: int) -> bytes:
    running = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    running.authenticate_additional_data(aad)
    ciphertext = running.update(plaintext) + running.finalize()
    return ciphertext + running.tag[:tag]


def gmac(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, tag: int) -> bytes:
    """RFC 4543 3.3: everything is AAD, IV included."""
    return plaintext + gcm(key, nonce, b"", aad + nonce[4:] + plaintext, tag)


def ccm(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, tag: int) -> bytes:
    """RFC 3610 2.2 and 2.3."""
    size = 15 - len(nonce)
    first = bytes([64 + 8 * (tag - 2) // 2 + size - 1]) + nonce + len(plaintext).to_bytes(size, "big")
    covered = first + pad16(len(aad).to_bytes(2, "big") + aad) + pad16(plaintext)
    mac = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor().update(covered)[-16:]
    counter = bytes([size - 1]) + nonce + bytes(size)
    hidden = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(mac + plaintext)
    return hidden[16:] + hidden[:tag]


def chacha20_poly1305(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, tag: int) -> bytes:
    """RFC 8439 2.8."""
    stream = Cipher(algorithms.ChaCha20(key, bytes(4) + nonce), None).encryptor()
    one_time = stream.update(bytes(64))[:32]
    ciphertext = stream.update(plaintext)
    lengths = len(aad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    return ciphertext + Poly1305.generate_tag(one_time, pad16(aad) + pad16(ciphertext) + lengths)[:tag]


SECOND = {
    20: gcm,
    19: gcm,
    18: gcm,
    16: ccm,
    15: ccm,
    14: ccm,
    28: chacha20_poly1305,
    21: gmac,
    30: gcm,
    29: ccm,
    31: chacha20_poly1305,
}
CHECKED = [(number, bits) for number in SECOND for bits in ENCRYPTION[number].key_bits]


def test_every_combined_cipher_has_a_second_implementation():
    assert SECOND.keys() == {row.id for row in ENCRYPTION.values() if row.combined}


@pytest.mark.conf("ESP-12", "ESP-13", "ESP-15")
@pytest.mark.parametrize(("number", "bits"), CHECKED)
@pytest.mark.parametrize("sequence", [SEQUENCE, EXTENDED], ids=["32-bit", "64-bit"])
def test_both_implementations_agree(number, bits, sequence):
    row, aad = ENCRYPTION[number], SPI + sequence
    key, salt = bytes(range(bits // 8)), bytes(range(200, 200 + row.salt))
    protection = make_protection(row, bits, key + salt, None)
    for length in (0, 1, 15, 16, 17, 1400):
        plaintext = bytes(position % 251 for position in range(length))
        sealed = protection.seal(aad, plaintext)
        iv = sealed[: row.iv] if row.iv else bytes(8 - len(sequence)) + sequence
        again = SECOND[number](key, salt + iv, plaintext, aad, row.icv)
        assert sealed == sealed[: row.iv] + again
        assert protection.open(aad, sealed) == plaintext
