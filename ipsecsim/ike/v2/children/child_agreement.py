"""What both sides of a Child SA say about it: suite, form, SPIs and traffic selectors (RFC 7296 2.7, 2.9).

IKE_AUTH and CREATE_CHILD_SA carry the same payloads for it; only the second may name a group.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.crypto.catalogue import Group
from ipsecsim.ike import negotiate
from ipsecsim.ike.config import AhProposal, ChildConfig, ChildProposal
from ipsecsim.ike.errors import (
    InvalidSyntax,
    NoCommonTransform,
    NoOverlap,
    SinglePairRequired,
    TsUnacceptable,
)
from ipsecsim.ike.events import ChildSaFailed, SelectorsNarrowed
from ipsecsim.ike.narrowing import MOST_SELECTORS, describe, is_within, narrow, only_first, to_selectors
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2.children import child_form, configuration
from ipsecsim.ike.v2.children.child import Agreement, ChildSa
from ipsecsim.ike.v2.messages.message import first, notify, the
from ipsecsim.ike.v2.peer import diagnosis
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.populate import Part
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, TransformType, name_of
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
    has_more: bool = False
    additional: tuple[tuple[int, Group], ...] = ()

    @property
    def notifies(self) -> list[Payload]:
        """What the responder says about the child: its form, and whether another one could carry the rest."""
        more = [Notify(NotifyType.ADDITIONAL_TS_POSSIBLE)] if self.has_more else []
        return [*child_form.echoes(self.agreement.form), *more]


def offer(
    sa: "IkeSa", config: ChildConfig, spi_in: int, old: ChildSa | None = None, *, with_groups: bool
) -> SecurityAssociationPayload:
    """The proposals of an initiator; `old` is the child that is to be replaced."""
    proposals = _offered(sa, config, old) or config.proposals  # an offer has to hold one, even for a refusal
    return negotiate.offer_child(proposals, spi_in.to_bytes(4, "big"), with_groups=with_groups)


def selectors_of(
    sa: "IkeSa", config: ChildConfig, trigger: Trigger | None
) -> tuple[TsInitiator, TsResponder]:
    """The traffic that an initiator asks for, that of the packet which waits first."""
    local, remote = configuration.local_side(sa, config), configuration.remote_side(sa, config)
    if trigger is not None:
        local, remote = trigger.offered(local, remote)
    return TsInitiator(list(local)), TsResponder(list(remote))


def agree(
    sa: "IkeSa",
    payloads: Sequence[Payload],
    configs: Sequence[ChildConfig],
    old: ChildSa | None = None,
    *,
    with_groups: bool,
) -> Agreed:
    """The responder's half: which child it is, which suite, which selectors; `old` is to be replaced.

    Raises NoProposalChosen, TsUnacceptable, SinglePairRequired.
    """
    their_ts, our_ts = the(payloads, TsInitiator).selectors, the(payloads, TsResponder).selectors
    is_asked = child_form.is_transport_asked(payloads)
    seen = child_form.as_seen(sa, our_ts, their_ts) if is_asked else None
    found = None if seen is None else _transport_child_for(sa, configs, seen)
    has_more = False
    if found is not None and seen is not None:
        our_ts, their_ts = list(seen.local), list(seen.remote)
    else:
        (found, has_more), seen = _child_for(sa, configs, our_ts, their_ts), None
    config, local, remote = found
    if is_asked and seen is None:
        child_form.declined(sa, config.name, by_peer=False)
    spi_in = sa.node.child_spi()
    try:
        answer, choice = negotiate.choose_child(
            the(payloads, SecurityAssociationPayload),
            _usable(sa, config),
            spi_in.to_bytes(4, "big"),
            with_groups=with_groups,
            rather=_as_before(_usable(sa, config), old),
        )
    except NoCommonTransform as wrong:
        if wrong.lacking == (TransformType.KE,) and notify(payloads, NotifyType.REKEY_SA):
            wrong.diagnosis = Diagnosis.PFS_MISMATCH_LATENT
        raise
    _tell(sa, payloads, config, (our_ts, their_ts), (local, remote))
    form = child_form.settled(payloads, seen, [*local, *remote])
    agreement = Agreement(
        config, choice.suite, spi_in, choice.spi, local, remote, choice.extended_sequence, form
    )
    selectors = (TsInitiator(list(remote)), TsResponder(list(local)))
    return Agreed(agreement, choice.group, answer, selectors, has_more, choice.additional)


def accept(
    sa: "IkeSa",
    payloads: Sequence[Payload],
    wanted: ChildConfig,
    spi_in: int,
    trigger: Trigger | None,
    old: ChildSa | None = None,
    *,
    with_groups: bool,
) -> Agreed:
    """The initiator's half: the answer must lie within what was asked for.

    Raises InvalidSyntax, NoProposalChosen, TsUnacceptable.
    """
    answer = the(payloads, SecurityAssociationPayload)
    ours, theirs = first(payloads, TsInitiator), first(payloads, TsResponder)
    if ours is None or theirs is None:
        raise InvalidSyntax("an answer about a Child SA without traffic selectors")
    choice = negotiate.accept_child(answer, _offered(sa, wanted, old), with_groups=with_groups)
    local, remote, seen = ours.selectors, theirs.selectors, None
    if child_form.granted(sa, payloads, wanted):
        seen = child_form.as_seen(sa, local, remote)
        if seen is None:
            raise TsUnacceptable("transport mode for more than the two hosts")
        local, remote = list(seen.local), list(seen.remote)
    if max(len(local), len(remote)) > MOST_SELECTORS:
        raise TsUnacceptable(f"the responder lists more than {MOST_SELECTORS} traffic selectors")
    asked: Both = wanted.local_ts, wanted.remote_ts
    if trigger is not None and not trigger.may_be_alone:
        asked = trigger.offered(*asked)
    if not (local and remote and is_within(local, asked[0]) and is_within(remote, asked[1])):
        raise TsUnacceptable("the responder widened the traffic selectors")
    if not to_selectors(local, remote):
        raise TsUnacceptable("the responder's traffic selectors go with no packet")
    _tell(sa, payloads, wanted, asked, (local, remote))
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


Found = tuple[ChildConfig, Sequence[TrafficSelector], Sequence[TrafficSelector]]
"""A child, and the local and remote selectors that are allowed for it."""


def _usable(sa: "IkeSa", config: ChildConfig) -> Sequence[ChildProposal]:
    """What may be proposed and chosen: no AH across a NAT, which changes what AH signs (RFC 3948 1)."""
    if not sa.is_nat_between:
        return config.proposals
    return [each for each in config.proposals if not isinstance(each, AhProposal)]


def _offered(sa: "IkeSa", config: ChildConfig, old: ChildSa | None) -> Sequence[ChildProposal]:
    """What an initiator proposes: the algorithms of the child that it replaces first (RFC 7296 2.8)."""
    usable = _usable(sa, config)
    kept = _as_before(usable, old)
    return [*kept, *(each for each in usable if each not in kept)]


def _as_before(proposals: Sequence[ChildProposal], old: ChildSa | None) -> list[ChildProposal]:
    """Those proposals that hold the algorithms of `old`, with all others left out; groups stay a choice."""
    if old is None:
        return []
    extended = old.extended_sequence
    return [each for one in proposals for each in one.only(old.suite, extended_sequence=extended)]


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
) -> tuple[Found, bool]:
    """The first child that may carry the offer's first choices, else the first that may carry any of it.

    Also whether another child could carry more of it.
    """
    found: list[Found] = []
    for config in configs:
        local = narrow(our_ts, configuration.local_side(sa, config))
        remote = narrow(their_ts, configuration.remote_side(sa, config))
        if to_selectors(local, remote):
            found.append((config, local, remote))
    if not found:
        raise NoOverlap(f"offered {describe(their_ts)} === {describe(our_ts)}")

    def holds_first(each: Found) -> bool:
        return is_within(our_ts[:1], each[1]) and is_within(their_ts[:1], each[2])

    config, *allowed = next(filter(holds_first, found), found[0])
    taken: Both = allowed[0], allowed[1]
    if config.from_packet:
        taken = _populated(config, (our_ts, their_ts), taken)
    has_more = any(not (is_within(each[1], taken[0]) and is_within(each[2], taken[1])) for each in found)
    return (config, *taken), has_more


def _populated(config: ChildConfig, offered: Both, allowed: Both) -> Both:
    """The part that is about the packet which the offer begins with. Raises SinglePairRequired when none is."""
    parts = config.from_packet
    ours, theirs = (
        only_first(first[0], address=address in parts, protocol=Part.PROTOCOL in parts, ports=port in parts)
        for first, address, port in (
            (offered[0], Part.LOCAL_ADDRESS, Part.LOCAL_PORT),
            (offered[1], Part.REMOTE_ADDRESS, Part.REMOTE_PORT),
        )
    )
    local, remote = narrow(allowed[0], ours), narrow(allowed[1], theirs)
    if not to_selectors(local, remote):
        raise SinglePairRequired(f"offered {describe(offered[1])} === {describe(offered[0])}")
    return local, remote


def _tell(sa: "IkeSa", payloads: Sequence[Payload], config: ChildConfig, offered: Both, taken: Both) -> None:
    if sa.tap is not None:
        is_less = not (is_within(offered[0], taken[0]) and is_within(offered[1], taken[1]))
        sa.tap(SelectorsNarrowed(config.name, describe(taken[0]), describe(taken[1]), is_less))
        if is_less and first(payloads, Configuration) is None:  # a virtual address is meant to be less
            carried = f"{describe(taken[0])} === {describe(taken[1])}"
            diagnosis.tell(sa, Diagnosis.TS_NARROWED, f"child {config.name} carries {carried} and no more")
