"""What a peer can do wrong in IKE, each with the notify that answers it (RFC 7296 3.10.1)."""

from collections.abc import Sequence

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.wire.ike.numbers import NotifyType, TransformType


class IkeError(RemoteError):
    """A message was refused. `notify` is what the peer is told, None when it is told nothing.

    `diagnosis` is what is wrong between the two ends, where the refusal shows it; the peer does not learn it.
    """

    reason = DropReason.INVALID_SYNTAX
    notify: NotifyType | None = None
    notify_data: bytes = b""
    notify_protocol: int = 0
    notify_spi: bytes = b""
    diagnosis: Diagnosis | None = None


class InvalidSyntax(IkeError):
    """A payload is missing, doubled or makes no sense."""

    notify = NotifyType.INVALID_SYNTAX

    def __init__(self, message: str, reason: DropReason = DropReason.INVALID_SYNTAX) -> None:
        super().__init__(message)
        self.reason = reason


class UnsupportedCriticalPayload(IkeError):
    """The peer insists on a payload that we do not know (RFC 7296 2.5)."""

    reason = DropReason.CRITICAL_UNKNOWN
    notify = NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD

    def __init__(self, payload_type: int) -> None:
        super().__init__(f"critical payload of unknown type {payload_type}")
        self.notify_data = bytes([payload_type])


class NoAdditionalSas(IkeError):
    """There are as many SAs as there may be (RFC 7296 1.3)."""

    reason = DropReason.IKE_SA_LIMIT
    notify = NotifyType.NO_ADDITIONAL_SAS


class NoProposalChosen(IkeError):
    """Nothing that was offered is acceptable (RFC 7296 2.7)."""

    reason = DropReason.NO_PROPOSAL
    notify = NotifyType.NO_PROPOSAL_CHOSEN


class NoCommonTransform(NoProposalChosen):
    """The two ends have no proposal in common; `lacking` are the transform types of the closest one that fail."""

    diagnosis = Diagnosis.NO_COMMON_TRANSFORM

    def __init__(self, message: str, lacking: Sequence[TransformType] = ()) -> None:
        super().__init__(message)
        self.lacking = tuple(lacking)


class InvalidKeyExchange(IkeError):
    """The peer guessed another group than the chosen one; it is told which (RFC 7296 1.3)."""

    reason = DropReason.INVALID_KE
    notify = NotifyType.INVALID_KE_PAYLOAD

    def __init__(self, wanted: int, got: int) -> None:
        super().__init__(f"key exchange for group {got}, wanted {wanted}")
        self.notify_data = wanted.to_bytes(2, "big")


class AuthenticationFailed(IkeError):
    """The peer did not prove who it is. It learns no more than that (RFC 7296 2.21.2)."""

    notify = NotifyType.AUTHENTICATION_FAILED

    def __init__(self, message: str, reason: DropReason = DropReason.AUTH_FAILED) -> None:
        super().__init__(message)
        self.reason = reason


class TsUnacceptable(IkeError):
    """The traffic selectors do not meet (RFC 7296 2.9)."""

    reason = DropReason.TS_UNACCEPTABLE
    notify = NotifyType.TS_UNACCEPTABLE


class NoOverlap(TsUnacceptable):
    """Nothing of what was asked for is configured here."""

    diagnosis = Diagnosis.TS_NO_OVERLAP


class InternalAddressFailure(IkeError):
    """No virtual address is to be had (RFC 7296 3.15.4)."""

    reason = DropReason.INTERNAL_ADDRESS_FAILURE
    notify = NotifyType.INTERNAL_ADDRESS_FAILURE


class FailedCpRequired(IkeError):
    """The peer gets no child unless it asks for a virtual address (RFC 7296 2.19)."""

    reason = DropReason.FAILED_CP_REQUIRED
    notify = NotifyType.FAILED_CP_REQUIRED


class SinglePairRequired(IkeError):
    """Each pair of addresses has a child of its own here, and the offer does not begin with one (RFC 7296 2.9)."""

    reason = DropReason.TS_UNACCEPTABLE
    notify = NotifyType.SINGLE_PAIR_REQUIRED


class TemporaryFailure(IkeError):
    """Not now: we are busy with what the request is about (RFC 7296 2.25)."""

    reason = DropReason.STATE_VIOLATION
    notify = NotifyType.TEMPORARY_FAILURE


class ChildSaNotFound(IkeError):
    """The Child SA that is to be rekeyed is not here; the answer names it (RFC 7296 2.25)."""

    reason = DropReason.NO_STATE
    notify = NotifyType.CHILD_SA_NOT_FOUND

    def __init__(self, protocol: int, spi: bytes) -> None:
        super().__init__(f"no Child SA with SPI {spi.hex()}")
        self.notify_protocol = protocol
        self.notify_spi = spi


class StateNotFound(IkeError):
    """The exchange that a request follows up is not here, or not any more (RFC 9370 2.2.4)."""

    reason = DropReason.NO_STATE
    notify = NotifyType.STATE_NOT_FOUND


class UnexpectedNat(IkeError):
    """Somebody on the way has changed the addresses, which the peer does not put up with (RFC 4555 3.9)."""

    reason = DropReason.UNEXPECTED_NAT
    notify = NotifyType.UNEXPECTED_NAT_DETECTED


class UnexpectedMessage(IkeError):
    """The message does not fit the state. Dropped without an answer."""

    reason = DropReason.STATE_VIOLATION


class NotForWindow(IkeError):
    """The message ID is not one that we wait for. Dropped without an answer (RFC 7296 2.3)."""

    def __init__(self, reason: DropReason, message_id: int) -> None:
        super().__init__(f"message ID {message_id}")
        self.reason = reason


class NoSuchSa(IkeError):
    """No IKE SA has these SPIs."""

    reason = DropReason.NO_STATE


class BadSpi(IkeError):
    """The SPI fields break the rules of the header (RFC 7296 3.1)."""

    reason = DropReason.BAD_SPI


class UnsupportedVersion(IkeError):
    """A major version that we do not speak (RFC 7296 2.5)."""

    reason = DropReason.BAD_VERSION
    notify = NotifyType.INVALID_MAJOR_VERSION
