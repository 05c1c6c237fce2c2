"""From a suite's rows and keys to the object that seals and opens packets."""

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import IntegrityFailed, Misaligned
from ipsecsim.crypto.rows import Encryption, Integrity, Protection

__all__ = ["IntegrityFailed", "Misaligned", "Protection", "make_protection"]


def make_protection(
    encryption: Encryption,
    key_bits: int,
    encryption_key: bytes,
    integrity: Integrity | None,
    integrity_key: bytes = b"",
) -> Protection:
    """The keyed object of one direction of one SA; `encryption_key` ends in the salt if the cipher has one.

    A classic cipher without integrity is for study only: what it opens is not authentic (RFC 8221 4).
    Raises LocalError when a key has the wrong length, or the algorithms do not go together.
    """
    if key_bits not in encryption.key_bits:
        raise LocalError(f"{encryption.name} has no keys of {key_bits} bits")
    if key_bits == 0 and integrity is None:
        # RFC 4303 5 and RFC 4301 4.2: either may be absent, but never both
        raise LocalError(f"{encryption.name} without an integrity algorithm protects nothing")
    _check_key(encryption.name, encryption_key, key_bits // 8 + encryption.salt)
    if integrity is None:
        return encryption.make(encryption, encryption_key, None, 0)
    if integrity.ah_only:
        raise LocalError(f"{integrity.name} is for AH alone")
    _check_key(integrity.name, integrity_key, integrity.key_length)
    return encryption.make(encryption, encryption_key, integrity.make(integrity_key), integrity.icv)


def _check_key(name: str, key: bytes, length: int) -> None:
    if len(key) != length:
        raise LocalError(f"{name} takes {length} bytes of key material, not {len(key)}")
