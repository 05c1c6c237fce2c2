"""What a peer's bytes can do wrong to an algorithm."""

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError


class IntegrityFailed(RemoteError):  # named by what happened, as all errors here
    """The integrity check value does not fit the bytes it covers: nothing may be believed."""

    reason = DropReason.ICV_FAIL


class Misaligned(IntegrityFailed):
    """The ciphertext cannot be what the cipher made: no whole number of its blocks."""

    reason = DropReason.ESP_ALIGN


class InvalidPublicValue(RemoteError):  # named by what happened, as all errors here
    """The peer's public value is no member of the group, or gives everybody the same secret (RFC 6989 2)."""

    reason = DropReason.KE_INVALID


class CertificateMalformed(RemoteError):
    """A certificate or revocation list cannot be read."""

    reason = DropReason.CERT_MALFORMED


class BadKey(RemoteError):
    """A public key is too small, no key at all, or of a kind that nobody here knows."""

    reason = DropReason.CERT_BAD_KEY


class SignatureRefused(RemoteError):
    """The algorithm of a signature, or a parameter of it, is not one to be trusted (RFC 8247 3.2)."""

    reason = DropReason.SIG_PARAMS


class ChainRefused(RemoteError):
    """A certificate can be read, but is not to be believed. `diagnosis` says in which way."""

    reason = DropReason.CERT_CONSTRAINT

    def __init__(self, message: str, diagnosis: Diagnosis) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis
