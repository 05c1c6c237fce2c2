"""What IKE tells the node about the SAs of a child, and what happens when the node cannot have them."""

import pytest

from ipsecsim.ike.actions import InstallChildSa, RemoveChildSa
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.tunnel import EcnEntry
from tests.support.pair import EAST, WEST, Pair, established


@pytest.mark.parametrize("rekeyed", [(), ("rekey",), ("rekey_ike", "rekey")], ids=str)
def test_each_sa_is_installed_with_the_identity_that_its_peer_has_proved(rekeyed):
    pair = established()
    for verb in rekeyed:
        pair.perform(pair.west, getattr(pair.west.endpoint, verb)("net", pair.now))
        pair.settle()
    for side, peer in ((pair.west, "east.example"), (pair.east, "west.example")):
        installed = [each.parameters for each in side.actions if isinstance(each, InstallChildSa)]
        assert len(installed) == (4 if rekeyed else 2)
        assert {parameters.peer for parameters in installed} == {peer}


def test_an_sa_is_taken_out_by_its_destination_too_since_two_peers_may_choose_one_spi():
    pair = established()
    pair.terminate()
    pair.settle()
    for side, peer in ((pair.west, EAST), (pair.east, WEST)):
        removed = [each for each in side.actions if isinstance(each, RemoveChildSa)]
        assert {(each.direction, each.destination) for each in removed} == {
            (Direction.OUTBOUND, peer),
            (Direction.INBOUND, None),
        }


def test_a_child_that_the_node_cannot_have_is_taken_down_on_both_sides():
    pair = established()
    (outbound,) = [spi for direction, spi in pair.east.sas if direction == "out"]
    pair.perform(pair.east, pair.east.endpoint.close_child(WEST, outbound, pair.now))
    pair.settle()
    assert pair.west.sas == {}
    assert pair.east.sas == {}
    assert len(pair.west.endpoint.sas) == len(pair.east.endpoint.sas) == 1  # only the child has gone


def test_the_wrong_address_closes_no_child():
    pair = established()
    (outbound,) = [spi for direction, spi in pair.east.sas if direction == "out"]
    assert pair.east.endpoint.close_child(EAST, outbound, pair.now) == []


@pytest.mark.conf("IK2-100")
def test_a_tunnel_that_ike_makes_uses_ecn_in_full():
    """Without a word about it, on the way in and out (RFC 7296 2.24)."""
    pair = Pair()
    pair.establish()
    for side in (pair.west, pair.east):
        assert {parameters.ecn for parameters in side.sas.values()} == {EcnEntry.NORMAL}
