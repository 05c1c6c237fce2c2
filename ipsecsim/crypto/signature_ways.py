"""The ways to sign: what a row of `signatures` does with a key.

Every signature repeats: ECDSA draws its nonce as RFC 6979 says, EdDSA needs none, and the salt of RSASSA-PSS
comes from the entropy that the caller hands in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ipsecsim.base.entropy import Entropy
from ipsecsim.crypto import emsa_pss
from ipsecsim.crypto.signature_keys import PrivateKey, PublicKey
from ipsecsim.wire.ike.numbers import HashAlgorithm

HASHES: dict[HashAlgorithm, hashes.HashAlgorithm] = {
    HashAlgorithm.SHA1: hashes.SHA1(),  # noqa: S303 - the default of method 1 (RFC 7296 3.8)
    HashAlgorithm.SHA2_256: hashes.SHA256(),
    HashAlgorithm.SHA2_384: hashes.SHA384(),
    HashAlgorithm.SHA2_512: hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Pkcs1:
    """RSASSA-PKCS1-v1_5: the whole block is compared, nothing in it is read (RFC 8017 8.2.2).

    Signs with the first of `hashes`, and takes any of them.
    """

    hashes: tuple[HashAlgorithm, ...]

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """As long as the modulus."""
        assert isinstance(key.raw, rsa.RSAPrivateKey)  # noqa: S101 - the row's kinds were checked
        return key.raw.sign(data, padding.PKCS1v15(), HASHES[self.hashes[0]])

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit, by any of the hashes?"""
        raw = key.raw
        assert isinstance(raw, rsa.RSAPublicKey)  # noqa: S101 - the row's kinds were checked
        return any(
            _holds(partial(raw.verify, signature, data, padding.PKCS1v15(), HASHES[each]))
            for each in self.hashes
        )


@dataclass(frozen=True, slots=True)
class Pss:
    """RSASSA-PSS with MGF1 of the same hash, and a salt of this many bytes."""

    hash: HashAlgorithm
    salt_length: int

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """Encoded here and not by a library, which would draw a salt of its own."""
        assert isinstance(key.raw, rsa.RSAPrivateKey)  # noqa: S101 - the row's kinds were checked
        return emsa_pss.sign(key.raw, HASHES[self.hash].name, data, entropy.bytes(self.salt_length))

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit, with a salt of exactly this length?"""
        raw, function = key.raw, HASHES[self.hash]
        assert isinstance(raw, rsa.RSAPublicKey)  # noqa: S101 - the row's kinds were checked
        way = padding.PSS(padding.MGF1(function), self.salt_length)
        return _holds(partial(raw.verify, signature, data, way, function))


@dataclass(frozen=True, slots=True)
class Ecdsa:
    """ECDSA; the signature is SEQUENCE { r, s } (RFC 3279 2.2.3), the nonce that of RFC 6979."""

    hash: HashAlgorithm

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """In DER."""
        assert isinstance(key.raw, ec.EllipticCurvePrivateKey)  # noqa: S101 - the row's kinds were checked
        return key.raw.sign(data, ec.ECDSA(HASHES[self.hash], deterministic_signing=True))

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit?"""
        raw = key.raw
        assert isinstance(raw, ec.EllipticCurvePublicKey)  # noqa: S101 - the row's kinds were checked
        return _holds(partial(raw.verify, signature, data, ec.ECDSA(HASHES[self.hash])))


@dataclass(frozen=True, slots=True)
class EcdsaPlain:
    """ECDSA as RFC 4754 has it: r | s, each as long as the curve's numbers."""

    hash: HashAlgorithm

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """The two numbers, one after the other."""
        length = (key.public.bits + 7) // 8
        numbers = decode_dss_signature(Ecdsa(self.hash).sign(key, data, entropy))
        return b"".join(number.to_bytes(length, "big") for number in numbers)

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit?"""
        length = (key.bits + 7) // 8
        if len(signature) != 2 * length:
            return False
        r, s = (int.from_bytes(part, "big") for part in (signature[:length], signature[length:]))
        return Ecdsa(self.hash).is_good(key, data, encode_dss_signature(r, s))


@dataclass(frozen=True, slots=True)
class Eddsa:
    """Ed25519 or Ed448, as the key is, over the data itself (RFC 8420 2)."""

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """64 or 114 bytes."""
        assert isinstance(key.raw, Ed25519PrivateKey | Ed448PrivateKey)  # noqa: S101 - the row's kinds were checked
        return key.raw.sign(data)

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit?"""
        raw = key.raw
        assert isinstance(raw, Ed25519PublicKey | Ed448PublicKey)  # noqa: S101 - the row's kinds were checked
        return _holds(partial(raw.verify, signature, data))


def _holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True
