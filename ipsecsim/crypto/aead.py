"""Ciphers with their own integrity check: AES-GCM (RFC 4106, RFC 5282), ChaCha20-Poly1305 (RFC 7634)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import IntegrityFailed
from ipsecsim.crypto.rows import Encryption, Keyed, ProtectionMaker


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

    def __init__(self, cipher: AESGCM | ChaCha20Poly1305, salt: bytes, row: Encryption) -> None:
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


def _maker(cipher: type[AESGCM] | type[ChaCha20Poly1305]) -> ProtectionMaker:
    def make(row: Encryption, key: bytes, authenticate: Keyed | None, icv: int) -> Aead:
        if authenticate is not None:
            raise LocalError(f"{row.name} brings its own integrity check and takes no second one")
        split = len(key) - row.salt
        return Aead(cipher(key[:split]), key[split:], row)

    return make


aes_gcm = _maker(AESGCM)
chacha20_poly1305 = _maker(ChaCha20Poly1305)
