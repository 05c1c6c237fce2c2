"""Which payloads a message must have and may have (RFC 7296 1.2, 1.4, appendix C)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.ike.errors import InvalidSyntax, UnsupportedCriticalPayload
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.notify import FIRST_STATUS_TYPE, Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType


@dataclass(frozen=True, slots=True)
class Rule:
    """Payloads that stand exactly once, and those that may stand once. All others may repeat or are ignored."""

    once: tuple[PayloadType, ...] = ()
    at_most_once: tuple[PayloadType, ...] = ()


P = PayloadType

# Keyed by exchange and by whether the message is a response.
RULES = {
    (ExchangeType.IKE_SA_INIT, False): Rule(once=(P.SA, P.KE, P.NONCE)),
    (ExchangeType.IKE_SA_INIT, True): Rule(once=(P.SA, P.KE, P.NONCE)),
    (ExchangeType.IKE_INTERMEDIATE, False): Rule(once=(P.KE,)),
    (ExchangeType.IKE_INTERMEDIATE, True): Rule(once=(P.KE,)),
    (ExchangeType.IKE_AUTH, False): Rule(
        once=(P.IDi, P.AUTH), at_most_once=(P.IDr, P.CP, P.SA, P.TSi, P.TSr)
    ),
    (ExchangeType.IKE_AUTH, True): Rule(once=(P.IDr, P.AUTH), at_most_once=(P.SA, P.TSi, P.TSr, P.CP)),
    (ExchangeType.CREATE_CHILD_SA, False): Rule(
        once=(P.SA, P.NONCE), at_most_once=(P.KE, P.TSi, P.TSr, P.CP)
    ),
    (ExchangeType.CREATE_CHILD_SA, True): Rule(once=(P.SA, P.NONCE), at_most_once=(P.KE, P.TSi, P.TSr, P.CP)),
    (ExchangeType.IKE_FOLLOWUP_KE, False): Rule(once=(P.KE,)),
    (ExchangeType.IKE_FOLLOWUP_KE, True): Rule(once=(P.KE,)),
    (ExchangeType.INFORMATIONAL, False): Rule(at_most_once=(P.CP,)),
    (ExchangeType.INFORMATIONAL, True): Rule(at_most_once=(P.CP,)),
}

# A response that holds one of these instead of an answer needs nothing else.
REFUSALS = {
    ExchangeType.IKE_SA_INIT: (
        NotifyType.COOKIE,
        NotifyType.INVALID_KE_PAYLOAD,
        NotifyType.NO_PROPOSAL_CHOSEN,
        NotifyType.INVALID_SYNTAX,
        NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
        NotifyType.INVALID_MAJOR_VERSION,
    ),
    ExchangeType.IKE_AUTH: (
        NotifyType.UNEXPECTED_NAT_DETECTED,
        NotifyType.AUTHENTICATION_FAILED,
        NotifyType.INVALID_SYNTAX,
        NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
    ),
    ExchangeType.IKE_INTERMEDIATE: tuple(each for each in NotifyType if each < FIRST_STATUS_TYPE),
    ExchangeType.IKE_FOLLOWUP_KE: tuple(each for each in NotifyType if each < FIRST_STATUS_TYPE),
    ExchangeType.CREATE_CHILD_SA: tuple(each for each in NotifyType if each < FIRST_STATUS_TYPE),
}


def check(exchange: int, payloads: Sequence[Payload], *, is_response: bool) -> None:
    """Raise InvalidSyntax or UnsupportedCriticalPayload when the list breaks the rules of its message."""
    for payload in payloads:
        if isinstance(payload, UnknownPayload) and payload.critical:
            # RFC 7296 2.5: an unknown payload without the critical bit is skipped
            raise UnsupportedCriticalPayload(payload.type)
    if is_response and refusal(exchange, payloads) is not None:
        return
    rule = RULES.get((ExchangeType(exchange), is_response), Rule())
    count = Counter(payload.type for payload in payloads)
    for kind in rule.once:
        if count[kind] != 1:
            raise InvalidSyntax(f"{kind.name} stands {count[kind]} times instead of once")
    for kind in rule.at_most_once:
        if count[kind] > 1:
            raise InvalidSyntax(f"{kind.name} stands {count[kind]} times")


def refusal(exchange: int, payloads: Sequence[Payload]) -> Notify | None:
    """The notify by which the peer refuses the whole exchange, if there is one.

    An error that we do not know counts as such (RFC 7296 3.10.1).
    """
    refusing = REFUSALS.get(ExchangeType(exchange), ())
    for payload in payloads:
        if isinstance(payload, Notify) and (payload.notify_type in refusing or _is_unknown_error(payload)):
            return payload
    return None


def _is_unknown_error(notify: Notify) -> bool:
    return notify.is_error and notify.notify_type not in NotifyType._value2member_map_
