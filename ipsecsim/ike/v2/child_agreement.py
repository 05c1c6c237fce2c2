"""What both sides of a Child SA say about it: suite, form, SPIs and traffic selectors (RFC 7296 2.7, 2.9).

IKE_AUTH and CREATE_CHILD_SA carry the same payloads for it; only the second may name a group.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.crypto.catalogue import Group
from ipsecsim.ike import negotiate
from ipsecsim.ike.config import AhProposal, ChildConfig, ChildProposal
from ipsecsim.ike.errors import InvalidSyntax, TsUnacceptable
from ipsecsim.ike.events import ChildSaFailed, SelectorsNarrowed
from ipsecsim.ike.narrowing import MOST_SELECTORS, describe, is_within, narrow, to_selectors
from ipsecsim.ike.v2 import child_form, configuration
from ipsecsim.ike.v2.child import Agreement, ChildSa
from ipsecsim.ike.v2.message import first, the
from ipsecsim.ipsec.association import Mode
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

    @property
    def notifies(self) -> list[Payload]:
        """What the responder says about the form of the child."""
        return child_form.echoes(self.agreement.form)


def offer(sa: "IkeSa", config: ChildConfig, spi_in: int, *, with_groups: bool) -> SecurityAssociationPayload:
    """The proposals of an initiator."""
    proposals = _usable(sa, config) or config.proposals  # an offer has to hold one, even for a refusal
    return negotiate.offer_child(proposals, spi_in.to_bytes(4, "big"), with_groups=with_groups)


def selectors_of(sa: "IkeSa", config: ChildConfig) -> tuple[TsInitiator, TsResponder]:
    """The traffic that an initiator asks for."""
    local, remote = configuration.local_side(sa, config), configuration.remote_side(sa, config)
    return TsInitiator(list(local)), TsResponder(list(remote))


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
    is_asked = child_form.is_transport_asked(payloads)
    seen = child_form.as_seen(sa, our_ts, their_ts) if is_asked else None
    found = None if seen is None else _transport_child_for(sa, configs, seen)
    if found is not None and seen is not None:
        our_ts, their_ts = list(seen.local), list(seen.remote)
    else:
        found, seen = _child_for(sa, configs, our_ts, their_ts), None
    config, local, remote = found
    if is_asked and seen is None:
        child_form.declined(sa, config.name, by_peer=False)
    spi_in = sa.node.child_spi()
    answer, choice = negotiate.choose_child(
        the(payloads, SecurityAssociationPayload),
        _usable(sa, config),
        spi_in.to_bytes(4, "big"),
        with_groups=with_groups,
    )
    _tell(sa, config, (our_ts, their_ts), (local, remote))
    form = child_form.settled(payloads, seen, [*local, *remote])
    agreement = Agreement(
        config, choice.suite, spi_in, choice.spi, local, remote, choice.extended_sequence, form
    )
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
    choice = negotiate.accept_child(answer, _usable(sa, wanted), with_groups=with_groups)
    local, remote, seen = ours.selectors, theirs.selectors, None
    if child_form.granted(sa, payloads, wanted):
        seen = child_form.as_seen(sa, local, remote)
        if seen is None:
            raise TsUnacceptable("transport mode for more than the two hosts")
        local, remote = list(seen.local), list(seen.remote)
    if max(len(local), len(remote)) > MOST_SELECTORS:
        raise TsUnacceptable(f"the responder lists more than {MOST_SELECTORS} traffic selectors")
    if not (local and remote and is_within(local, wanted.local_ts) and is_within(remote, wanted.remote_ts)):
        raise TsUnacceptable("the responder widened the traffic selectors")
    if not to_selectors(local, remote):
        raise TsUnacceptable("the responder's traffic selectors go with no packet")
    _tell(sa, wanted, (wanted.local_ts, wanted.remote_ts), (local, remote))
    form = child_form.settled(payloads, seen, [*wanted.local_ts, *wanted.remote_ts])
    agreement = Agreement(
        wanted, choice.suite, spi_in, choice.spi, local, remote, choice.extended_sequence, form
    )
    return Agreed(agreement, choice.group, answer, (ours, theirs))


def is_narrower(agreed: Agreement, old: ChildSa) -> bool:
    """Is there traffic that `old` carries, and that what was agreed in its place would not? (RFC 7296 2.9.2)"""
    return not (is_within(old.local, agreed.local) and is_within(old.remote, agreed.remote))


def is_against_policy(old: ChildSa) -> bool:
    """Does a child carry more than its configuration allows by now?"""
    return not (is_within(old.local, old.config.local_ts) and is_within(old.remote, old.config.remote_ts))


def failed(sa: "IkeSa", name: str, notify: int) -> None:
    """Tell that no child came of it."""
    if sa.tap is not None:
        sa.tap(ChildSaFailed(name, name_of(NotifyType, notify)))


Both = tuple[Sequence[TrafficSelector], Sequence[TrafficSelector]]
"""Local and remote selectors."""


Found = tuple[ChildConfig, tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]
"""A child, and the local and remote selectors that are allowed for it."""


def _usable(sa: "IkeSa", config: ChildConfig) -> Sequence[ChildProposal]:
    """What may be proposed and chosen: no AH across a NAT, which changes what AH signs (RFC 3948 1)."""
    if not sa.is_nat_between:
        return config.proposals
    return [each for each in config.proposals if not isinstance(each, AhProposal)]


def _transport_child_for(sa: "IkeSa", configs: Sequence[ChildConfig], seen: child_form.Seen) -> Found | None:
    for config in configs:
        local, remote = narrow(seen.local, config.local_ts), narrow(seen.remote, config.remote_ts)
        is_fitting = to_selectors(local, remote) and child_form.is_between(sa, local, remote)
        if is_fitting and config.mode is Mode.TRANSPORT:
            return config, local, remote
    return None


def _child_for(
    sa: "IkeSa",
    configs: Sequence[ChildConfig],
    our_ts: Sequence[TrafficSelector],
    their_ts: Sequence[TrafficSelector],
) -> Found:
    for config in configs:
        local = narrow(our_ts, configuration.local_side(sa, config))
        remote = narrow(their_ts, configuration.remote_side(sa, config))
        if to_selectors(local, remote):
            return config, local, remote
    raise TsUnacceptable(f"offered {describe(their_ts)} === {describe(our_ts)}")


def _tell(sa: "IkeSa", config: ChildConfig, offered: Both, taken: Both) -> None:
    if sa.tap is not None:
        is_less = not (is_within(offered[0], taken[0]) and is_within(offered[1], taken[1]))
        sa.tap(SelectorsNarrowed(config.name, describe(taken[0]), describe(taken[1]), is_less))
