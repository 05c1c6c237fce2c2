"""Keyed functions: HMAC (RFC 2104, RFC 4868), AES-XCBC, AES-CMAC and AES-GMAC. Each is keyed once.

What uses one decides how much of its output it keeps.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives import cmac, hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ipsecsim.crypto.rows import Keyed

_BLOCK = 16
_GMAC_SALT = 4
_GMAC_IV = 8


def _maker(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], Keyed]:
    def make(key: bytes) -> Keyed:
        return _copying(hmac.HMAC(key, algorithm))

    return make


def _copying(keyed: hmac.HMAC | cmac.CMAC) -> Keyed:
    copy = keyed.copy  # a copy skips working the key in again

    def authenticate(data: bytes) -> bytes:
        running = copy()
        running.update(data)
        return running.finalize()

    return authenticate


hmac_md5 = _maker(hashes.MD5())  # noqa: S303 - part of the protocols under study
hmac_sha1 = _maker(hashes.SHA1())  # noqa: S303 - as MD5
hmac_sha256 = _maker(hashes.SHA256())
hmac_sha384 = _maker(hashes.SHA384())
hmac_sha512 = _maker(hashes.SHA512())


def aes_cmac(key: bytes) -> Keyed:
    """AES-CMAC (RFC 4494)."""
    return _copying(cmac.CMAC(algorithms.AES(key)))


def aes_xcbc(key: bytes) -> Keyed:
    """AES-XCBC-MAC, whole (RFC 3566 4)."""
    derive = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - of constants
    key_1, key_2, key_3 = (derive.update(bytes([number]) * _BLOCK) for number in (1, 2, 3))
    whole, padded = int.from_bytes(key_2, "big"), int.from_bytes(key_3, "big")
    # one context for all packets: what the last one left in the chain is taken out of the next one's first block
    chain = Cipher(algorithms.AES(key_1), modes.CBC(bytes(_BLOCK))).encryptor().update
    left = 0

    def authenticate(data: bytes) -> bytes:
        nonlocal left
        mask = whole
        if not data or len(data) % _BLOCK:
            mask = padded
            data = data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)
        first = left << 8 * (len(data) - _BLOCK)
        blocks = (int.from_bytes(data, "big") ^ first ^ mask).to_bytes(len(data), "big")
        output = chain(blocks)[-_BLOCK:]
        left = int.from_bytes(output, "big")
        return output

    return authenticate


def prf_aes_xcbc(key: bytes) -> Keyed:
    """AES-XCBC-PRF-128: a short key is filled up with zeros, a long one goes through the function (RFC 4434 2)."""
    return aes_xcbc(aes_xcbc(bytes(_BLOCK))(key) if len(key) > _BLOCK else key.ljust(_BLOCK, b"\0"))


def prf_aes_cmac(key: bytes) -> Keyed:
    """AES-CMAC-PRF-128: a key of another length than 16 bytes goes through the function (RFC 4615 3)."""
    return aes_cmac(key if len(key) == _BLOCK else aes_cmac(bytes(_BLOCK))(key))


def aes_gmac(key: bytes) -> Keyed:
    """AES-GMAC of IV | data, the key ending in the salt (RFC 4543 4)."""
    encrypt, salt = AESGCM(key[:-_GMAC_SALT]).encrypt, key[-_GMAC_SALT:]

    def authenticate(data: bytes) -> bytes:
        return encrypt(salt + data[:_GMAC_IV], b"", data[_GMAC_IV:])

    return authenticate
