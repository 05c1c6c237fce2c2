"""What a peer's bytes can do wrong to an algorithm."""

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
