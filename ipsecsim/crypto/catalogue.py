"""Every algorithm there is, one row each. Numbers are IKEv2 transform IDs; words are those of swanctl.conf.

Nothing else in the program knows an algorithm by name: negotiation, keys, topologies and traces look here.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from ipsecsim.crypto import aead, integrity
from ipsecsim.crypto import encryption as classic
from ipsecsim.crypto.key_exchange import Curve25519, Ecp, Modp
from ipsecsim.crypto.rows import (
    AhSuite,
    Authentication,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
    Integrity,
    KeyPair,
    Prf,
    Protection,
    Status,
)

__all__ = [
    "ENCRYPTION",
    "GROUPS",
    "INTEGRITY",
    "PRF",
    "WORDS",
    "AhSuite",
    "Authentication",
    "Encryption",
    "EspSuite",
    "Group",
    "IkeSuite",
    "Integrity",
    "KeyPair",
    "Meaning",
    "Prf",
    "Protection",
    "Status",
]

_ENCRYPTION = (
    Encryption(
        id=20,
        name="aes-gcm-16",
        word="aes{bits}gcm16",
        aliases=("aes{bits}gcm128", "aes{bits}gcm"),
        key_bits=(128, 192, 256),
        salt=4,
        iv=8,
        icv=16,
        block=1,
        make=aead.aes_gcm,
        status=Status.CURRENT,
        rfc=4106,
    ),
    Encryption(
        id=28,
        name="chacha20-poly1305",
        word="chacha20poly1305",
        key_bits=(256,),
        salt=4,
        iv=8,
        icv=16,
        block=1,
        make=aead.chacha20_poly1305,
        status=Status.CURRENT,
        rfc=7634,
    ),
    Encryption(
        id=12,
        name="aes-cbc",
        word="aes{bits}",
        aliases=("aes",),
        key_bits=(128, 192, 256),
        salt=0,
        iv=16,
        icv=0,
        block=16,
        make=classic.aes_cbc,
        status=Status.CURRENT,
        rfc=3602,
    ),
)

_INTEGRITY = (
    Integrity(
        id=12,
        name="hmac-sha2-256-128",
        word="sha256",
        aliases=("sha2_256",),
        key_length=32,
        icv=16,
        prf=5,
        make=integrity.hmac_sha256,
        status=Status.CURRENT,
        rfc=4868,
    ),
    Integrity(
        id=13,
        name="hmac-sha2-384-192",
        word="sha384",
        aliases=("sha2_384",),
        key_length=48,
        icv=24,
        prf=6,
        make=integrity.hmac_sha384,
        status=Status.CURRENT,
        rfc=4868,
    ),
    Integrity(
        id=14,
        name="hmac-sha2-512-256",
        word="sha512",
        aliases=("sha2_512",),
        key_length=64,
        icv=32,
        prf=7,
        make=integrity.hmac_sha512,
        status=Status.CURRENT,
        rfc=4868,
    ),
)

_PRF = (
    Prf(
        id=5,
        name="prf-hmac-sha2-256",
        word="prfsha256",
        key_length=32,
        output=32,
        make=integrity.hmac_sha256,
        status=Status.CURRENT,
        rfc=4868,
    ),
    Prf(
        id=6,
        name="prf-hmac-sha2-384",
        word="prfsha384",
        key_length=48,
        output=48,
        make=integrity.hmac_sha384,
        status=Status.CURRENT,
        rfc=4868,
    ),
    Prf(
        id=7,
        name="prf-hmac-sha2-512",
        word="prfsha512",
        key_length=64,
        output=64,
        make=integrity.hmac_sha512,
        status=Status.CURRENT,
        rfc=4868,
    ),
)

_GROUPS = (
    Group(31, "x25519", "x25519", 32, Curve25519(), Status.CURRENT, 8031, aliases=("curve25519",)),
    Group(19, "ecp-256", "ecp256", 64, Ecp(ec.SECP256R1()), Status.CURRENT, 5903),
    Group(20, "ecp-384", "ecp384", 96, Ecp(ec.SECP384R1()), Status.CURRENT, 5903),
    Group(21, "ecp-521", "ecp521", 132, Ecp(ec.SECP521R1()), Status.CURRENT, 5903),
    Group(14, "modp-2048", "modp2048", 256, Modp(14), Status.CURRENT, 3526),
    Group(15, "modp-3072", "modp3072", 384, Modp(15), Status.CURRENT, 3526),
    Group(16, "modp-4096", "modp4096", 512, Modp(16), Status.CURRENT, 3526),
)

ENCRYPTION: dict[int, Encryption] = {row.id: row for row in _ENCRYPTION}
INTEGRITY: dict[int, Integrity] = {row.id: row for row in _INTEGRITY}
PRF: dict[int, Prf] = {row.id: row for row in _PRF}
GROUPS: dict[int, Group] = {row.id: row for row in _GROUPS}


class Meaning(NamedTuple):
    """What a proposal word stands for: a row, and for ciphers the key size."""

    row: Encryption | Integrity | Prf | Group
    key_bits: int | None = None


WORDS: dict[str, Meaning] = {
    word.format(bits=bits): Meaning(row, bits)
    for row in _ENCRYPTION
    for word in (row.word, *row.aliases)
    for bits in (row.key_bits if "{bits}" in word else row.key_bits[:1])
} | {word: Meaning(row) for row in (*_INTEGRITY, *_PRF, *_GROUPS) for word in (row.word, *row.aliases)}
"""Every proposal word, aliases included."""
