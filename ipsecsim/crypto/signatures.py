"""Signatures of IKEv2, a row each: RFC 7427's with their AlgorithmIdentifiers, and the classic methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import SignatureRefused
from ipsecsim.crypto.rows import Status
from ipsecsim.crypto.signature_keys import KeyKind, PrivateKey, PublicKey
from ipsecsim.crypto.signature_ways import HASHES, Ecdsa, EcdsaPlain, Eddsa, Pkcs1, Pss
from ipsecsim.wire import der
from ipsecsim.wire.der import DerReader
from ipsecsim.wire.ike.numbers import AuthMethod, HashAlgorithm

ECDSA_KINDS = (KeyKind.P256, KeyKind.P384, KeyKind.P521)


class Signature(Protocol):
    """How a row signs and checks. Both are handed keys of the row's kinds only."""

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """The signature of `data`."""
        ...

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit?"""
        ...


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A row. `word` is swanctl's; `algorithm` the AlgorithmIdentifier in DER, empty for the classic methods."""

    name: str
    word: str
    kinds: tuple[KeyKind, ...]
    hash: HashAlgorithm
    algorithm: bytes
    make: Signature
    rfc: int
    method: AuthMethod = AuthMethod.DIGITAL_SIGNATURE
    status: Status = Status.CURRENT

    def sign(self, key: PrivateKey, data: bytes, entropy: Entropy) -> bytes:
        """The signature of `data`. Raises LocalError for a key of another kind."""
        if key.public.kind not in self.kinds:
            raise LocalError(f"{self.name} with a key for {key.public}")
        return self.make.sign(key, data, entropy)

    def is_good(self, key: PublicKey, data: bytes, signature: bytes) -> bool:
        """Does the signature fit? A key of another kind fits no signature."""
        return key.kind in self.kinds and self.make.is_good(key, data, signature)


_RSA_ARC = "1.2.840.113549.1.1"
_PSS = f"{_RSA_ARC}.10"
_MGF1 = f"{_RSA_ARC}.8"
_HASH_IDENTIFIERS = {
    HashAlgorithm.SHA1: "1.3.14.3.2.26",
    HashAlgorithm.SHA2_256: "2.16.840.1.101.3.4.2.1",
    HashAlgorithm.SHA2_384: "2.16.840.1.101.3.4.2.2",
    HashAlgorithm.SHA2_512: "2.16.840.1.101.3.4.2.3",
}
_NAMES = {
    HashAlgorithm.SHA1: "SHA-1",
    HashAlgorithm.SHA2_256: "SHA2-256",
    HashAlgorithm.SHA2_384: "SHA2-384",
    HashAlgorithm.SHA2_512: "SHA2-512",
}
_SHA2 = (HashAlgorithm.SHA2_256, HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512)


def _algorithm(dotted: str, *parameters: bytes) -> bytes:
    return der.element(der.SEQUENCE, der.identifier(dotted), *parameters)


_NULL = der.element(der.NULL)


def pss_algorithm(function: HashAlgorithm, salt_length: int) -> bytes:
    """The AlgorithmIdentifier of RSASSA-PSS with all parameters.

    The trailer, too, though DER leaves defaults out: RFC 7427 A.4.3 has it, and peers may compare with that.
    """
    digest = _algorithm(_HASH_IDENTIFIERS[function], _NULL)
    parameters = der.element(
        der.SEQUENCE,
        der.element(der.EXPLICIT, digest),
        der.element(der.EXPLICIT + 1, _algorithm(_MGF1, digest)),
        der.element(der.EXPLICIT + 2, der.integer(salt_length)),
        der.element(der.EXPLICIT + 3, der.integer(1)),
    )
    return _algorithm(_PSS, parameters)


def _pss(function: HashAlgorithm, salt_length: int) -> SignatureScheme:
    name = f"RSASSA-PSS with {_NAMES[function]}"
    word = f"rsa/pss-{HASHES[function].name}"
    way = Pss(function, salt_length)
    return SignatureScheme(
        name, word, (KeyKind.RSA,), function, pss_algorithm(function, salt_length), way, 8017
    )


def _digest_length(function: HashAlgorithm) -> int:
    return HASHES[function].digest_size


SIGNATURES: tuple[SignatureScheme, ...] = (
    SignatureScheme(
        "Ed25519",
        "ed25519",
        (KeyKind.ED25519,),
        HashAlgorithm.IDENTITY,
        _algorithm("1.3.101.112"),
        Eddsa(),
        8420,
    ),
    SignatureScheme(
        "Ed448", "ed448", (KeyKind.ED448,), HashAlgorithm.IDENTITY, _algorithm("1.3.101.113"), Eddsa(), 8420
    ),
    *(
        SignatureScheme(
            f"ECDSA with {_NAMES[function]}",
            f"ecdsa-{HASHES[function].name}",
            ECDSA_KINDS,
            function,
            _algorithm(f"1.2.840.10045.4.3.{last}"),
            Ecdsa(function),
            7427,
        )
        for function, last in zip(_SHA2, (2, 3, 4), strict=True)
    ),
    *(_pss(function, _digest_length(function)) for function in _SHA2),
    *(
        SignatureScheme(
            f"RSASSA-PKCS1-v1_5 with {_NAMES[function]}",
            f"rsa-{HASHES[function].name}",
            (KeyKind.RSA,),
            function,
            _algorithm(f"{_RSA_ARC}.{last}", _NULL),
            Pkcs1((function,)),
            7427,
        )
        for function, last in zip(_SHA2, (11, 12, 13), strict=True)
    ),
)
"""Those of authentication method 14, best first for each kind of key."""

CLASSIC: dict[int, SignatureScheme] = {
    row.method: row
    for row in (
        # RFC 7296 3.8: SHA-1 is the default when signing; what else the peer takes, its certificate hints at
        SignatureScheme(
            "RSA signature",
            "rsa-sha1",
            (KeyKind.RSA,),
            HashAlgorithm.SHA1,
            b"",
            Pkcs1((HashAlgorithm.SHA1, *_SHA2)),
            7296,
            AuthMethod.RSA_DIGITAL_SIGNATURE,
            Status.WEAK,
        ),
        *(
            SignatureScheme(
                f"{kind.value} with {_NAMES[function]} (RFC 4754)",
                f"ecdsa-{kind.value[-3:]}-{HASHES[function].name}",
                (kind,),
                function,
                b"",
                EcdsaPlain(function),
                4754,
                method,
            )
            for kind, function, method in (
                (KeyKind.P256, HashAlgorithm.SHA2_256, AuthMethod.ECDSA_SHA_256_P_256),
                (KeyKind.P384, HashAlgorithm.SHA2_384, AuthMethod.ECDSA_SHA_384_P_384),
                (KeyKind.P521, HashAlgorithm.SHA2_512, AuthMethod.ECDSA_SHA_512_P_521),
            )
        ),
    )
}
"""Those of the methods that were there before RFC 7427, by method."""

_BY_ALGORITHM = {row.algorithm: row for row in SIGNATURES}
_PSS_START = der.identifier(_PSS)


def scheme_of(algorithm: bytes) -> SignatureScheme:
    """The row that an AlgorithmIdentifier names, by its exact DER. Raises SignatureRefused, Malformed.

    RSASSA-PSS may have a shorter salt than our own, and its parameters may be written in two ways.
    """
    row = _BY_ALGORITHM.get(algorithm)
    if row is not None:
        return row
    reader = DerReader(algorithm, "AlgorithmIdentifier", DropReason.SIG_PARAMS)
    inner = reader.inside(der.SEQUENCE)
    reader.end()
    if inner.next(der.OBJECT_IDENTIFIER).whole != _PSS_START:
        raise SignatureRefused(f"the signature algorithm {algorithm.hex()}")
    return _read_pss(inner)


def _read_pss(reader: DerReader) -> SignatureScheme:
    """RSASSA-PSS-params (RFC 4055 3.1). What is left out means SHA-1 or its 20 bytes, which is refused."""
    parameters = reader.inside(der.SEQUENCE)
    reader.end()
    found: dict[int, DerReader] = {}
    while parameters.remaining:
        part = parameters.next()
        number = part.tag - der.EXPLICIT
        if number not in range(4) or number in found or any(known > number for known in found):
            raise parameters.malformed(f"a parameter with tag {part.tag:#04x}")
        found[number] = DerReader(part.value, "RSASSA-PSS parameter", DropReason.SIG_PARAMS)
    if not {0, 1, 2} <= set(found):
        raise SignatureRefused("RSASSA-PSS with default parameters means SHA-1 (RFC 8247 3.2)")
    function = _read_hash(found[0])
    mask = found[1].inside(der.SEQUENCE)
    if mask.next(der.OBJECT_IDENTIFIER).whole != der.identifier(_MGF1):
        raise SignatureRefused("RSASSA-PSS with another mask function than MGF1")
    if not mask.remaining:
        raise SignatureRefused("RSASSA-PSS with an MGF1 that names no hash")
    if _read_hash(mask) is not function:
        raise SignatureRefused("RSASSA-PSS with one hash for the data and another for MGF1")
    salt_octets = found[2].next(der.INTEGER).value
    if len(salt_octets) > 4:
        raise SignatureRefused("RSASSA-PSS with a salt of more bytes than can be counted")
    salt = int.from_bytes(salt_octets, "big", signed=True)
    # FIPS 186-5 5.4: no longer than the hash
    if not 0 <= salt <= _digest_length(function):
        raise SignatureRefused(f"RSASSA-PSS with a salt of {salt} bytes")
    if 3 in found and found[3].next(der.INTEGER).value != b"\x01":
        raise SignatureRefused("RSASSA-PSS with another trailer than 1")
    for each in found.values():
        each.end()
    return _pss(function, salt)


def _read_hash(reader: DerReader) -> HashAlgorithm:
    digest = reader.inside(der.SEQUENCE)
    name = digest.next(der.OBJECT_IDENTIFIER).whole
    if digest.remaining:
        digest.next(der.NULL)  # RFC 4055 2.1: with and without NULL means the same
    digest.end()
    for function in _SHA2:
        if name == der.identifier(_HASH_IDENTIFIERS[function]):
            return function
    raise SignatureRefused("RSASSA-PSS with a hash that is not of the SHA-2 family")


def fitting(key: PublicKey, among: Sequence[SignatureScheme] = SIGNATURES) -> list[SignatureScheme]:
    """The rows that a key can use, best first: an ECDSA key begins with the hash of its own strength."""
    rows = [row for row in among if key.kind in row.kinds]
    if key.kind in ECDSA_KINDS:
        rows.sort(key=lambda row: _digest_length(row.hash) * 8 < min(key.bits, 512))
    return rows
