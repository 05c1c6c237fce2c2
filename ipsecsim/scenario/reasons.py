"""The closed lists of words that claims may name: drop reasons, notifies, diagnoses."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.scenario.not_yet import DROPS_LATER
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.wire.ike.numbers import NotifyType

DIAGNOSES: tuple[str, ...] = (
    *("ESP_FILTERED_ON_PATH", "IKE_FILTERED_ON_PATH", "TS_NO_OVERLAP", "TS_NARROWED", "NO_COMMON_TRANSFORM"),
    *("AUTH_PSK_MISMATCH", "AUTH_ID_UNKNOWN", "AUTH_CERT_ID_MISMATCH", "AUTH_CERT_UNTRUSTED"),
    *("AUTH_CERT_EXPIRED", "PFS_MISMATCH_LATENT", "PMTU_BLACKHOLE", "IKE_FRAG_LOST", "NAT_BEFORE_SPD"),
    *("SPD_CONFLICT_SAME_OUTER", "AH_ICV_NAT", "TRANSPORT_NAT_CHECKSUM", "RESPONDER_BEHIND_NAT"),
    *("REPLAY_WINDOW_TOO_SMALL", "NAT_MAPPING_LOST", "MOBIKE_NO_PATH", "STALE_SA", "REKEY_COLLISION"),
    *("PEER_REBOOTED", "PLAINTEXT_LEAK", "SUBNET_OVERLAP", "SRC_NOT_IN_TS", "PEER_SINGLE_TS"),
    *("ICV_LEN_MISMATCH", "SPD_ORDER"),
)
"""What can be wrong with a tunnel or flow as a whole."""


def drop_reason(text: str) -> str:
    """A drop reason. Raises Mistake, or NotYet for one whose layer is not there yet."""
    if text in DropReason.__members__:
        return text
    if text in DROPS_LATER:
        raise NotYet(f"the drop reason {text}")
    raise _unknown(text, [*DropReason.__members__, *DROPS_LATER], DIAGNOSES, "what is dropped", "why:")


def diagnosis(text: str) -> str:
    """A diagnosis. Raises Mistake."""
    if text in DIAGNOSES:
        return text
    raise _unknown(text, DIAGNOSES, list(DropReason.__members__), "why", "drops:")


def notify(text: str) -> str:
    """A notify message type. Raises Mistake."""
    if text in NotifyType.__members__:
        return text
    raise Mistake(f"unknown notify '{text}'{did_you_mean(text, NotifyType.__members__)}")


def _unknown(
    text: str, known: list[str] | tuple[str, ...], others: list[str] | tuple[str, ...], what: str, other: str
) -> Mistake:
    if text in others:
        return Mistake(f"'{text}' does not say {what}; it is asked for with {other}")
    return Mistake(f"unknown reason '{text}'{did_you_mean(text, known)}")
