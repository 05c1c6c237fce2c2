"""Classic ciphers, and the integrity check around them: encrypt, then authenticate (RFC 4303 3.3.2.1)."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia, TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import IntegrityFailed, Misaligned
from ipsecsim.crypto.rows import Encryption, Keyed, ProtectionMaker

_NONCE = 4
_CTR_IV = 8
_FIRST_BLOCK = (1).to_bytes(4, "big")


class ClassicCipher(Protocol):
    """A cipher that hides and checks nothing; the IV stands before what it made."""

    def encrypt_fresh(self, plaintext: bytes) -> bytes:
        """IV | ciphertext, under an IV that this key has not seen."""
        ...

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """IV | ciphertext under a given IV; only for repeating recordings."""
        ...

    def decrypt(self, sealed: bytes | memoryview) -> bytes:
        """The plaintext of IV | ciphertext."""
        ...


class Cbc:
    """CBC with contexts that live as long as the key: setting one up costs more than a packet does.

    CBC chains for ever: the last ciphertext block of one packet goes into the first block of the next.
    That is put to use in both directions, see `encrypt_fresh` and `decrypt`.
    """

    __slots__ = ("_algorithm", "_block", "_counter", "_decryptor", "_encryptor")

    def __init__(self, algorithm: BlockCipherAlgorithm) -> None:
        self._algorithm = algorithm
        self._block = algorithm.block_size // 8
        self._counter = 0
        start = modes.CBC(bytes(self._block))
        self._encryptor = Cipher(algorithm, start).encryptor()
        self._decryptor = Cipher(algorithm, start).decryptor()

    def encrypt_fresh(self, plaintext: bytes) -> bytes:
        """IV | ciphertext under an IV nobody can foretell, as RFC 3602 3 asks.

        A counter goes through the cipher first, under the same key (NIST SP 800-38A appendix C). What comes
        out is the IV, and the chaining applies it to the plaintext by itself.
        """
        self._counter += 1
        return self._encryptor.update(self._counter.to_bytes(self._block, "big") + plaintext)

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """IV | ciphertext under a given IV; only for repeating recordings."""
        return iv + Cipher(self._algorithm, modes.CBC(iv)).encryptor().update(plaintext)

    def decrypt(self, sealed: bytes | memoryview) -> bytes:
        """The plaintext of IV | ciphertext: the IV turns into nonsense, and starts the chain for the rest."""
        return self._decryptor.update(sealed)[self._block :]


class AesCtr:
    """AES in counter mode: block n is hidden under nonce | IV | n, and the same hides and shows (RFC 3686 4)."""

    __slots__ = ("_context", "_counter", "_nonce")

    def __init__(self, key: bytes) -> None:
        """`key` ends in the nonce."""
        self._nonce = key[-_NONCE:]
        self._counter = 0
        self._context = Cipher(algorithms.AES(key[:-_NONCE]), modes.CTR(bytes(16))).encryptor()

    def encrypt_fresh(self, plaintext: bytes) -> bytes:
        """IV | ciphertext. A counter makes the IV: it must never repeat under a key (RFC 3686 3.1)."""
        self._counter += 1
        return self.encrypt(self._counter.to_bytes(_CTR_IV, "big"), plaintext)

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """IV | ciphertext under a given IV."""
        self._context.reset_nonce(self._nonce + iv + _FIRST_BLOCK)
        return iv + self._context.update(plaintext)

    def decrypt(self, sealed: bytes | memoryview) -> bytes:
        """The plaintext of IV | ciphertext."""
        self._context.reset_nonce(self._nonce + sealed[:_CTR_IV] + _FIRST_BLOCK)
        return self._context.update(sealed[_CTR_IV:])


class Null:
    """Hides nothing and has no IV (RFC 2410)."""

    __slots__ = ()

    def encrypt_fresh(self, plaintext: bytes) -> bytes:
        """The plaintext."""
        return plaintext

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """The plaintext; the IV is empty."""
        return iv + plaintext

    def decrypt(self, sealed: bytes | memoryview) -> bytes:
        """What was sealed."""
        return bytes(sealed)


class EncryptThenMac:
    """One key pair, one direction. The ICV covers the associated data, the IV and the ciphertext."""

    __slots__ = (
        "_authenticate",
        "_cipher",
        "_shortest",
        "alignment",
        "combined",
        "icv_length",
        "iv_length",
    )

    def __init__(self, cipher: ClassicCipher, row: Encryption, authenticate: Keyed, icv: int) -> None:
        self.combined = False
        self.iv_length = row.iv
        self.icv_length = icv
        self.alignment = row.block
        self._cipher = cipher
        self._authenticate = authenticate
        self._shortest = row.iv + row.block + icv

    def seal(self, aad: bytes, plaintext: bytes, iv: bytes | None = None, behind: bytes = b"") -> bytes:
        """IV | ciphertext | ICV."""
        if len(plaintext) % self.alignment:
            raise LocalError(f"{len(plaintext)} bytes are no multiple of the block, {self.alignment}")
        if iv is None:
            covered = self._cipher.encrypt_fresh(plaintext)
        elif len(iv) != self.iv_length:
            raise LocalError(f"an IV of {len(iv)} bytes, the cipher takes {self.iv_length}")
        else:
            covered = self._cipher.encrypt(iv, plaintext)
        return covered + self._authenticate(aad + covered + behind)[: self.icv_length]

    def open(self, aad: bytes, sealed: bytes | memoryview, behind: bytes = b"") -> bytes:
        """The plaintext; the ICV is checked first, so that a forgery never reaches the cipher.

        Raises Misaligned when the ciphertext is no whole number of blocks, IntegrityFailed for a wrong ICV.
        """
        if len(sealed) < self._shortest:
            raise IntegrityFailed(f"{len(sealed)} bytes cannot hold IV, one block and ICV")
        split = len(sealed) - self.icv_length
        # before the cipher, not only for the reason's sake: half a block would stay behind in its context
        if (split - self.iv_length) % self.alignment:
            raise Misaligned(f"{split - self.iv_length} bytes of ciphertext, the block is {self.alignment}")
        covered = sealed[:split]
        if not compare_digest(self._authenticate(aad + covered + behind)[: self.icv_length], sealed[split:]):
            raise IntegrityFailed("the integrity check value is wrong")
        return self._cipher.decrypt(covered)

    def expected_icv(self, aad: bytes, sealed: bytes, behind: bytes = b"") -> bytes:
        """The ICV that these bytes should have, for those who look on; empty when they are too short for one."""
        if len(sealed) < self._shortest:
            return b""
        covered = sealed[: len(sealed) - self.icv_length]
        return self._authenticate(aad + covered + behind)[: self.icv_length]


def _nothing(_data: bytes) -> bytes:
    """No integrity check: an ICV of no bytes, which fits everything."""
    return b""


def _maker(cipher: Callable[[bytes], ClassicCipher]) -> ProtectionMaker:
    def make(row: Encryption, key: bytes, authenticate: Keyed | None, icv: int) -> EncryptThenMac:
        return EncryptThenMac(cipher(key), row, authenticate or _nothing, icv)

    return make


aes_cbc = _maker(lambda key: Cbc(algorithms.AES(key)))
camellia_cbc = _maker(lambda key: Cbc(Camellia(key)))
triple_des_cbc = _maker(lambda key: Cbc(TripleDES(key)))
des_cbc = _maker(lambda key: Cbc(TripleDES(key * 3)))  # encrypt, decrypt, encrypt under one key: DES once
aes_ctr = _maker(AesCtr)
null = _maker(lambda _key: Null())
