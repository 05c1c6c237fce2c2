"""What Wireshark calls the algorithms in its tables of keys, and from which version on it reads what.

A name that a version does not know makes it refuse the whole table. The names were tried with tshark 4.0.17, 4.4.19
and 4.6.9: tests/interop opens captures of every suite with the tshark that it finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """What Wireshark calls a cipher in its two tables, in `ike` by key size. Empty: it cannot read it."""

    esp: str = ""
    ike: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckNames:
    """What it calls an integrity algorithm in the same tables. Empty: it cannot read what is protected by it.

    Without `checks` it knows only how long the ICV is, and wants no key.
    """

    esp: str = ""
    ike: str = ""
    checks: bool = True


NOT_READABLE = Names()
AES_KEYS = (128, 192, 256)


def _aead(mode: str, icv: int) -> dict[int, str]:
    return {bits: f"AES-{mode}-{bits} with {icv} octet ICV [RFC5282]" for bits in AES_KEYS}


_ANY_96 = ("ANY 96 bit authentication [no checking]", "ANY 96-bits of Authentication [No Checking]")
_ANY_128 = ("ANY 128 bit authentication [no checking]", "ANY 128-bits of Authentication [No Checking]")

# In "AES-GCM [RFC4106]", without a length, Wireshark expects no ICV at all: never use that name.
ENCRYPTION: dict[str, Names] = {
    "aes-gcm-16": Names("AES-GCM with 16 octet ICV [RFC4106]", _aead("GCM", 16)),
    "aes-gcm-12": Names("AES-GCM with 12 octet ICV [RFC4106]", _aead("GCM", 12)),
    "aes-gcm-8": Names("AES-GCM with 8 octet ICV [RFC4106]", _aead("GCM", 8)),
    "aes-ccm-16": Names(ike=_aead("CCM", 16)),
    "aes-ccm-12": Names(ike=_aead("CCM", 12)),
    "aes-ccm-8": Names(ike=_aead("CCM", 8)),
    "aes-cbc": Names("AES-CBC [RFC3602]", {bits: f"AES-CBC-{bits} [RFC3602]" for bits in AES_KEYS}),
    "aes-ctr": Names("AES-CTR [RFC3686]"),
    "null": Names("NULL"),
    "3des-cbc": Names("TripleDES-CBC [RFC2451]", {192: "3DES [RFC2451]"}),
    "des-cbc": Names("DES-CBC [RFC2405]"),
    "camellia-cbc": NOT_READABLE,
    "chacha20-poly1305": NOT_READABLE,
    "aes-gmac": NOT_READABLE,
    "aes-gcm-16-iiv": NOT_READABLE,
    "aes-ccm-8-iiv": NOT_READABLE,
    "chacha20-poly1305-iiv": NOT_READABLE,
}
INTEGRITY: dict[str, CheckNames] = {
    "": CheckNames("NULL", "NONE [RFC4306]"),
    "hmac-sha2-256-128": CheckNames("HMAC-SHA-256-128 [RFC4868]", "HMAC_SHA2_256_128 [RFC4868]"),
    "hmac-sha2-384-192": CheckNames("HMAC-SHA-384-192 [RFC4868]", "HMAC_SHA2_384_192 [RFC4868]"),
    "hmac-sha2-512-256": CheckNames("HMAC-SHA-512-256 [RFC4868]", "HMAC_SHA2_512_256 [RFC4868]"),
    "hmac-sha2-256-96": CheckNames(
        "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]",
        "HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]",
    ),
    "hmac-sha1-96": CheckNames("HMAC-SHA-1-96 [RFC2404]", "HMAC_SHA1_96 [RFC2404]"),
    "hmac-sha1-160": CheckNames("", "ANY 160-bits of Authentication [No Checking]", checks=False),
    "hmac-md5-96": CheckNames("HMAC-MD5-96 [RFC2403]", "HMAC_MD5_96 [RFC2403]"),
    "hmac-md5-128": CheckNames(*_ANY_128, checks=False),
    "aes-xcbc-96": CheckNames(*_ANY_96, checks=False),
    "aes-cmac-96": CheckNames(*_ANY_96, checks=False),
    "aes-128-gmac": CheckNames(),
    "aes-192-gmac": CheckNames(),
    "aes-256-gmac": CheckNames(),
}

NEWER_ENCRYPTION: dict[str, Names] = {
    "chacha20-poly1305": Names("ChaCha20 with Poly1305 [RFC7634]"),
    "chacha20-poly1305-iiv": Names("ChaCha20 with Poly1305 and IIV [RFC7634 & RFC8750]"),
}
"""What 4.6 reads beside that. It opens AES-GCM with an implicit IV too, but calls each ICV bad: left out."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What Wireshark reads from a version on, and the profile that is written for it.

    `knows_esn`: its ESP table has two more columns, for sequence numbers of 64 bits (RFC 4303 2.2.1).
    """

    version: str
    profile: str
    encryption: Mapping[str, Names]
    knows_esn: bool


EDITIONS: tuple[Edition, ...] = (
    Edition("4.0", "ipsecsim", ENCRYPTION, knows_esn=False),
    Edition("4.4", "ipsecsim-4.4", ENCRYPTION, knows_esn=True),
    Edition("4.6", "ipsecsim-4.6", ENCRYPTION | NEWER_ENCRYPTION, knows_esn=True),
)
"""From the oldest on. The first is for every version, each other only for its own and newer ones."""
