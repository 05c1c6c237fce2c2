"""CREATE_CHILD_SA, as far as a minimal implementation goes: it says no (RFC 7296 1.3, 4)."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.v2 import envelope
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, ProtocolId
from tests.exchanges.test_refusals import answer_of_east, sealed_by_west
from tests.support.pair import Pair

REKEY = [Notify(NotifyType.REKEY_SA, protocol=ProtocolId.ESP, spi=b"\x01\x02\x03\x04"), Nonce(bytes(32))]
CREATE = {"exchange": ExchangeType.CREATE_CHILD_SA}


def test_create_child_sa_got_no_answer_so_that_a_rekeying_peer_took_us_for_dead():
    """What a live strongSwan showed: it repeats its request, then gives the whole IKE SA up."""
    pair = Pair()
    pair.establish()
    pair.inject(sealed_by_west(pair, REKEY, message_id=2, **CREATE))
    (refusal,) = answer_of_east(pair)
    assert isinstance(refusal, Notify)
    assert refusal.notify_type == NotifyType.NO_ADDITIONAL_SAS
    assert [sa.state for sa in pair.east.endpoint.sas] == [State.ESTABLISHED]
    assert len(pair.east.sas) == 2  # what stands goes on standing


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
    sa = pair.east.endpoint.sas[0]
    header = IkeHeader(sa.spi_i, sa.spi_r, 0, ExchangeType.CREATE_CHILD_SA, INITIATOR | RESPONSE, 0)
    raw = envelope.seal(header, REKEY, pair.west.endpoint.sas[0]._outbound)
    pair.inject(type(pair.sent[0])(pair.west.address, 500, pair.east.address, 500, raw))
    assert pair.east.drops == [DropReason.UNEXPECTED_RESPONSE]
