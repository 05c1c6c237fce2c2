"""Proposals: what we offer, what we choose, and whether the peer chose what we offered (RFC 7296 2.7, 3.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    AhSuite,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
)
from ipsecsim.ike.config import AdditionalGroups, AhProposal, ChildProposal, IkeProposal
from ipsecsim.ike.errors import NoCommonTransform, NoProposalChosen
from ipsecsim.ipsec.association import FIRST_SPI
from ipsecsim.wire.ike.numbers import ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform
from ipsecsim.wire.ike.transform_names import transform_name


@dataclass(frozen=True, slots=True)
class ChildChoice:
    """What was chosen for a Child SA. `spi` is the one that the peer wants to receive on.

    `group` is that of the exchange's own key exchange, None without perfect forward secrecy.
    """

    suite: EspSuite | AhSuite
    spi: int
    group: Group | None
    extended_sequence: bool = False
    additional: tuple[tuple[int, Group], ...] = ()


class _Offer(NamedTuple):
    """What one of our proposals holds, in the form in which it crosses the wire."""

    protocol: ProtocolId
    transforms: list[Transform]


ADDITIONAL = tuple(kind for kind in TransformType if kind >= TransformType.ADDKE1)
_NOTHING: frozenset[int] = frozenset()
NONE = 0  # transform ID 0 of types INTEG and KE: the type is there, and nothing is chosen


def offer_ike(configured: Sequence[IkeProposal]) -> SecurityAssociationPayload:
    """The SA payload of an IKE_SA_INIT request; no SPI, since the header carries it."""
    return _offer(b"", map(_ike_offer, configured))


def offer_ike_rekey(configured: Sequence[IkeProposal], spi: bytes) -> SecurityAssociationPayload:
    """The SA payload that asks for a new IKE SA in place of this one; `spi` is our own (RFC 7296 1.3.2)."""
    return _offer(spi, map(_ike_offer, configured))


def offer_child(
    configured: Sequence[ChildProposal], spi: bytes, *, with_groups: bool
) -> SecurityAssociationPayload:
    """The SA payload that asks for a Child SA.

    In IKE_AUTH it names no groups, since that exchange has no KE payload (RFC 7296 1.2).
    """
    return _offer(spi, (_child_offer(each, with_groups=with_groups) for each in configured))


def choose_ike(
    offered: SecurityAssociationPayload, configured: Sequence[IkeProposal]
) -> tuple[SecurityAssociationPayload, IkeSuite]:
    """The answer to an offer and the suite that it means. Raises NoProposalChosen."""
    chosen = _choose(offered.proposals, [_ike_offer(each) for each in configured])
    return SecurityAssociationPayload([chosen]), _ike_suite(chosen.transforms)


def choose_ike_rekey(
    offered: SecurityAssociationPayload, configured: Sequence[IkeProposal], spi: bytes
) -> tuple[SecurityAssociationPayload, IkeSuite, bytes]:
    """The answer to an offer of a new IKE SA, the suite, and the peer's SPI. `spi` is our own."""
    chosen = _choose(offered.proposals, [_ike_offer(each) for each in configured], spi_length=8)
    answer = Proposal(chosen.number, chosen.protocol, spi, chosen.transforms)
    return SecurityAssociationPayload([answer]), _ike_suite(chosen.transforms), chosen.spi


def choose_child(
    offered: SecurityAssociationPayload,
    configured: Sequence[ChildProposal],
    spi: bytes,
    *,
    with_groups: bool,
    rather: Sequence[ChildProposal] = (),
) -> tuple[SecurityAssociationPayload, ChildChoice]:
    """The answer to an offer and what was chosen, ESP or AH. `spi` is our own; `rather` goes before all others."""
    first, ours = (
        [_child_offer(each, with_groups=with_groups) for each in some] for some in (rather, configured)
    )
    chosen = _find(offered.proposals, first, spi_length=4) or _choose(offered.proposals, ours, spi_length=4)
    answer = Proposal(chosen.number, chosen.protocol, spi, chosen.transforms)
    return SecurityAssociationPayload([answer]), _child_choice(chosen)


def accept_ike(answer: SecurityAssociationPayload, configured: Sequence[IkeProposal]) -> IkeSuite:
    """The suite a responder chose. Raises NoProposalChosen when it is not one that we offered."""
    return _ike_suite(_accept(answer, [_ike_offer(each) for each in configured]).transforms)


def accept_ike_rekey(
    answer: SecurityAssociationPayload, configured: Sequence[IkeProposal]
) -> tuple[IkeSuite, bytes]:
    """The suite and SPI of a new IKE SA. Raises NoProposalChosen when it is not one that we offered."""
    chosen = _accept(answer, [_ike_offer(each) for each in configured], spi_length=8)
    return _ike_suite(chosen.transforms), chosen.spi


def accept_child(
    answer: SecurityAssociationPayload, configured: Sequence[ChildProposal], *, with_groups: bool
) -> ChildChoice:
    """What a responder chose. Raises NoProposalChosen when it is not one that we offered."""
    ours = [_child_offer(each, with_groups=with_groups) for each in configured]
    return _child_choice(_accept(answer, ours, spi_length=4))


def select(offered: Sequence[Transform], ours: Sequence[Transform]) -> list[Transform] | None:
    """One transform of each type that both lists hold, by our order of preference; None when a type fails.

    A type that only one side names fails too, unless it names NONE (RFC 7296 3.3.3, 3.3.6). ESN has no NONE:
    its 0 says that sequence numbers are not extended, and an offer must say so or the opposite.
    """
    options: list[list[Transform]] = []
    for kind in TransformType:
        theirs = [each for each in offered if each.type == kind]
        mine = [each for each in ours if each.type == kind]
        if not theirs and not mine:
            continue
        has_none = kind is not TransformType.ESN
        common = [each for each in mine if each in theirs]
        if not mine:
            common = [each for each in theirs if each.id == NONE and has_none]
        if not theirs and has_none and all(each.id == NONE for each in mine):
            continue
        if not common:
            return None
        options.append(common)
    known = set(TransformType)
    return None if any(each.type not in known for each in offered) else _first_fitting(options)


def _first_fitting(
    options: Sequence[Sequence[Transform]], taken: frozenset[int] = _NOTHING
) -> list[Transform] | None:
    """The best of each type, except that no key exchange method may stand twice (RFC 9370 2.2.1)."""
    if not options:
        return []
    is_exchange = options[0][0].type == TransformType.KE or options[0][0].type >= TransformType.ADDKE1
    for each in options[0] if is_exchange else options[0][:1]:
        methods = frozenset([each.id]) if is_exchange and each.id != NONE else _NOTHING
        if methods & taken:
            continue
        rest = _first_fitting(options[1:], taken | methods)
        if rest is not None:
            return [each, *rest]
    return None


def _offer(spi: bytes, alternatives: Iterable[_Offer]) -> SecurityAssociationPayload:
    return SecurityAssociationPayload(
        [
            Proposal(number, each.protocol, spi, each.transforms)
            for number, each in enumerate(alternatives, start=1)
        ]
    )


def _choose(offered: Sequence[Proposal], ours: Sequence[_Offer], spi_length: int = 0) -> Proposal:
    chosen = _find(offered, ours, spi_length)
    if chosen is None:
        raise _nothing_in_common(offered, ours)
    return chosen


def _find(offered: Sequence[Proposal], ours: Sequence[_Offer], spi_length: int) -> Proposal | None:
    if [each.number for each in offered] != list(range(1, len(offered) + 1)):
        # RFC 7296 3.3.1: the answer names a proposal by its number, so each must have one of its own
        raise NoProposalChosen("the proposals are not numbered from 1 upwards")
    for proposal in offered:  # the initiator's order of proposals, our order of transforms
        if not _is_spi_fitting(proposal, spi_length):
            continue
        for each in ours:
            chosen = select(proposal.transforms, each.transforms)
            if chosen is not None and each.protocol == proposal.protocol:
                return Proposal(proposal.number, proposal.protocol, proposal.spi, chosen)
    return None


def _nothing_in_common(offered: Sequence[Proposal], ours: Sequence[_Offer]) -> NoCommonTransform:
    """What the closest pair of proposals lacks: the fewest transform types, and the first such pair."""
    pairs = [(theirs, mine) for theirs in offered for mine in ours if theirs.protocol == mine.protocol]
    if not pairs:
        return NoCommonTransform(f"none of {len(offered)} proposals is for a protocol that we want")

    def lacking(theirs: Proposal, mine: _Offer) -> list[TransformType]:
        return [
            kind
            for kind in TransformType
            if select(_of(kind, theirs.transforms), _of(kind, mine.transforms)) is None
        ]

    theirs, mine = min(pairs, key=lambda pair: len(lacking(*pair)))
    kinds = lacking(theirs, mine)
    if not kinds:
        return NoCommonTransform(f"none of {len(offered)} proposals is well formed")
    said = [
        f"{kind.name} (offered: {_listed(_of(kind, theirs.transforms))};"
        f" wanted: {_listed(_of(kind, mine.transforms))})"
        for kind in kinds
    ]
    return NoCommonTransform(f"nothing in common for {' and '.join(said)}", kinds)


def _of(kind: TransformType, transforms: Sequence[Transform]) -> list[Transform]:
    return [each for each in transforms if each.type == kind]


def _listed(transforms: Sequence[Transform]) -> str:
    names = [
        transform_name(each.type, each.id) + (f" {each.key_bits}" if each.key_bits else "")
        for each in transforms
    ]
    return ", ".join(names) or "nothing"


def _accept(answer: SecurityAssociationPayload, ours: Sequence[_Offer], spi_length: int = 0) -> Proposal:
    if len(answer.proposals) != 1:
        raise NoProposalChosen(f"the answer holds {len(answer.proposals)} proposals instead of one")
    chosen = answer.proposals[0]
    types = [each.type for each in chosen.transforms]
    if (
        not _is_spi_fitting(chosen, spi_length)
        or not 1 <= chosen.number <= len(ours)
        or chosen.protocol != ours[chosen.number - 1].protocol
        or len(set(types)) != len(types)
        or select(chosen.transforms, ours[chosen.number - 1].transforms) is None
    ):
        raise NoProposalChosen("the answer is not one of our proposals")
    return chosen


def _is_spi_fitting(proposal: Proposal, length: int) -> bool:
    """Four bytes for ESP and AH, eight for an IKE SA that replaces one, none for a first one (RFC 7296 3.3.1).

    0 is none, and the first numbers of ESP and AH are reserved.
    """
    least = {0: 0, 4: FIRST_SPI, 8: 1}[length]
    return len(proposal.spi) == length and int.from_bytes(proposal.spi, "big") >= least


def _ike_offer(proposal: IkeProposal) -> _Offer:
    transforms = [
        *(_encryption(row, bits) for row, bits in proposal.encryption),
        *(Transform(TransformType.INTEG, row.id) for row in proposal.integrity),
        *(Transform(TransformType.PRF, row.id) for row in proposal.prf),
        *(Transform(TransformType.KE, row.id) for row in proposal.groups),
        *_additional(proposal.additional),
    ]
    return _Offer(ProtocolId.IKE, transforms)


def _additional(exchanges: AdditionalGroups) -> list[Transform]:
    """Types ADDKE1 to ADDKE7; ID 0 stands for none (RFC 9370 2.2.1)."""
    return [
        Transform(ADDITIONAL[number - 1], NONE if group is None else group.id)
        for number, groups in exchanges
        for group in groups
    ]


def additional_in(answer: SecurityAssociationPayload) -> tuple[tuple[int, Group], ...]:
    """The additional key exchanges that an answer holds, before it is judged as a whole."""
    return _chosen_additional(_by_type(answer.proposals[0].transforms)) if answer.proposals else ()


def _chosen_additional(chosen: dict[int, Transform]) -> tuple[tuple[int, Group], ...]:
    """By number, in the order in which they are done."""
    found = ((number, chosen.get(kind)) for number, kind in enumerate(ADDITIONAL, start=1))
    return tuple(
        (number, GROUPS[each.id]) for number, each in found if each is not None and each.id in GROUPS
    )


def _child_offer(proposal: ChildProposal, *, with_groups: bool) -> _Offer:
    encryption = () if isinstance(proposal, AhProposal) else proposal.encryption
    transforms = [
        *(_encryption(row, bits) for row, bits in encryption),
        *(Transform(TransformType.INTEG, row.id) for row in proposal.integrity),
        *(Transform(TransformType.KE, row.id) for row in proposal.groups if with_groups),
        *(_additional(proposal.additional) if with_groups else ()),
        *(Transform(TransformType.ESN, int(extended)) for extended in proposal.extended_sequence),
    ]
    return _Offer(ProtocolId.AH if isinstance(proposal, AhProposal) else ProtocolId.ESP, transforms)


def _encryption(row: Encryption, key_bits: int) -> Transform:
    return Transform(TransformType.ENCR, row.id, key_bits if row.has_key_length_attribute else None)


def _by_type(transforms: Sequence[Transform]) -> dict[int, Transform]:
    return {each.type: each for each in transforms}


def _cipher(transforms: dict[int, Transform]) -> tuple[Encryption, int]:
    chosen = transforms[TransformType.ENCR]
    row = ENCRYPTION[chosen.id]
    return row, chosen.key_bits or row.key_bits[0]


def _ike_suite(chosen: Sequence[Transform]) -> IkeSuite:
    by_type = _by_type(chosen)
    encryption, key_bits = _cipher(by_type)
    integrity = by_type.get(TransformType.INTEG)
    return IkeSuite(
        encryption,
        key_bits,
        INTEGRITY.get(integrity.id) if integrity else None,
        PRF[by_type[TransformType.PRF].id],
        GROUPS[by_type[TransformType.KE].id],
        _chosen_additional(by_type),
    )


def _child_choice(chosen: Proposal) -> ChildChoice:
    by_type = _by_type(chosen.transforms)
    integrity, group = by_type.get(TransformType.INTEG), by_type.get(TransformType.KE)
    suite: EspSuite | AhSuite
    if chosen.protocol == ProtocolId.AH:
        suite = AhSuite(INTEGRITY[by_type[TransformType.INTEG].id])
    else:
        suite = EspSuite(*_cipher(by_type), INTEGRITY.get(integrity.id) if integrity else None)
    spi = int.from_bytes(chosen.spi, "big")
    extended = bool(by_type[TransformType.ESN].id)
    additional = _chosen_additional(by_type)
    return ChildChoice(suite, spi, GROUPS.get(group.id) if group else None, extended, additional)
