"""Proposals: what we offer, what we choose, and whether the peer chose what we offered (RFC 7296 2.7, 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
)
from ipsecsim.ike.config import EspProposal, IkeProposal
from ipsecsim.ike.errors import NoProposalChosen
from ipsecsim.wire.ike.numbers import ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform


@dataclass(frozen=True, slots=True)
class ChildChoice:
    """What was chosen for a Child SA. `spi` is the one that the peer wants to receive on.

    `group` is that of the exchange's own key exchange, None without perfect forward secrecy.
    """

    suite: EspSuite
    spi: int
    group: Group | None
    extended_sequence: bool = False


NONE = 0  # transform ID 0 of types INTEG and KE: the type is there, and nothing is chosen


def offer_ike(configured: Sequence[IkeProposal]) -> SecurityAssociationPayload:
    """The SA payload of an IKE_SA_INIT request; no SPI, since the header carries it."""
    return _offer(ProtocolId.IKE, b"", [_ike_transforms(each) for each in configured])


def offer_ike_rekey(configured: Sequence[IkeProposal], spi: bytes) -> SecurityAssociationPayload:
    """The SA payload that asks for a new IKE SA in place of this one; `spi` is our own (RFC 7296 1.3.2)."""
    return _offer(ProtocolId.IKE, spi, [_ike_transforms(each) for each in configured])


def offer_esp(
    configured: Sequence[EspProposal], spi: bytes, *, with_groups: bool
) -> SecurityAssociationPayload:
    """The SA payload that asks for a Child SA.

    In IKE_AUTH it names no groups, since that exchange has no KE payload (RFC 7296 1.2).
    """
    return _offer(
        ProtocolId.ESP, spi, [_esp_transforms(each, with_groups=with_groups) for each in configured]
    )


def choose_ike(
    offered: SecurityAssociationPayload, configured: Sequence[IkeProposal]
) -> tuple[SecurityAssociationPayload, IkeSuite]:
    """The answer to an offer and the suite that it means. Raises NoProposalChosen."""
    ours = [_ike_transforms(each) for each in configured]
    chosen = _choose(offered.proposals, ProtocolId.IKE, ours)
    return SecurityAssociationPayload([chosen]), _ike_suite(chosen.transforms)


def choose_ike_rekey(
    offered: SecurityAssociationPayload, configured: Sequence[IkeProposal], spi: bytes
) -> tuple[SecurityAssociationPayload, IkeSuite, bytes]:
    """The answer to an offer of a new IKE SA, the suite, and the peer's SPI. `spi` is our own."""
    ours = [_ike_transforms(each) for each in configured]
    chosen = _choose(offered.proposals, ProtocolId.IKE, ours, spi_length=8)
    answer = Proposal(chosen.number, chosen.protocol, spi, chosen.transforms)
    return SecurityAssociationPayload([answer]), _ike_suite(chosen.transforms), chosen.spi


def choose_esp(
    offered: SecurityAssociationPayload, configured: Sequence[EspProposal], spi: bytes, *, with_groups: bool
) -> tuple[SecurityAssociationPayload, ChildChoice]:
    """The answer to an offer and what was chosen. `spi` is our own."""
    ours = [_esp_transforms(each, with_groups=with_groups) for each in configured]
    chosen = _choose(offered.proposals, ProtocolId.ESP, ours, spi_length=4)
    answer = Proposal(chosen.number, chosen.protocol, spi, chosen.transforms)
    return SecurityAssociationPayload([answer]), _child_choice(chosen)


def accept_ike(answer: SecurityAssociationPayload, configured: Sequence[IkeProposal]) -> IkeSuite:
    """The suite a responder chose. Raises NoProposalChosen when it is not one that we offered."""
    ours = [_ike_transforms(each) for each in configured]
    return _ike_suite(_accept(answer, ProtocolId.IKE, ours).transforms)


def accept_ike_rekey(
    answer: SecurityAssociationPayload, configured: Sequence[IkeProposal]
) -> tuple[IkeSuite, bytes]:
    """The suite and SPI of a new IKE SA. Raises NoProposalChosen when it is not one that we offered."""
    ours = [_ike_transforms(each) for each in configured]
    chosen = _accept(answer, ProtocolId.IKE, ours, spi_length=8)
    return _ike_suite(chosen.transforms), chosen.spi


def accept_esp(
    answer: SecurityAssociationPayload, configured: Sequence[EspProposal], *, with_groups: bool
) -> ChildChoice:
    """What a responder chose. Raises NoProposalChosen when it is not one that we offered."""
    ours = [_esp_transforms(each, with_groups=with_groups) for each in configured]
    return _child_choice(_accept(answer, ProtocolId.ESP, ours, spi_length=4))


def select(offered: Sequence[Transform], ours: Sequence[Transform]) -> list[Transform] | None:
    """One transform of each type that both lists hold, by our order of preference; None when a type fails.

    A type that only one side names fails too, unless it names NONE (RFC 7296 3.3.3, 3.3.6). ESN has no NONE:
    its 0 says that sequence numbers are not extended, and an offer must say so or the opposite.
    """
    chosen: list[Transform] = []
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
        chosen.append(common[0])
    known = set(TransformType)
    return None if any(each.type not in known for each in offered) else chosen


def _offer(
    protocol: ProtocolId, spi: bytes, alternatives: list[list[Transform]]
) -> SecurityAssociationPayload:
    return SecurityAssociationPayload(
        [
            Proposal(number, protocol, spi, transforms)
            for number, transforms in enumerate(alternatives, start=1)
        ]
    )


def _choose(
    offered: Sequence[Proposal], protocol: ProtocolId, ours: list[list[Transform]], spi_length: int = 0
) -> Proposal:
    for proposal in offered:  # the initiator's order of proposals, our order of transforms
        if proposal.protocol != protocol or not _is_spi_fitting(proposal, spi_length):
            continue
        for transforms in ours:
            chosen = select(proposal.transforms, transforms)
            if chosen is not None:
                return Proposal(proposal.number, proposal.protocol, proposal.spi, chosen)
    raise NoProposalChosen(f"none of {len(offered)} proposals is acceptable")


def _accept(
    answer: SecurityAssociationPayload,
    protocol: ProtocolId,
    ours: list[list[Transform]],
    spi_length: int = 0,
) -> Proposal:
    if len(answer.proposals) != 1:
        raise NoProposalChosen(f"the answer holds {len(answer.proposals)} proposals instead of one")
    chosen = answer.proposals[0]
    types = [each.type for each in chosen.transforms]
    if (
        chosen.protocol != protocol
        or not _is_spi_fitting(chosen, spi_length)
        or not 1 <= chosen.number <= len(ours)
        or len(set(types)) != len(types)
        or select(chosen.transforms, ours[chosen.number - 1]) is None
    ):
        raise NoProposalChosen("the answer is not one of our proposals")
    return chosen


def _is_spi_fitting(proposal: Proposal, length: int) -> bool:
    """Four bytes for ESP, eight for an IKE SA that replaces one, none for a first one (RFC 7296 3.3.1)."""
    return len(proposal.spi) == length and (not length or any(proposal.spi))


def _ike_transforms(proposal: IkeProposal) -> list[Transform]:
    return [
        *(_encryption(row, bits) for row, bits in proposal.encryption),
        *(Transform(TransformType.INTEG, row.id) for row in proposal.integrity),
        *(Transform(TransformType.PRF, row.id) for row in proposal.prf),
        *(Transform(TransformType.KE, row.id) for row in proposal.groups),
    ]


def _esp_transforms(proposal: EspProposal, *, with_groups: bool) -> list[Transform]:
    return [
        *(_encryption(row, bits) for row, bits in proposal.encryption),
        *(Transform(TransformType.INTEG, row.id) for row in proposal.integrity),
        *(Transform(TransformType.KE, row.id) for row in proposal.groups if with_groups),
        *(Transform(TransformType.ESN, int(extended)) for extended in proposal.extended_sequence),
    ]


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
    )


def _child_choice(chosen: Proposal) -> ChildChoice:
    by_type = _by_type(chosen.transforms)
    encryption, key_bits = _cipher(by_type)
    integrity, group = by_type.get(TransformType.INTEG), by_type.get(TransformType.KE)
    suite = EspSuite(encryption, key_bits, INTEGRITY.get(integrity.id) if integrity else None)
    spi = int.from_bytes(chosen.spi, "big")
    extended = bool(by_type[TransformType.ESN].id)
    return ChildChoice(suite, spi, GROUPS.get(group.id) if group else None, extended)
