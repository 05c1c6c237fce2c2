"""Keys that sign and keys that check: RSA, ECDSA on three curves, Ed25519 and Ed448.

For study: every private key here is made from a seed or lies in a public file.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha1

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import BadKey
from ipsecsim.crypto.rows import Status

Signs = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey
Checks = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

SMALLEST_RSA, LARGEST_RSA = 1024, 8192  # bits; above, a check takes too long for what nobody has proved yet
GOOD_RSA = 2048  # RFC 8247 3.1.1: smaller ones SHOULD NOT be used
LARGEST_EXPONENT = 64  # bits


class KeyKind(Enum):
    """Which keys a signature algorithm works with."""

    RSA = "RSA"
    P256 = "ECDSA P-256"
    P384 = "ECDSA P-384"
    P521 = "ECDSA P-521"
    ED25519 = "Ed25519"
    ED448 = "Ed448"


CURVES: dict[KeyKind, ec.EllipticCurve] = {
    KeyKind.P256: ec.SECP256R1(),
    KeyKind.P384: ec.SECP384R1(),
    KeyKind.P521: ec.SECP521R1(),
}
_KIND_OF_CURVE = {curve.name: kind for kind, curve in CURVES.items()}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures. `info` is its SubjectPublicKeyInfo in DER, by which keys are compared."""

    kind: KeyKind
    bits: int
    info: bytes
    raw: Checks

    @classmethod
    def parse(cls, info: bytes) -> "PublicKey":
        """The key in a SubjectPublicKeyInfo. Raises BadKey."""
        try:
            raw = serialization.load_der_public_key(info)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadKey(f"no public key: {error}") from None
        if isinstance(raw, rsa.RSAPublicKey):
            _check_rsa(raw.public_numbers())
            return cls(KeyKind.RSA, raw.key_size, info, raw)
        if isinstance(raw, ec.EllipticCurvePublicKey):
            kind = _KIND_OF_CURVE.get(raw.curve.name)
            if kind is None:
                raise BadKey(f"a key on the curve {raw.curve.name}")
            return cls(kind, raw.curve.key_size, info, raw)
        if isinstance(raw, Ed25519PublicKey):
            return cls(KeyKind.ED25519, 256, info, raw)
        if isinstance(raw, Ed448PublicKey):
            return cls(KeyKind.ED448, 456, info, raw)
        raise BadKey("a key of a kind that makes no signatures here")

    @property
    def hash(self) -> bytes:
        """SHA-1 of the SubjectPublicKeyInfo, as certificate requests name authorities (RFC 7296 3.7)."""
        return sha1(self.info).digest()

    @property
    def status(self) -> Status:
        """Small RSA keys are weak (RFC 8247 3.1.1)."""
        is_small = self.kind is KeyKind.RSA and self.bits < GOOD_RSA
        return Status.WEAK if is_small else Status.CURRENT

    def __str__(self) -> str:
        return f"RSA {self.bits}" if self.kind is KeyKind.RSA else self.kind.value


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs, with its public half."""

    public: PublicKey
    raw: Signs

    @classmethod
    def of(cls, raw: object) -> "PrivateKey":
        """The wrapped form of a key. Raises LocalError for a kind that does not sign, BadKey for a weak one."""
        if not isinstance(raw, Signs):
            raise LocalError(f"{type(raw).__name__} makes no signatures here")
        info = raw.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(PublicKey.parse(info), raw)

    @classmethod
    def make(cls, kind: KeyKind, entropy: Entropy) -> "PrivateKey":
        """A fresh key. Raises LocalError for RSA: its primes are not drawn here."""
        if kind is KeyKind.ED25519:
            return cls.of(Ed25519PrivateKey.from_private_bytes(entropy.bytes(32)))
        if kind is KeyKind.ED448:
            return cls.of(Ed448PrivateKey.from_private_bytes(entropy.bytes(57)))
        curve = CURVES.get(kind)
        if curve is None:
            raise LocalError(f"no {kind.value} key is made here; load one")
        return cls.of(ec.derive_private_key(1 + entropy.below(curve.group_order - 1), curve))

    @classmethod
    def from_pem(cls, text: bytes) -> "PrivateKey":
        """A key in a PEM file without a passphrase. Raises LocalError when there is none."""
        try:
            return cls.of(serialization.load_pem_private_key(text, None))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise LocalError(f"no private key: {error}") from error

    @property
    def pem(self) -> bytes:
        """PKCS #8 in PEM, as strongSwan and openssl read it."""
        return self.raw.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def _check_rsa(numbers: rsa.RSAPublicNumbers) -> None:
    modulus, exponent = numbers.n, numbers.e
    bits = modulus.bit_length()
    if not SMALLEST_RSA <= bits <= LARGEST_RSA:
        raise BadKey(f"an RSA key of {bits} bits; {SMALLEST_RSA} to {LARGEST_RSA} are accepted")
    if modulus % 2 == 0 or exponent % 2 == 0 or exponent < 3 or exponent.bit_length() > LARGEST_EXPONENT:
        raise BadKey("an RSA key whose modulus or exponent can be none")
