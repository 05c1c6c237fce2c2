"""AH negotiated by IKE: proposals, keys, rekeying, deletion, and what a NAT makes impossible."""

import pytest

from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ike.actions import RemoveChildSa
from ipsecsim.ike.errors import NoProposalChosen
from ipsecsim.ike.events import ChildSaCreated, ChildSaFailed
from ipsecsim.ike.negotiate import accept_child, choose_child, offer_child
from ipsecsim.scenario.swanctl.parse import ah_proposal, esp_proposal
from ipsecsim.wire.ike.numbers import ProtocolId
from ipsecsim.wire.numbers import IpProtocol
from tests.support.pair import Pair

AH = {"esp": [], "ah": ["sha256-esn"]}
BOTH = {"esp": ["aes256gcm16"], "ah": ["sha256"]}
SPI, OTHER_SPI = b"\1\2\3\4", b"\5\6\7\\8"


def connected(west, east, **further):
    """Two ends that have had their handshake."""
    pair = Pair(west=west, east=east, **further)
    pair.establish()
    return pair


def test_ah_is_negotiated_with_keys_for_both_directions():
    pair = connected(AH, AH)
    for side in (pair.west, pair.east):
        assert {type(sa.suite) for sa in side.sas.values()} == {AhSuite}
        assert {(len(sa.encryption_key), len(sa.integrity_key)) for sa in side.sas.values()} == {(0, 32)}
        assert all(sa.extended_sequence and sa.udp_ports is None for sa in side.sas.values())
        (created,) = side.seen(ChildSaCreated)
        assert (created.protocol, created.suite) == ("AH", "sha256-esn")
    for way, back in (("in", "out"), ("out", "in")):
        (ours,) = [sa for (direction, _), sa in pair.west.sas.items() if direction == way]
        assert pair.east.sas[(back, ours.spi)].integrity_key == ours.integrity_key


@pytest.mark.conf("AH-11")
@pytest.mark.parametrize(("west", "east"), [(AH, {}), ({}, AH)])
def test_a_node_without_ah_chooses_no_proposal_of_it(west, east):
    pair = connected(west, east)
    assert not pair.west.sas
    assert not pair.east.sas
    assert pair.west.seen(ChildSaFailed)[0].notify == "NO_PROPOSAL_CHOSEN"


@pytest.mark.conf("AH-11")
@pytest.mark.parametrize(("west", "east"), [(BOTH, {}), ({}, BOTH), (BOTH, BOTH)])
def test_of_a_mixed_offer_esp_is_chosen_where_that_is_what_both_have(west, east):
    pair = connected(west, east)
    assert {type(sa.suite) for sa in (pair.west.sas | pair.east.sas).values()} == {EspSuite}


def test_of_a_mixed_offer_ah_is_chosen_by_a_peer_without_esp():
    pair = connected(BOTH, {"esp": [], "ah": ["sha256"]})
    assert {type(sa.suite) for sa in pair.west.sas.values()} == {AhSuite}


@pytest.mark.parametrize("who", ["west", "east"])
def test_ah_gets_new_keys_and_the_old_pair_goes(who):
    pair = connected(AH, AH)
    before = set(pair.west.sas)
    side = getattr(pair, who)
    pair.perform(side, side.endpoint.rekey("net", pair.now))
    pair.settle()
    for end in (pair.west, pair.east):
        removed = [action for action in end.actions if isinstance(action, RemoveChildSa)]
        assert {action.protocol for action in removed} == {IpProtocol.AH}
        assert len(removed) == 2
        assert len(end.sas) == 2
    assert not before & set(pair.west.sas)


@pytest.mark.parametrize("behind", ["west", "east"])
def test_ah_does_not_cross_a_nat(behind):
    pair = connected(**{each: AH | {"encap": each == behind} for each in ("west", "east")})
    assert not pair.west.sas
    assert not pair.east.sas
    assert [each.notify for each in pair.west.seen(ChildSaFailed)] == ["NO_PROPOSAL_CHOSEN"]


def test_where_a_nat_is_between_a_mixed_offer_means_esp():
    ah_first = {"esp": ["aes256gcm16"], "ah": ["sha256"], "encap": True}
    pair = connected(ah_first, BOTH)
    assert {type(sa.suite) for sa in pair.west.sas.values()} == {EspSuite}
    assert all(sa.udp_ports for sa in pair.west.sas.values())


@pytest.mark.conf("ESN-07")
def test_an_ah_proposal_that_says_nothing_of_sequence_numbers_is_not_acceptable():
    offered = offer_child([ah_proposal("sha256")], SPI, with_groups=False)
    offered.proposals[0].transforms.pop()
    with pytest.raises(NoProposalChosen):
        choose_child(offered, [ah_proposal("sha256")], OTHER_SPI, with_groups=False)


def test_an_answer_may_not_turn_one_protocol_into_the_other():
    ours = [esp_proposal("aes256gcm16"), ah_proposal("sha256")]
    answer = offer_child(ours[1:], SPI, with_groups=False)
    answer.proposals[0].number = 2
    assert isinstance(accept_child(answer, ours, with_groups=False).suite, AhSuite)
    answer.proposals[0].protocol = ProtocolId.ESP
    with pytest.raises(NoProposalChosen):
        accept_child(answer, ours, with_groups=False)
