"""The closed lists of words that claims may name: drop reasons, notifies, diagnoses."""

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.scenario.not_yet import DIAGNOSES_LATER, DROPS_LATER
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.wire.ike.numbers import NotifyType

DIAGNOSES = tuple(Diagnosis.__members__)


def drop_reason(text: str) -> str:
    """A drop reason. Raises Mistake, or NotYet for one whose layer is not there yet."""
    if text in DropReason.__members__:
        return text
    if text in DROPS_LATER:
        raise NotYet(f"the drop reason {text}")
    raise _unknown(text, [*DropReason.__members__, *DROPS_LATER], DIAGNOSES, "what is dropped", "why:")


def diagnosis(text: str) -> str:
    """A diagnosis. Raises Mistake, or NotYet for one that nobody can make yet."""
    if text in DIAGNOSES_LATER:
        raise NotYet(f"the diagnosis {text}")
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
