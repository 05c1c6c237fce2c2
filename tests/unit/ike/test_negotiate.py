"""Choosing from offers, and checking what was chosen (RFC 7296 2.7, 3.3)."""

import pytest

from ipsecsim.ike.errors import NoProposalChosen
from ipsecsim.ike.negotiate import (
    accept_child,
    accept_ike,
    choose_child,
    choose_ike,
    offer_child,
    offer_ike,
    select,
)
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.wire.ike.numbers import TransformType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload, Transform

SPI, OTHER_SPI = b"\x01\x02\x03\x04", b"\x0a\x0b\x0c\x0d"


def test_our_order_decides_within_a_proposal_and_theirs_between_proposals():
    offered = offer_ike([ike_proposal("aes128gcm16-aes256gcm16-prfsha256-x25519-ecp256")])
    answer, suite = choose_ike(offered, [ike_proposal("aes256gcm16-aes128gcm16-prfsha256-ecp256-x25519")])
    assert suite.words == "aes256gcm16-prfsha256-ecp256"
    assert accept_ike(answer, [ike_proposal("aes128gcm16-aes256gcm16-prfsha256-x25519-ecp256")]) == suite
    two = offer_ike([ike_proposal("aes256-sha256-x25519"), ike_proposal("aes256gcm16-prfsha256-x25519")])
    answer, suite = choose_ike(
        two, [ike_proposal("aes256gcm16-prfsha256-x25519"), ike_proposal("aes256-sha256-x25519")]
    )
    assert (suite.words, answer.proposals[0].number) == ("aes256-sha256-x25519", 1)


def test_esp_offers_carry_spis_both_ways():
    answer, choice = choose_child(
        offer_child([esp_proposal("default")], SPI, with_groups=False),
        [esp_proposal("default")],
        OTHER_SPI,
        with_groups=False,
    )
    assert (choice.suite.words, choice.spi, choice.group) == ("aes256gcm16", int.from_bytes(SPI, "big"), None)
    accepted = accept_child(answer, [esp_proposal("default")], with_groups=False)
    assert (accepted.suite, accepted.spi) == (choice.suite, int.from_bytes(OTHER_SPI, "big"))


def test_groups_are_spoken_of_only_where_there_is_a_key_exchange():
    ours = [esp_proposal("aes256gcm16-x25519")]
    assert all(
        t.type != TransformType.KE for t in offer_child(ours, SPI, with_groups=False).proposals[0].transforms
    )
    _, choice = choose_child(offer_child(ours, SPI, with_groups=True), ours, OTHER_SPI, with_groups=True)
    assert choice.group.name == "x25519"
    with pytest.raises(NoProposalChosen):
        choose_child(
            offer_child(ours, SPI, with_groups=True),
            [esp_proposal("aes256gcm16")],
            OTHER_SPI,
            with_groups=True,
        )


def test_a_classic_cipher_needs_its_integrity_and_aead_none():
    gcm = offer_child([esp_proposal("aes256gcm16")], SPI, with_groups=False)
    with pytest.raises(NoProposalChosen):
        choose_child(gcm, [esp_proposal("aes256-sha256")], OTHER_SPI, with_groups=False)
    transforms = [*gcm.proposals[0].transforms, Transform(TransformType.INTEG, 0)]
    with_none = SecurityAssociationPayload([Proposal(1, 3, SPI, transforms)])
    answer, choice = choose_child(with_none, [esp_proposal("aes256gcm16")], OTHER_SPI, with_groups=False)
    assert choice.suite.words == "aes256gcm16"
    assert Transform(TransformType.INTEG, 0) in answer.proposals[0].transforms
    with_integrity = SecurityAssociationPayload(
        [Proposal(1, 3, SPI, [*gcm.proposals[0].transforms, Transform(TransformType.INTEG, 12)])]
    )
    with pytest.raises(NoProposalChosen):
        choose_child(with_integrity, [esp_proposal("aes256gcm16")], OTHER_SPI, with_groups=False)


def test_another_key_length_is_another_algorithm():
    with pytest.raises(NoProposalChosen):
        choose_child(
            offer_child([esp_proposal("aes128gcm16")], SPI, with_groups=False),
            [esp_proposal("aes256gcm16")],
            OTHER_SPI,
            with_groups=False,
        )


def test_a_transform_type_that_we_do_not_know_cannot_be_accepted():
    ours = [Transform(TransformType.ENCR, 20, 256)]
    assert select(ours, ours) == ours
    assert select([*ours, Transform(9, 1)], ours) is None


@pytest.mark.conf("ESN-07")
@pytest.mark.parametrize("ours", ["aes256gcm16", "aes256gcm16-esn", "aes256gcm16-noesn-esn"])
def test_an_esp_proposal_that_says_nothing_of_sequence_numbers_is_not_acceptable(ours):
    offered = offer_child([esp_proposal(ours)], SPI, with_groups=False)
    proposal = offered.proposals[0]
    proposal.transforms = [each for each in proposal.transforms if each.type != TransformType.ESN]
    assert proposal.transforms
    with pytest.raises(NoProposalChosen):
        choose_child(offered, [esp_proposal(ours)], OTHER_SPI, with_groups=False)
    with pytest.raises(NoProposalChosen):
        accept_child(offered, [esp_proposal(ours)], with_groups=False)


@pytest.mark.parametrize("spi", [b"", b"\0\0\0\0", b"\1\2\3", bytes(8)])
def test_an_esp_proposal_needs_an_spi_of_four_bytes(spi):
    offered = offer_child([esp_proposal("default")], spi, with_groups=False)
    with pytest.raises(NoProposalChosen):
        choose_child(offered, [esp_proposal("default")], OTHER_SPI, with_groups=False)


def tampered(change) -> SecurityAssociationPayload:
    offered = [ike_proposal("default")]
    answer, _ = choose_ike(offer_ike(offered), offered)
    change(answer)
    return answer


@pytest.mark.parametrize(
    "change",
    [
        lambda sa: sa.proposals.append(sa.proposals[0]),
        lambda sa: sa.proposals.clear(),
        lambda sa: setattr(sa.proposals[0], "number", 2),
        lambda sa: setattr(sa.proposals[0], "number", 0),
        lambda sa: setattr(sa.proposals[0], "protocol", 3),
        lambda sa: setattr(sa.proposals[0], "spi", b"12345678"),
        lambda sa: setattr(sa.proposals[0].transforms[0], "key_bits", 128),
        lambda sa: sa.proposals[0].transforms.pop(),
        lambda sa: sa.proposals[0].transforms.append(sa.proposals[0].transforms[0]),
        lambda sa: sa.proposals[0].transforms.append(Transform(TransformType.ESN, 0)),
    ],
)
def test_an_answer_that_was_not_offered_is_refused(change):
    with pytest.raises(NoProposalChosen):
        accept_ike(tampered(change), [ike_proposal("default")])
