"""Diffie-Hellman: MODP (RFC 3526), NIST curves (RFC 5903), Curve25519 (RFC 8031).

For study, not constant-time: the time a MODP power takes tells about its exponent.
"""

import gmpy2  # type: ignore[import-untyped]  # it ships no stubs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import InvalidPublicValue
from ipsecsim.crypto.modp_groups import EXPONENT_BITS, GENERATOR, PRIMES
from ipsecsim.crypto.rows import KeyPair

__all__ = ["Curve25519", "Ecp", "InvalidPublicValue", "KeyPair", "Modp"]


class Modp:
    """Makes key pairs of a MODP group; values are padded to the length of the prime (RFC 7296 2.14)."""

    def __init__(self, group: int) -> None:
        self._prime = gmpy2.mpz(PRIMES[group])
        self._bits = EXPONENT_BITS[group]

    def __call__(self, entropy: Entropy) -> "ModpPair":
        """A fresh pair. The top bit is set, so that no exponent is short by chance."""
        drawn = int.from_bytes(entropy.bytes(self._bits // 8), "big")
        return ModpPair(self._prime, drawn | 1 << (self._bits - 1))

    def from_private(self, private: bytes) -> "ModpPair":
        """The pair of a known exponent, big-endian."""
        return ModpPair(self._prime, int.from_bytes(private, "big"))


class ModpPair:
    """A private exponent x and g^x."""

    __slots__ = ("_exponent", "_length", "_prime", "public")

    def __init__(self, prime: gmpy2.mpz, exponent: int) -> None:
        self._prime = prime
        self._exponent = exponent
        self._length = (prime.bit_length() + 7) // 8
        self.public = self._emit(gmpy2.powmod(GENERATOR, exponent, prime))

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The common secret. Only 1 < r < p-1 is good: 0, 1 and p-1 give one that all know (RFC 6989 2.1)."""
        _check_length(peer_public, self._length)
        value = int.from_bytes(peer_public, "big")
        if not 1 < value < self._prime - 1:
            raise InvalidPublicValue("the public value is not between 1 and p-1")
        return self._emit(gmpy2.powmod(value, self._exponent, self._prime))

    def _emit(self, value: gmpy2.mpz) -> bytes:
        return int(value).to_bytes(self._length, "big")


class Ecp:
    """Makes key pairs on a NIST curve; a public value is x | y, the secret is x (RFC 5903 7)."""

    def __init__(self, curve: ec.EllipticCurve) -> None:
        self._curve = curve

    def __call__(self, entropy: Entropy) -> "EcpPair":
        """A fresh pair: a private key from 1 to the curve's order - 1, every one equally likely."""
        return EcpPair(self._curve, 1 + entropy.below(self._curve.group_order - 1))

    def from_private(self, private: bytes) -> "EcpPair":
        """The pair of a known private key, big-endian."""
        return EcpPair(self._curve, int.from_bytes(private, "big"))


class EcpPair:
    """A private number d and the point dG."""

    __slots__ = ("_curve", "_length", "_private", "public")

    def __init__(self, curve: ec.EllipticCurve, private: int) -> None:
        self._curve = curve
        self._private = ec.derive_private_key(private, curve)
        self._length = (curve.key_size + 7) // 8
        point = self._private.public_key().public_numbers()
        self.public = point.x.to_bytes(self._length, "big") + point.y.to_bytes(self._length, "big")

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The x of the common point. A point off the curve would leak the private key (RFC 6989 2.3)."""
        _check_length(peer_public, 2 * self._length)
        try:
            # 4 marks an uncompressed point; IKE leaves the mark out
            peer = ec.EllipticCurvePublicKey.from_encoded_point(self._curve, b"\x04" + peer_public)
        except ValueError:
            raise InvalidPublicValue("the public value is no point on the curve") from None
        return self._private.exchange(ec.ECDH(), peer)


class Curve25519:
    """Makes key pairs on Curve25519 (RFC 8031 2)."""

    def __call__(self, entropy: Entropy) -> "X25519Pair":
        """A fresh pair."""
        return X25519Pair(entropy.bytes(32))

    def from_private(self, private: bytes) -> "X25519Pair":
        """The pair of a known private key of 32 bytes. Raises LocalError for another length."""
        if len(private) != 32:
            raise LocalError(f"an X25519 private key of {len(private)} bytes")
        return X25519Pair(private)


class X25519Pair:
    """A private number and X25519 of it and the base point."""

    __slots__ = ("_private", "public")

    def __init__(self, private: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw()

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The common secret. All zeros would mean that the peer's private key played no part in it."""
        _check_length(peer_public, 32)
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(peer_public))
        except ValueError:
            raise InvalidPublicValue("the shared secret is all zeros") from None


def _check_length(public: bytes, length: int) -> None:
    if len(public) != length:
        raise InvalidPublicValue(f"a public value of {len(public)} bytes, the group's have {length}")
