"""What both sides of a Child SA say about it: suite, SPIs and traffic selectors (RFC 7296 2.7, 2.9).

IKE_AUTH and CREATE_CHILD_SA carry the same payloads for it; only the second may name a group.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.crypto.catalogue import Group
from ipsecsim.ike import negotiate
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.errors import InvalidSyntax, TsUnacceptable
from ipsecsim.ike.events import ChildSaFailed, SelectorsNarrowed
from ipsecsim.ike.narrowing import MOST_SELECTORS, describe, is_within, narrow, to_selectors
from ipsecsim.ike.v2.child import Agreement
from ipsecsim.ike.v2.message import first, the
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import NotifyType, name_of
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator, TsResponder

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


class Agreed(NamedTuple):
    """An agreement, the group of its own key exchange if it has one, and the responder's payloads about it."""

    agreement: Agreement
    group: Group | None
    sa: SecurityAssociationPayload
    selectors: tuple[TsInitiator, TsResponder]


def selectors_of(config: ChildConfig) -> tuple[TsInitiator, TsResponder]:
    """The traffic that an initiator asks for."""
    return TsInitiator(list(config.local_ts)), TsResponder(list(config.remote_ts))


def agree(
    sa: "IkeSa",
    payloads: Sequence[Payload],
    configs: Sequence[ChildConfig],
    *,
    with_groups: bool,
) -> Agreed:
    """The responder's half: which child it is, which suite, which selectors.

    Raises NoProposalChosen, TsUnacceptable.
    """
    their_ts, our_ts = the(payloads, TsInitiator).selectors, the(payloads, TsResponder).selectors
    config, local, remote = _child_for(configs, our_ts, their_ts)
    spi_in = sa.node.esp_spi()
    answer, choice = negotiate.choose_esp(
        the(payloads, SecurityAssociationPayload),
        config.proposals,
        spi_in.to_bytes(4, "big"),
        with_groups=with_groups,
    )
    _tell(sa, config, (our_ts, their_ts), (local, remote))
    agreement = Agreement(config, choice.suite, spi_in, choice.spi, local, remote, choice.extended_sequence)
    return Agreed(agreement, choice.group, answer, (TsInitiator(list(remote)), TsResponder(list(local))))


def accept(
    sa: "IkeSa", payloads: Sequence[Payload], wanted: ChildConfig, spi_in: int, *, with_groups: bool
) -> Agreed:
    """The initiator's half: the answer must lie within what was asked for.

    Raises InvalidSyntax, NoProposalChosen, TsUnacceptable.
    """
    answer = the(payloads, SecurityAssociationPayload)
    ours, theirs = first(payloads, TsInitiator), first(payloads, TsResponder)
    if ours is None or theirs is None:
        raise InvalidSyntax("an answer about a Child SA without traffic selectors")
    choice = negotiate.accept_esp(answer, wanted.proposals, with_groups=with_groups)
    local, remote = ours.selectors, theirs.selectors
    if max(len(local), len(remote)) > MOST_SELECTORS:
        raise TsUnacceptable(f"the responder lists more than {MOST_SELECTORS} traffic selectors")
    if not (local and remote and is_within(local, wanted.local_ts) and is_within(remote, wanted.remote_ts)):
        raise TsUnacceptable("the responder widened the traffic selectors")
    if not to_selectors(local, remote):
        raise TsUnacceptable("the responder's traffic selectors go with no packet")
    _tell(sa, wanted, (wanted.local_ts, wanted.remote_ts), (local, remote))
    agreement = Agreement(wanted, choice.suite, spi_in, choice.spi, local, remote, choice.extended_sequence)
    return Agreed(agreement, choice.group, answer, (ours, theirs))


def failed(sa: "IkeSa", name: str, notify: int) -> None:
    """Tell that no child came of it."""
    if sa.tap is not None:
        sa.tap(ChildSaFailed(name, name_of(NotifyType, notify)))


Both = tuple[Sequence[TrafficSelector], Sequence[TrafficSelector]]
"""Local and remote selectors."""


def _child_for(
    configs: Sequence[ChildConfig], our_ts: Sequence[TrafficSelector], their_ts: Sequence[TrafficSelector]
) -> tuple[ChildConfig, tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]:
    for config in configs:
        local, remote = narrow(our_ts, config.local_ts), narrow(their_ts, config.remote_ts)
        if to_selectors(local, remote):
            return config, local, remote
    raise TsUnacceptable(f"offered {describe(their_ts)} === {describe(our_ts)}")


def _tell(sa: "IkeSa", config: ChildConfig, offered: Both, taken: Both) -> None:
    if sa.tap is not None:
        is_less = not (is_within(offered[0], taken[0]) and is_within(offered[1], taken[1]))
        sa.tap(SelectorsNarrowed(config.name, describe(taken[0]), describe(taken[1]), is_less))
