"""How vector files and recordings spell algorithms, and which row of the catalogue that is.

A spelling that leads to no row is "not supported yet", by name. Nothing here is an algorithm itself.
"""

from typing import TypeVar

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    AhSuite,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
    Integrity,
    Prf,
)
from tests.vectors.results import NotSupportedError

Row = TypeVar("Row")

# published name, ICV length in bytes (0: none of its own) -> name in the catalogue
ENCRYPTION_NAMES = {
    ("aes-gcm", 8): "aes-gcm-8",
    ("aes-gcm", 12): "aes-gcm-12",
    ("aes-gcm", 16): "aes-gcm-16",
    ("aes-ccm", 8): "aes-ccm-8",
    ("aes-ccm", 12): "aes-ccm-12",
    ("aes-ccm", 16): "aes-ccm-16",
    ("aes-gmac", 16): "aes-gmac",
    ("chacha20-poly1305", 16): "chacha20-poly1305",
    ("aes-cbc", 0): "aes-cbc",
    ("aes-ctr", 0): "aes-ctr",
    ("camellia-cbc", 0): "camellia-cbc",
    ("3des-cbc", 0): "3des-cbc",
    ("des-cbc", 0): "des-cbc",
    ("null", 0): "null",
}
INTEGRITY_NAMES = {
    ("sha256", 16): "hmac-sha2-256-128",
    ("sha256", 12): "hmac-sha2-256-96",
    ("sha384", 24): "hmac-sha2-384-192",
    ("sha512", 32): "hmac-sha2-512-256",
    ("sha1", 12): "hmac-sha1-96",
    ("sha1", 20): "hmac-sha1-160",
    ("md5", 12): "hmac-md5-96",
    ("md5", 16): "hmac-md5-128",
    ("aes-xcbc", 12): "aes-xcbc-96",
    ("aes-cmac", 12): "aes-cmac-96",
}
GMAC_NAMES = {128: "aes-128-gmac", 192: "aes-192-gmac", 256: "aes-256-gmac"}  # of AH, by key size
PRF_NAMES = {
    "sha256": "prf-hmac-sha2-256",
    "sha384": "prf-hmac-sha2-384",
    "sha512": "prf-hmac-sha2-512",
    "sha1": "prf-hmac-sha1",
    "md5": "prf-hmac-md5",
    "aesxcbc": "prf-aes128-xcbc",
    "aescmac": "prf-aes128-cmac",
}

# as strongSwan prints them, in the recordings' keys.json
STRONGSWAN_ENCRYPTION = {
    "AES_GCM_16": "aes-gcm-16",
    "AES_CBC": "aes-cbc",
    "CHACHA20_POLY1305": "chacha20-poly1305",
}
STRONGSWAN_INTEGRITY = {
    "HMAC_SHA2_256_128": "hmac-sha2-256-128",
    "HMAC_SHA2_384_192": "hmac-sha2-384-192",
    "HMAC_SHA2_512_256": "hmac-sha2-512-256",
}
STRONGSWAN_PRF = {
    "PRF_HMAC_SHA2_256": "prf-hmac-sha2-256",
    "PRF_HMAC_SHA2_384": "prf-hmac-sha2-384",
    "PRF_HMAC_SHA2_512": "prf-hmac-sha2-512",
}
STRONGSWAN_GROUPS = {
    "CURVE_25519": "x25519",
    "ECP_256": "ecp-256",
    "ECP_384": "ecp-384",
    "ECP_521": "ecp-521",
    "MODP_2048": "modp-2048",
    "MODP_3072": "modp-3072",
    "MODP_4096": "modp-4096",
}

# as the Linux kernel's crypto layer calls them; ICV length in bits
KERNEL_ENCRYPTION = {
    ("rfc4106(gcm(aes))", 128): "aes-gcm-16",
    ("rfc4309(ccm(aes))", 128): "aes-ccm-16",
    ("rfc4543(gcm(aes))", 128): "aes-gmac",
    ("rfc7539esp(chacha20,poly1305)", 128): "chacha20-poly1305",
    ("cbc(aes)", 0): "aes-cbc",
    ("cbc(des3_ede)", 0): "3des-cbc",
    ("ecb(cipher_null)", 0): "null",
}
KERNEL_INTEGRITY = {
    ("hmac(sha256)", 128): "hmac-sha2-256-128",
    ("hmac(sha384)", 192): "hmac-sha2-384-192",
    ("hmac(sha512)", 256): "hmac-sha2-512-256",
    ("hmac(sha1)", 96): "hmac-sha1-96",
    ("xcbc(aes)", 96): "aes-xcbc-96",
    ("cmac(aes)", 96): "aes-cmac-96",
}

_ENCRYPTION_ROWS = {row.name: row for row in ENCRYPTION.values()}
_INTEGRITY_ROWS = {row.name: row for row in INTEGRITY.values()}
_PRF_ROWS = {row.name: row for row in PRF.values()}
_GROUP_ROWS = {row.name: row for row in GROUPS.values()}


def encryption(name: str, icv: int) -> Encryption:
    """The row of a published cipher name; `icv` is 0 for classic ciphers."""
    row = _ENCRYPTION_ROWS.get(ENCRYPTION_NAMES.get((name, icv), ""))
    if row is None:
        raise NotSupportedError(f"{name}, {icv}-byte ICV" if icv else name)
    return row


def integrity(name: str, icv: int, key_bits: int = 0) -> Integrity:
    """The row of a published integrity name with that ICV length; only AES-GMAC is told apart by key size."""
    ours = GMAC_NAMES.get(key_bits, "") if name == "aes-gmac" else INTEGRITY_NAMES.get((name, icv), "")
    row = _INTEGRITY_ROWS.get(ours)
    if row is None:
        raise NotSupportedError(f"integrity {name}, {icv}-byte ICV")
    return row


def prf(name: str) -> Prf:
    """The row of a published prf name."""
    row = _PRF_ROWS.get(PRF_NAMES.get(name, ""))
    if row is None:
        raise NotSupportedError(f"prf {name}")
    return row


def group(number: int) -> Group:
    """The row of a key exchange method."""
    row = GROUPS.get(number)
    if row is None:
        raise NotSupportedError(f"key exchange group {number}")
    return row


def strongswan_child(algorithms: dict[str, object]) -> EspSuite | AhSuite:
    """The suite of a Child SA as strongSwan tells it."""
    integrity = _strongswan_integrity(algorithms)
    if algorithms["protocol"] == "AH":
        if integrity is None:
            raise TypeError("AH without integrity")
        return AhSuite(integrity)
    cipher = _named(_ENCRYPTION_ROWS, STRONGSWAN_ENCRYPTION, algorithms["encr"])
    return EspSuite(cipher, _key_bits(algorithms), integrity)


def strongswan_ike(algorithms: dict[str, object]) -> IkeSuite:
    """The suite of an IKE SA as strongSwan tells it."""
    return IkeSuite(
        _named(_ENCRYPTION_ROWS, STRONGSWAN_ENCRYPTION, algorithms["encr"]),
        _key_bits(algorithms),
        _strongswan_integrity(algorithms),
        _named(_PRF_ROWS, STRONGSWAN_PRF, algorithms["prf"]),
        strongswan_group(algorithms["dh"]),
    )


def strongswan_group(name: object) -> Group:
    """The row of a group as strongSwan tells it."""
    return _named(_GROUP_ROWS, STRONGSWAN_GROUPS, name)


def kernel_suite(sa: dict[str, object]) -> EspSuite | AhSuite:
    """The suite of an SA as the Linux kernel tells it."""
    icv_bits = _whole(sa["icv_bits"])
    if sa["proto"] == "ah":
        return AhSuite(_kernel_row(_INTEGRITY_ROWS, KERNEL_INTEGRITY, sa["auth"], icv_bits))
    if "aead" in sa:
        row = _kernel_row(_ENCRYPTION_ROWS, KERNEL_ENCRYPTION, sa["aead"], icv_bits)
        key = bytes.fromhex(str(sa["aead_key_with_salt"]))
        return EspSuite(row, 8 * (len(key) - row.salt))
    row = _kernel_row(_ENCRYPTION_ROWS, KERNEL_ENCRYPTION, sa["encr"], 0)
    check = _kernel_row(_INTEGRITY_ROWS, KERNEL_INTEGRITY, sa["auth"], icv_bits)
    return EspSuite(row, 4 * len(str(sa["encr_key"])), check)


def _named(rows: dict[str, Row], names: dict[str, str], name: object) -> Row:
    row = rows.get(names.get(str(name), ""))
    if row is None:
        raise NotSupportedError(str(name))
    return row


def _kernel_row(rows: dict[str, Row], names: dict[tuple[str, int], str], name: object, icv: int) -> Row:
    row = rows.get(names.get((str(name), icv), ""))
    if row is None:
        raise NotSupportedError(f"{name}, {icv}-bit ICV" if icv else str(name))
    return row


def _strongswan_integrity(algorithms: dict[str, object]) -> Integrity | None:
    name = algorithms.get("integ")
    return None if name is None else _named(_INTEGRITY_ROWS, STRONGSWAN_INTEGRITY, name)


def _key_bits(algorithms: dict[str, object]) -> int:
    return _whole(algorithms["encr_bits"])


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value
