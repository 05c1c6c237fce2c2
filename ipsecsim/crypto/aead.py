"""Ciphers with their own integrity check: AES-GCM (RFC 4106), AES-CCM (RFC 4309), AES-GMAC (RFC 4543) and
ChaCha20-Poly1305 (RFC 7634), each but GMAC in IKE too (RFC 5282), and without an IV on the wire (RFC 8750)."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import IntegrityFailed
from ipsecsim.crypto.rows import Encryption, Keyed, Protection, ProtectionMaker

_TAG = 16  # of GCM, before anybody cuts it
_SALT = 4
_IMPLICIT_IV = 8
_SPI = 4


class AeadCipher(Protocol):
    """A keyed AEAD as `cryptography` has them; the tag stands behind the ciphertext."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Ciphertext | tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag."""
        ...


class Aead:
    """One key, one direction. The nonce is salt | IV; the salt is secret, the IV travels with the packet."""

    __slots__ = (
        "_counter",
        "_decrypt",
        "_encrypt",
        "_salt",
        "_shortest",
        "alignment",
        "combined",
        "icv_length",
        "iv_length",
    )

    def __init__(self, cipher: AeadCipher, salt: bytes, row: Encryption) -> None:
        self.combined = True
        self.iv_length = row.iv
        self.icv_length = row.icv
        self.alignment = row.block
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt
        self._salt = salt
        self._shortest = row.iv + row.icv
        self._counter = 0

    def seal(self, aad: bytes, plaintext: bytes, iv: bytes | None = None, behind: bytes = b"") -> bytes:
        """IV | ciphertext | ICV. A counter makes the IV: it must never repeat under a key (RFC 4106 3.1)."""
        if iv is None:
            self._counter += 1
            iv = self._counter.to_bytes(self.iv_length, "big")
        elif len(iv) != self.iv_length:
            raise LocalError(f"an IV of {len(iv)} bytes, the cipher takes {self.iv_length}")
        return iv + self._encrypt(self._salt + iv, plaintext, aad)

    def open(self, aad: bytes, sealed: bytes | memoryview, behind: bytes = b"") -> bytes:
        """The plaintext. Raises IntegrityFailed when AAD, IV, ciphertext and ICV do not belong together."""
        if len(sealed) < self._shortest:
            raise IntegrityFailed(f"{len(sealed)} bytes cannot hold IV and ICV")
        iv_length = self.iv_length
        try:
            return self._decrypt(self._salt + sealed[:iv_length], sealed[iv_length:], aad)
        except InvalidTag:
            raise IntegrityFailed("the integrity check value is wrong") from None

    def expected_icv(self, aad: bytes, sealed: bytes, behind: bytes = b"") -> bytes:
        """The ICV that these bytes should have, for those who look on; empty when they are too short for one."""
        if len(sealed) < self._shortest:
            return b""
        nonce, ciphertext = self._salt + sealed[: self.iv_length], sealed[self.iv_length : -self.icv_length]
        return _expected_icv(self._encrypt, nonce, ciphertext, aad)


class ImplicitIv:
    """One key, one direction. The IV is the packet's sequence number and need not travel (RFC 8750 4).

    The AAD is SPI | sequence number, of 32 or 64 bits: only ESP has such a number, and IKE none.
    """

    __slots__ = ("_decrypt", "_encrypt", "_salt", "alignment", "combined", "icv_length", "iv_length")

    def __init__(self, cipher: AeadCipher, salt: bytes, row: Encryption) -> None:
        self.combined = True
        self.iv_length = row.iv
        self.icv_length = row.icv
        self.alignment = row.block
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt
        self._salt = salt

    def seal(self, aad: bytes, plaintext: bytes, iv: bytes | None = None, behind: bytes = b"") -> bytes:
        """Ciphertext | ICV. The caller never seals two packets under one sequence number (RFC 8750 7)."""
        if iv:
            raise LocalError(f"an IV of {len(iv)} bytes, the cipher takes the sequence number")
        return self._encrypt(self._salt + aad[_SPI:].rjust(_IMPLICIT_IV, b"\0"), plaintext, aad)

    def open(self, aad: bytes, sealed: bytes | memoryview, behind: bytes = b"") -> bytes:
        """The plaintext. Raises IntegrityFailed when AAD, ciphertext and ICV do not belong together."""
        if len(sealed) < self.icv_length:
            raise IntegrityFailed(f"{len(sealed)} bytes cannot hold the ICV")
        try:
            return self._decrypt(self._salt + aad[_SPI:].rjust(_IMPLICIT_IV, b"\0"), sealed, aad)
        except InvalidTag:
            raise IntegrityFailed("the integrity check value is wrong") from None

    def expected_icv(self, aad: bytes, sealed: bytes, behind: bytes = b"") -> bytes:
        """The ICV that these bytes should have, for those who look on; empty when they are too short for one."""
        if len(sealed) < self.icv_length:
            return b""
        nonce = self._salt + aad[_SPI:].rjust(_IMPLICIT_IV, b"\0")
        return _expected_icv(self._encrypt, nonce, sealed[: -self.icv_length], aad)


def _expected_icv(
    encrypt: Callable[[bytes, bytes, bytes | None], bytes], nonce: bytes, ciphertext: bytes, aad: bytes
) -> bytes:
    """All these ciphers add a key stream: encrypting twice gives the plaintext back, and its ICV."""
    size = len(ciphertext)
    stream = encrypt(nonce, bytes(size), aad)[:size]
    mixed = int.from_bytes(stream, "big") ^ int.from_bytes(ciphertext, "big")
    return encrypt(nonce, mixed.to_bytes(size, "big"), aad)[size:]


class CutGcm:
    """AES-GCM with only the front of its tag (RFC 4106 6): `cryptography` opens none but whole ones.

    To open, the plaintext is sealed once more, and the tag that comes out is compared.
    """

    __slots__ = ("_encrypt", "_tag")

    def __init__(self, key: bytes, tag: int) -> None:
        self._encrypt = AESGCM(key).encrypt
        self._tag = tag

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Ciphertext | cut tag."""
        return self._encrypt(nonce, data, associated_data)[: len(data) + self._tag]

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag."""
        split = len(data) - self._tag
        # below the tag GCM is counter mode, which undoes itself; the tag of this pass says nothing
        plaintext = self._encrypt(nonce, data[:split], None)[:split]
        again = self._encrypt(nonce, plaintext, associated_data)
        if not compare_digest(again[split : split + self._tag], data[split:]):
            raise InvalidTag
        return plaintext


class Gmac:
    """AES-GCM that encrypts nothing: IV and data stay in clear and join the AAD (RFC 4543 3.3)."""

    __slots__ = ("_decrypt", "_encrypt")

    def __init__(self, key: bytes) -> None:
        gcm = AESGCM(key)
        self._encrypt = gcm.encrypt
        self._decrypt = gcm.decrypt

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Data | tag."""
        return data + self._encrypt(nonce, b"", (associated_data or b"") + nonce[_SALT:] + data)

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """The data. Raises InvalidTag."""
        clear = bytes(data[:-_TAG])
        self._decrypt(nonce, data[-_TAG:], (associated_data or b"") + nonce[_SALT:] + clear)
        return clear


def _maker(
    cipher: Callable[[bytes, int], AeadCipher],
    build: Callable[[AeadCipher, bytes, Encryption], Protection] = Aead,
) -> ProtectionMaker:
    """A maker of rows; `cipher` is given the key and the length of the tag."""

    def make(row: Encryption, key: bytes, authenticate: Keyed | None, icv: int) -> Protection:
        if authenticate is not None:
            raise LocalError(f"{row.name} brings its own integrity check and takes no second one")
        split = len(key) - row.salt
        return build(cipher(key[:split], row.icv), key[split:], row)

    return make


def _aes_gcm(key: bytes, tag: int) -> AeadCipher:
    return AESGCM(key) if tag == _TAG else CutGcm(key, tag)


def _chacha20_poly1305(key: bytes, _tag: int) -> AeadCipher:
    return ChaCha20Poly1305(key)


def _aes_gmac(key: bytes, _tag: int) -> AeadCipher:
    return Gmac(key)


aes_gcm = _maker(_aes_gcm)
aes_ccm = _maker(AESCCM)
aes_gmac = _maker(_aes_gmac)
chacha20_poly1305 = _maker(_chacha20_poly1305)
aes_gcm_implicit_iv = _maker(_aes_gcm, ImplicitIv)
aes_ccm_implicit_iv = _maker(AESCCM, ImplicitIv)
chacha20_poly1305_implicit_iv = _maker(_chacha20_poly1305, ImplicitIv)
