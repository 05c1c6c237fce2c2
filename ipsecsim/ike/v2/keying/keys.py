"""Every key of IKEv2, in the order RFC 7296 derives them (sections 2.14, 2.17, 2.18)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.crypto.catalogue import AhSuite, EspSuite, IkeSuite, Prf
from ipsecsim.crypto.prf import compute, prf_plus
from ipsecsim.ike.events import IkeKeysDerived

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


@dataclass(slots=True)
class IkeKeys:
    """The seven keys of an IKE SA. With an AEAD cipher SK_ai and SK_ar are empty and SK_e* end in the salt."""

    sk_d: bytes
    sk_ai: bytes
    sk_ar: bytes
    sk_ei: bytes
    sk_er: bytes
    sk_pi: bytes
    sk_pr: bytes


@dataclass(slots=True)
class ChildKeys:
    """The keys of a Child SA pair; `_i` protects what the initiator of the exchange sends."""

    encryption_i: bytes
    integrity_i: bytes
    encryption_r: bytes
    integrity_r: bytes


def derive_skeyseed(prf: Prf, nonce_i: bytes, nonce_r: bytes, shared_secret: bytes) -> bytes:
    """SKEYSEED = prf(Ni | Nr, g^ir): the nonces are the key (RFC 7296 2.14)."""
    taken = prf.nonce_octets or None
    return compute(prf, nonce_i[:taken] + nonce_r[:taken], shared_secret)


def rekey_skeyseed(
    prf: Prf, old_sk_d: bytes, shared_secret: bytes, nonce_i: bytes, nonce_r: bytes, more: bytes = b""
) -> bytes:
    """SKEYSEED of a rekeyed IKE SA, made with the prf of the *old* SA (RFC 7296 2.18).

    `more` are the secrets of additional key exchanges, one after the other (RFC 9370 2.2.4).
    """
    return compute(prf, old_sk_d, shared_secret + nonce_i + nonce_r + more)


def derive_ike_keys(
    suite: IkeSuite, skeyseed: bytes, nonce_i: bytes, nonce_r: bytes, spi_i: bytes, spi_r: bytes
) -> IkeKeys:
    """Cut SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr from prf+ (RFC 7296 2.14)."""
    prf, integrity, encryption = (
        suite.prf.key_length,
        suite.integrity_key_length,
        suite.encryption_key_length,
    )
    lengths = (prf, integrity, integrity, encryption, encryption, prf, prf)
    stream = prf_plus(suite.prf, skeyseed, nonce_i + nonce_r + spi_i + spi_r, sum(lengths))
    return IkeKeys(*_cut(stream, lengths))


def keys_derived(sa: "IkeSa", skeyseed: bytes, shared_secret: bytes) -> IkeKeysDerived:
    """All keys of an IKE SA as an event."""
    suite, keys = sa.suite, sa.keys
    return IkeKeysDerived(
        sa.spi_i,
        sa.spi_r,
        suite.encryption.name,
        suite.key_bits,
        suite.integrity.name if suite.integrity else "",
        shared_secret,
        skeyseed,
        keys.sk_d,
        keys.sk_ai,
        keys.sk_ar,
        keys.sk_ei,
        keys.sk_er,
        keys.sk_pi,
        keys.sk_pr,
    )


def derive_keymat(
    suite: EspSuite | AhSuite,
    prf: Prf,
    sk_d: bytes,
    nonce_i: bytes,
    nonce_r: bytes,
    shared_secret: bytes = b"",
    more: bytes = b"",
) -> ChildKeys:
    """Cut KEYMAT: initiator's direction first, encryption before integrity (RFC 7296 2.17).

    `shared_secret` is that of the exchange's own Diffie-Hellman, empty when it had none; `more` are those of
    additional key exchanges (RFC 9370 2.2.4).
    """
    lengths = (suite.encryption_key_length, suite.integrity_key_length) * 2
    stream = prf_plus(prf, sk_d, shared_secret + nonce_i + nonce_r + more, sum(lengths))
    return ChildKeys(*_cut(stream, lengths))


def _cut(stream: bytes, lengths: tuple[int, ...]) -> list[bytes]:
    pieces, start = [], 0
    for length in lengths:
        pieces.append(stream[start : start + length])
        start += length
    return pieces
