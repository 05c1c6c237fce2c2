"""Diffie-Hellman: MODP (RFC 3526, RFC 5114), NIST and Brainpool curves (RFC 5903, RFC 6954), Curve25519 and
Curve448 (RFC 8031).

For study, not constant-time: the time a MODP power takes tells about its exponent.
"""

import gmpy2  # type: ignore[import-untyped]  # it ships no stubs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import InvalidPublicValue
from ipsecsim.crypto.modp_groups import EXPONENT_BITS, GENERATORS, ORDERS, PRIMES
from ipsecsim.crypto.rows import KeyPair

__all__ = ["CURVE_448", "CURVE_25519", "Ecp", "InvalidPublicValue", "KeyPair", "Modp", "Montgomery"]


class Modp:
    """Makes key pairs of a MODP group; values are padded to the length of the prime (RFC 7296 2.14)."""

    def __init__(self, group: int) -> None:
        self.prime = gmpy2.mpz(PRIMES[group])
        self.generator = GENERATORS[group]
        self.order = ORDERS.get(group)
        self.length = (self.prime.bit_length() + 7) // 8
        self._bits = EXPONENT_BITS[group]

    def __call__(self, entropy: Entropy) -> "ModpPair":
        """A fresh pair. The top bit is set, so that no exponent is short by chance."""
        drawn = int.from_bytes(entropy.bytes(self._bits // 8), "big") | 1 << (self._bits - 1)
        return ModpPair(self, drawn if self.order is None else drawn % self.order)

    def from_private(self, private: bytes) -> "ModpPair":
        """The pair of a known exponent, big-endian."""
        return ModpPair(self, int.from_bytes(private, "big"))


class ModpPair:
    """A private exponent x and g^x."""

    __slots__ = ("_exponent", "_group", "public")

    def __init__(self, group: Modp, exponent: int) -> None:
        self._group = group
        self._exponent = exponent
        self.public = self._emit(gmpy2.powmod(group.generator, exponent, group.prime))

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The common secret. Only 1 < r < p-1 is good: 0, 1 and p-1 give one that all know (RFC 6989 2.1).

        In a small subgroup the value has to be a member of it, or it tells about the exponent (RFC 6989 2.2).
        """
        group = self._group
        _check_length(peer_public, group.length)
        value = int.from_bytes(peer_public, "big")
        if not 1 < value < group.prime - 1:
            raise InvalidPublicValue("the public value is not between 1 and p-1")
        if group.order is not None and gmpy2.powmod(value, group.order, group.prime) != 1:
            raise InvalidPublicValue("the public value is not in the subgroup")
        return self._emit(gmpy2.powmod(value, self._exponent, group.prime))

    def _emit(self, value: gmpy2.mpz) -> bytes:
        return int(value).to_bytes(self._group.length, "big")


class Ecp:
    """Makes key pairs on a NIST or Brainpool curve; a public value is x | y, the secret is x (RFC 5903 7)."""

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


class Montgomery:
    """Makes key pairs on Curve25519 or Curve448 (RFC 8031 2); keys, values and secrets are `length` bytes."""

    def __init__(
        self,
        length: int,
        private: type[X25519PrivateKey] | type[X448PrivateKey],
        public: type[X25519PublicKey] | type[X448PublicKey],
    ) -> None:
        self.length = length
        self.private = private
        self.read_public = public.from_public_bytes

    def __call__(self, entropy: Entropy) -> "MontgomeryPair":
        """A fresh pair."""
        return MontgomeryPair(self, entropy.bytes(self.length))

    def from_private(self, private: bytes) -> "MontgomeryPair":
        """The pair of a known private key. Raises LocalError for another length."""
        if len(private) != self.length:
            raise LocalError(f"a private key of {len(private)} bytes, the curve's have {self.length}")
        return MontgomeryPair(self, private)


class MontgomeryPair:
    """A private number, and the curve's function of it and the base point."""

    __slots__ = ("_curve", "_private", "public")

    def __init__(self, curve: Montgomery, private: bytes) -> None:
        self._curve = curve
        self._private = curve.private.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw()

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The common secret. All zeros would mean that the peer's private key played no part in it."""
        _check_length(peer_public, self._curve.length)
        try:
            return self._private.exchange(self._curve.read_public(peer_public))  # type: ignore[arg-type]
        except ValueError:
            raise InvalidPublicValue("the shared secret is all zeros") from None


def _check_length(public: bytes, length: int) -> None:
    if len(public) != length:
        raise InvalidPublicValue(f"a public value of {len(public)} bytes, the group's have {length}")


CURVE_25519 = Montgomery(32, X25519PrivateKey, X25519PublicKey)
CURVE_448 = Montgomery(56, X448PrivateKey, X448PublicKey)
