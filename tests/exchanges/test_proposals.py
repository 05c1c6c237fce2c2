"""What is chosen of an offer, what is passed over, and which answer an initiator takes (RFC 7296 2.7, 3.3)."""

from random import Random

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.errors import NoProposalChosen
from ipsecsim.ike.events import ChildSaCreated, IkeMessageReceived, IkeProposalChosen
from ipsecsim.ike.negotiate import choose_ike, offer_ike
from ipsecsim.ike.v2.states import State
from ipsecsim.scenario.swanctl.parse import ike_proposal
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, TransformType
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.ike.proposal import Proposal, Transform
from tests.support.misbehaving import (
    Said,
    a_peer_that,
    adds,
    adds_transform,
    changes_transform,
    garbles,
    offers,
    omits_transform,
)
from tests.support.pair import Pair

T = TransformType
NULL, DES3, AES_CBC, GCM = 11, 3, 12, 20


def assert_refused(pair: Pair) -> None:
    """The responder saw nothing acceptable, and nothing came of it."""
    assert pair.east.drops == [DropReason.NO_PROPOSAL]
    assert not pair.east.endpoint.sas
    assert not pair.west.sas


def of(words: str) -> list[Proposal]:
    """A proposal as it would cross the wire, alone in its list."""
    return offer_ike([ike_proposal(words)]).proposals


# -- the choice -------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-35")
@pytest.mark.parametrize("seed", range(200))
def test_the_answer_is_one_proposal_of_the_offer_with_one_transform_of_each_type(seed):
    """Held against a chooser that knows nothing of ours: for each type, whatever both sides name."""
    chance = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    ciphers, prfs, groups = ("aes128gcm16", "aes256gcm16"), ("prfsha256", "prfsha512"), ("x25519", "ecp256")

    def some(words: tuple[str, ...]) -> list[str]:
        return chance.sample(words, chance.randint(1, len(words)))

    def proposals(count: int) -> list[str]:
        return ["-".join([*some(ciphers), *some(prfs), *some(groups)]) for _ in range(count)]

    offered = offer_ike([ike_proposal(each) for each in proposals(3)])
    ours = [ike_proposal(each) for each in proposals(2)]
    mine = [offer_ike([each]).proposals[0].transforms for each in ours]

    def is_possible(theirs: Proposal) -> bool:
        return any(
            all(
                {(t.id, t.key_bits) for t in theirs.transforms if t.type == kind}
                & {(t.id, t.key_bits) for t in own if t.type == kind}
                for kind in (T.ENCR, T.PRF, T.KE)
            )
            for own in mine
        )

    possible = [each for each in offered.proposals if is_possible(each)]
    if not possible:
        with pytest.raises(NoProposalChosen):
            choose_ike(offered, ours)
        return
    answer, _ = choose_ike(offered, ours)
    (chosen,) = answer.proposals
    assert (chosen.number, chosen.protocol, chosen.spi) == (possible[0].number, possible[0].protocol, b"")
    assert [each.type for each in chosen.transforms] == [T.ENCR, T.PRF, T.KE]
    assert all(each in possible[0].transforms for each in chosen.transforms)


GOOD = of("aes256gcm16-prfsha256-x25519")[0]
WRONG_ANSWERS = {
    "a transform more": adds_transform(Transform(T.PRF, 7)),
    "a transform twice": offers(lambda it: it.transforms.append(it.transforms[0])),
    "a transform less": omits_transform(T.PRF),
    "another key length": changes_transform(T.ENCR, key_bits=128),
    "no key length": changes_transform(T.ENCR, key_bits=None),
    "another cipher": changes_transform(T.ENCR, id=28, key_bits=None),
    "another group": changes_transform(T.KE, id=14),
    "another number": offers(lambda it: setattr(it, "number", 2)),
    "number 0": offers(lambda it: setattr(it, "number", 0)),
    "another protocol": offers(lambda it: setattr(it, "protocol", 3)),
    "an SPI where none belongs": offers(lambda it: setattr(it, "spi", bytes(8))),
    "two proposals": lambda said: said.payloads[said.at(P.SA)].proposals.append(GOOD),
    "no proposal": lambda said: said.payloads[said.at(P.SA)].proposals.clear(),
}


@pytest.mark.conf("IK2-36")
@pytest.mark.parametrize("habit", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_initiator_takes_only_an_answer_that_it_offered(habit):
    pair = a_peer_that(habit, in_="IKE_SA_INIT response")
    pair.establish()
    assert set(pair.west.drops) == {DropReason.NO_PROPOSAL}
    pair.wait_until(200 * SECOND)
    assert not pair.west.endpoint.sas
    assert not pair.west.sas


@pytest.mark.conf("IK2-36")
@pytest.mark.parametrize("message", ["IKE_AUTH response", "CREATE_CHILD_SA response"])
@pytest.mark.parametrize(
    "habit",
    [
        adds_transform(Transform(T.ESN, 1)),
        changes_transform(T.ENCR, key_bits=128),
        omits_transform(T.ESN),
        offers(lambda it: setattr(it, "number", 2)),
        offers(lambda it: setattr(it, "protocol", 2)),
        offers(lambda it: setattr(it, "spi", bytes(4))),
        offers(lambda it: setattr(it, "spi", bytes(8))),
    ],
)
def test_nor_does_it_take_another_child_than_it_asked_for(message, habit):
    pair = a_peer_that(habit, in_=message)
    pair.establish()
    before = set(pair.west.sas)
    if message.startswith("CREATE"):
        pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
        pair.settle()
    assert set(pair.west.sas) == before
    assert len(before) == (0 if message.startswith("IKE") else 2)


# -- what is passed over ----------------------------------------------------------------------------

UNKNOWN_TYPE = Transform(13, 1)
UNKNOWN_ID = Transform(T.ENCR, 4711, 256)
UNKNOWN_ATTRIBUTE = Transform(T.ENCR, GCM, 256, attributes=((0x8000 | 77, b"\0\1"),))


def in_front(*transforms: Transform):
    """A proposal with these transforms besides the good ones stands in front of a good one."""

    def change(said: Said) -> None:
        payload = said.payloads[said.at(P.SA)]
        (good,) = payload.proposals
        bad = Proposal(1, good.protocol, good.spi, [*good.transforms, *transforms])
        good.number = 2
        payload.proposals.insert(0, bad)

    return change


@pytest.mark.conf("IK2-37")
@pytest.mark.parametrize("message", ["IKE_SA_INIT request", "IKE_AUTH request"])
def test_an_unknown_transform_type_spoils_its_own_proposal_and_no_other(message):
    pair = a_peer_that(in_front(UNKNOWN_TYPE), in_=message)
    pair.establish()
    assert not pair.east.drops
    assert pair.east.seen(IkeProposalChosen if "INIT" in message else ChildSaCreated)
    alone = a_peer_that(adds_transform(UNKNOWN_TYPE), in_="IKE_SA_INIT request")
    alone.establish()
    assert_refused(alone)


@pytest.mark.conf("IK2-37")
@pytest.mark.parametrize("kind", [T.ENCR, T.PRF, T.KE])
def test_a_proposal_without_a_mandatory_type_is_no_proposal(kind):
    pair = a_peer_that(omits_transform(kind), in_="IKE_SA_INIT request")
    pair.establish()
    assert_refused(pair)


@pytest.mark.conf("IK2-37")
@pytest.mark.parametrize("kind", [T.ENCR, T.ESN])
def test_nor_is_one_for_a_child(kind):
    pair = a_peer_that(omits_transform(kind), in_="IKE_AUTH request")
    pair.establish()
    assert not pair.east.sas
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]


@pytest.mark.conf("IK2-38")
@pytest.mark.parametrize(
    "odd", [UNKNOWN_ID, UNKNOWN_ATTRIBUTE, Transform(T.PRF, 4711), Transform(T.KE, 4711)]
)
def test_an_unknown_transform_or_attribute_spoils_itself_only(odd):
    first = offers(lambda proposal: proposal.transforms.insert(0, odd))
    pair = a_peer_that(first, in_="IKE_SA_INIT request")
    pair.establish()
    assert [sa.suite.words for sa in pair.east.endpoint.sas] == ["aes256gcm16-prfsha256-x25519"]


@pytest.mark.conf("IK2-38")
@pytest.mark.parametrize("odd", [UNKNOWN_ID, UNKNOWN_ATTRIBUTE])
def test_it_is_not_chosen_when_it_stands_alone(odd):
    fields = {"id": odd.id, "attributes": odd.attributes}
    pair = a_peer_that(changes_transform(T.ENCR, **fields), in_="IKE_SA_INIT request")
    pair.establish()
    assert_refused(pair)


@pytest.mark.conf("IK2-40")
@pytest.mark.parametrize("spi", [b"\1", bytes(4), b"1234", bytes(8), b"12345678", bytes(255)])
def test_a_first_offer_has_no_spis(spi):
    pair = a_peer_that(offers(lambda it: setattr(it, "spi", spi)), in_="IKE_SA_INIT request")
    pair.establish()
    assert_refused(pair)


@pytest.mark.conf("IK2-40")
@pytest.mark.parametrize("spi", [b"", b"\1", bytes(4), b"12345678", bytes(255)])
def test_an_offer_of_a_child_has_spis_of_four_bytes(spi):
    pair = a_peer_that(offers(lambda it: setattr(it, "spi", spi)), in_="IKE_AUTH request")
    pair.establish()
    assert not pair.east.sas


@pytest.mark.conf("IK2-40")
def test_our_own_proposals_are_numbered_from_one_upwards():
    words = ["aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha256-x25519", "aes256-sha256-modp2048"]
    offered = offer_ike([ike_proposal(each) for each in words])
    assert [each.number for each in offered.proposals] == [1, 2, 3]
    assert [each.spi for each in offered.proposals] == [b""] * 3


@pytest.mark.conf("IK2-40")
@pytest.mark.parametrize("numbers", [(1, 3), (2, 1), (1, 1), (0, 1), (255, 254)])
def test_an_offer_whose_numbers_do_not_count_up_from_one_is_refused(numbers):
    def count(said: Said) -> None:
        for number, proposal in zip(numbers, said.payloads[said.at(P.SA)].proposals, strict=True):
            proposal.number = number

    words = {"ike": ["aes128gcm16-prfsha256-x25519", "aes256gcm16-prfsha256-x25519"]}
    pair = a_peer_that(count, in_="IKE_SA_INIT request", west=words)
    pair.establish()
    assert_refused(pair)


# -- key lengths ------------------------------------------------------------------------------------

TWO_LENGTHS = {"key_bits": 256, "attributes": ((0x8000 | 14, (128).to_bytes(2, "big")),)}


@pytest.mark.conf("IK2-41")
@pytest.mark.parametrize("change", [{"key_bits": None}, {"key_bits": 0}, {"key_bits": 255}, TWO_LENGTHS])
def test_aes_without_its_key_length_or_with_two_is_refused(change):
    pair = a_peer_that(changes_transform(T.ENCR, **change), in_="IKE_SA_INIT request")
    pair.establish()
    assert_refused(pair)


@pytest.mark.conf("IK2-41")
def test_a_cipher_of_one_length_names_none_and_is_refused_with_one():
    words = {"ike": ["3des-sha256-modp2048"]}
    heard: list[Said] = []
    pair = a_peer_that(heard.append, in_="IKE_SA_INIT request", west=words, east=words)
    pair.establish()
    assert pair.is_up
    offered = heard[0].payloads[heard[0].at(P.SA)].proposals[0].transforms
    assert Transform(T.ENCR, DES3) in offered
    named = a_peer_that(
        changes_transform(T.ENCR, key_bits=192), in_="IKE_SA_INIT request", west=words, east=words
    )
    named.establish()
    assert_refused(named)


# -- ciphers that need integrity, and those that bring their own ------------------------------------


@pytest.mark.conf("IK2-42")
@pytest.mark.parametrize(("integrity", "is_taken"), [(12, False), (0, True)])
def test_an_aead_cipher_goes_with_no_integrity_or_with_none(integrity, is_taken):
    pair = a_peer_that(adds_transform(Transform(T.INTEG, integrity)), in_="IKE_SA_INIT request")
    pair.establish()
    if is_taken:
        assert pair.is_up
    else:
        assert_refused(pair)


@pytest.mark.conf("IK2-42")
def test_both_families_of_ciphers_may_stand_in_proposals_of_their_own():
    both = {"ike": ["aes256-sha256-x25519", "aes256gcm16-prfsha256-x25519"]}
    for words in both["ike"]:
        pair = Pair(west=both, east={"ike": [words]})
        pair.establish()
        assert [sa.suite.words for sa in pair.east.endpoint.sas] == [words]


@pytest.mark.conf("IK2-43")
@pytest.mark.parametrize("habit", [omits_transform(T.INTEG), changes_transform(T.INTEG, id=0)])
def test_an_ike_sa_is_never_without_integrity(habit):
    words = {"ike": ["aes256-sha256-x25519"]}
    pair = a_peer_that(habit, in_="IKE_SA_INIT request", west=words, east=words)
    pair.establish()
    assert_refused(pair)


@pytest.mark.conf("IK2-43")
def test_nor_is_it_without_encryption():
    words = {"ike": ["aes256-sha256-x25519"]}
    habit = changes_transform(T.ENCR, id=NULL, key_bits=None)
    pair = a_peer_that(habit, in_="IKE_SA_INIT request", west=words, east=words)
    pair.establish()
    assert_refused(pair)


# -- broken ones ------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-39")
@pytest.mark.parametrize("cut", range(1, 36))
def test_an_offer_that_ends_too_early_is_refused(cut):
    shorter = garbles(P.SA, lambda body: body[:-cut])
    pair = a_peer_that(shorter, in_="IKE_SA_INIT request")
    pair.initiate()
    pair.deliver()
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert not pair.east.endpoint.sas


@pytest.mark.conf("IK2-101")
def test_a_wish_for_compression_is_passed_over_in_silence():
    wish = Notify(NotifyType.IPCOMP_SUPPORTED, b"\0\1\2")
    pair = a_peer_that(adds(wish), in_="IKE_AUTH request")
    pair.establish()
    assert pair.is_up
    assert not any("IPCOMP" in each for each in pair.west.seen(IkeMessageReceived)[-1].payloads)
