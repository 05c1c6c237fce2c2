"""CREATE_CHILD_SA: new keys for a child or for the IKE SA itself (RFC 7296 1.3, 2.8)."""

import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.events import ChildSaFailed, NotifyReceived
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.negotiate import offer_child
from ipsecsim.ike.v2.duties.tasks import CreateChild
from ipsecsim.ike.v2.exchanges import create_child, rekey_ike
from ipsecsim.ike.v2.states import State
from ipsecsim.scenario.swanctl.parse import esp_proposal
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder
from tests.support.pair import Pair
from tests.support.sealed import answer_of_east, sealed_by_west

_NET = [traffic_selector(Prefix.parse("0.0.0.0/0"))]
REKEY = [
    Notify(NotifyType.REKEY_SA, protocol=ProtocolId.ESP, spi=b"\x01\x02\x03\x04"),
    offer_child([esp_proposal("aes256gcm16")], b"abcd", with_groups=True),
    Nonce(bytes(32)),
    TsInitiator(_NET),
    TsResponder(_NET),
]
CREATE = {"exchange": ExchangeType.CREATE_CHILD_SA}


def rekeyed(pair, side):
    """A side gives its child new keys, and everything comes to rest."""
    pair.perform(side, side.endpoint.rekey("net", pair.now))
    pair.settle()


def spis(side, direction):
    """The SPIs of the SAs in place, in one direction."""
    return {spi for way, spi in side.sas if way == direction}


def assert_agree(pair, pairs=1, ike_sas=1):
    """Both ends have the same SAs, and nothing is left on the way."""
    assert not pair.wire
    for side in (pair.west, pair.east):
        assert [sa.state for sa in side.endpoint.sas] == [State.ESTABLISHED] * ike_sas
        assert sum(len(sa.children) for sa in side.endpoint.sas) == pairs
    assert spis(pair.west, "in") == spis(pair.east, "out")
    assert spis(pair.west, "out") == spis(pair.east, "in")
    assert len(spis(pair.west, "in")) == pairs


GROUPS = [[], ["aes256gcm16-x25519"]]


@pytest.mark.parametrize("esp", GROUPS)
@pytest.mark.parametrize("who", ["west", "east"])
def test_a_child_gets_new_keys(esp, who):
    changes = {"esp": esp} if esp else {}
    pair = Pair(west=changes, east=changes)
    pair.establish()
    before = set(pair.west.sas)
    rekeyed(pair, getattr(pair, who))
    assert_agree(pair)
    assert not before & set(pair.west.sas)
    keys = {p.encryption_key for p in pair.west.sas.values()}
    assert keys == {p.encryption_key for p in pair.east.sas.values()}


@pytest.mark.parametrize("who", ["west", "east"])
def test_an_ike_sa_is_replaced_and_its_child_moves(who):
    pair = Pair()
    pair.establish()
    before, old = dict(pair.west.sas), pair.west.endpoint.sas[0]
    side = getattr(pair, who)
    pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    assert_agree(pair)
    assert pair.west.sas == before
    new = pair.west.endpoint.sas[0]
    assert new is not old
    assert new.is_initiator is (who == "west")
    rekeyed(pair, pair.east)  # the new one works
    assert_agree(pair)


@pytest.mark.parametrize("seed", range(8))
def test_both_ends_rekey_the_same_child_at_once(seed):
    pair = Pair(seed=f"crossed {seed}")
    pair.establish()
    for side in (pair.west, pair.east):
        pair.perform(side, side.endpoint.rekey("net", pair.now))
    pair.settle()
    assert_agree(pair)


@pytest.mark.parametrize("seed", range(8))
def test_both_ends_replace_the_ike_sa_at_once(seed):
    pair = Pair(seed=f"crossed {seed}")
    pair.establish()
    for side in (pair.west, pair.east):
        pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    assert_agree(pair)


def test_a_child_that_is_not_here_cannot_be_rekeyed():
    pair = Pair()
    pair.establish()
    pair.inject(sealed_by_west(pair, REKEY, message_id=2, **CREATE))
    (refusal,) = answer_of_east(pair)
    assert isinstance(refusal, Notify)
    assert (refusal.notify_type, refusal.spi) == (NotifyType.CHILD_SA_NOT_FOUND, b"\x01\x02\x03\x04")
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]
    assert len(pair.east.sas) == 2  # what stands goes on standing


def test_a_peer_gets_so_many_children_and_no_more(monkeypatch):
    monkeypatch.setattr(create_child, "MOST_CHILDREN", 3)
    pair = Pair()
    pair.establish()
    (sa,) = pair.west.endpoint.sas
    for _ in range(4):
        pair.perform(pair.west, sa.enqueue(CreateChild(sa.connection.children[0]), pair.now))
        pair.settle()
    assert_agree(pair, pairs=3)
    assert pair.east.drops == [DropReason.IKE_SA_LIMIT] * 2
    assert [each.notify for each in pair.west.seen(ChildSaFailed)] == ["NO_ADDITIONAL_SAS"] * 2


def test_a_peer_that_replaces_its_ike_sa_again_and_again_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(rekey_ike, "MOST_STANDING", 1)
    pair = Pair()
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    assert_agree(pair)
    assert pair.east.drops == [DropReason.IKE_SA_LIMIT]
    assert [each.notify for each in pair.west.seen(NotifyReceived)] == ["NO_ADDITIONAL_SAS"]


def test_a_request_to_create_while_we_say_goodbye_is_to_be_tried_later():
    pair = Pair()
    pair.establish()
    pair.terminate(pair.east)
    pair.wire.clear()
    pair.inject(sealed_by_west(pair, REKEY, message_id=2, **CREATE))
    (refusal,) = answer_of_east(pair)
    assert isinstance(refusal, Notify)
    assert refusal.notify_type == NotifyType.TEMPORARY_FAILURE
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.DELETING]


def test_create_child_sa_before_the_peer_proved_itself_is_not_answered():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.deliver()
    pair.wire.clear()
    pair.inject(sealed_by_west(pair, REKEY, message_id=1, **CREATE))
    assert pair.east.drops == [DropReason.STATE_VIOLATION]
    assert not pair.wire
    assert not pair.east.sas


def test_an_answer_to_a_create_child_sa_that_we_never_sent_is_dropped():
    pair = Pair()
    pair.establish()
    create, answer = ExchangeType.CREATE_CHILD_SA, INITIATOR | RESPONSE
    pair.inject(sealed_by_west(pair, REKEY, message_id=0, exchange=create, flags=answer))
    assert pair.east.drops == [DropReason.UNEXPECTED_RESPONSE]
