"""Fragments one by one, as a peer writes them: what is kept, what is not, and for how long (RFC 7383 2.5, 2.6)."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import Fragmentation
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.ike.fragment_events import IkeFragmentsDiscarded
from ipsecsim.ike.v2.messages import envelope, fragments
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.chain import emit_chain, emit_message, parse_message
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS, EncryptedFragment
from ipsecsim.wire.ike.generic import UnknownPayload
from ipsecsim.wire.ike.header import INITIATOR, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType
from tests.support.pair import Pair, established, to_east


class Peer:
    """Writes to east with west's keys, whatever it likes."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.sa = pair.west.endpoint.sas[0]
        self.header = IkeHeader(self.sa.spi_i, self.sa.spi_r, 0, ExchangeType.INFORMATIONAL, INITIATOR, 2)

    def fragment(self, number: int, total: int, inner: bytes = b"x", first: int = 0) -> bytes:
        """One fragment under a good seal."""
        fields = FRAGMENT_FIELDS.pack(number, total)
        return envelope.seal_content(replace(self.header), Content(first, inner), self.sa.outbound, fields)

    def send(self, raw: bytes) -> list[DropReason]:
        """It arrives at east. What was dropped, and why."""
        before = len(self.pair.east.drops)
        self.pair.inject(to_east(raw))
        return self.pair.east.drops[before:]

    @property
    def stored(self) -> list[tuple[int, int]]:
        """What east keeps."""
        known = self.pair.east.endpoint.sas[0].fragments.get(False)
        return [] if known is None else [(number, known.total) for number in known.pieces]


@pytest.fixture
def peer() -> Peer:
    """Two sides with an IKE SA that knows fragments; what east keeps is all there is."""
    return Peer(established())


def forged(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


# -- what one is made of ----------------------------------------------------------------------------


@pytest.mark.conf("FRG-03", "FRG-13", "FRG-12")
def test_each_fragment_is_the_message_but_for_length_and_next_payload(peer):
    content = Content(*emit_chain([UnknownPayload(200, bytes(range(250))), UnknownPayload(201, b"end")]))
    whole = envelope.seal_content(replace(peer.header), content, peer.sa.outbound)
    cut = fragments.cut(peer.header, content, peer.sa.outbound, 148)
    room = 148 - 28 - 8 - 8 - 16 - 1  # header, SKF's own eight bytes, IV, ICV, pad length
    assert [len(each) for each in cut] == [148, 148, 148 - room + len(content.inner) - 2 * room]
    joined = b""
    for number, raw in enumerate(cut, start=1):
        header, outer = parse_message(raw)
        assert (header.next_payload, header.length) == (PayloadType.SKF, len(raw))
        assert raw[:16] + raw[17:24] == whole[:16] + whole[17:24]  # all but Next Payload and Length
        assert len(outer) == 1
        assert (outer[0].first_inner, outer[0].number, outer[0].total) == (
            200 if number == 1 else 0,
            number,
            3,
        )
        assert raw[28:36] == bytes([outer[0].first_inner, 0]) + (len(raw) - 28).to_bytes(2) + bytes(
            [0, number, 0, 3]
        )
        joined += envelope.unseal(raw, outer[0], peer.pair.east.endpoint.sas[0].inbound).inner
    assert joined == content.inner
    assert len({raw[36:44] for raw in cut}) == 3  # each has an IV of its own


def test_a_size_that_holds_nothing_is_the_callers_mistake(peer):
    with pytest.raises(LocalError, match="no room"):
        fragments.cut(peer.header, Content(200, b"abc"), peer.sa.outbound, 60)


# -- the queue -------------------------------------------------------------------------------------


@pytest.mark.conf("FRG-05")
@pytest.mark.parametrize(("number", "total"), [(0, 0), (0, 2), (1, 0), (3, 2), (65535, 2), (2, 1)])
def test_numbers_that_cannot_be_are_dropped(peer, number, total):
    assert peer.send(peer.fragment(number, total)) == [DropReason.FRAG_MALFORMED]
    assert peer.stored == []


@pytest.mark.conf("FRG-05", "FRG-06")
def test_a_smaller_total_than_that_of_the_set_is_dropped(peer):
    assert peer.send(peer.fragment(1, 3)) == []
    assert peer.send(peer.fragment(2, 2)) == [DropReason.FRAG_MALFORMED]
    assert peer.stored == [(1, 3)]


@pytest.mark.conf("FRG-06")
def test_a_larger_total_begins_anew_once_its_seal_holds(peer):
    for number in (1, 2):
        peer.send(peer.fragment(number, 3))
    assert peer.send(forged(peer.fragment(1, 5))) == [DropReason.SK_FAIL]
    assert peer.stored == [(1, 3), (2, 3)]
    assert peer.send(peer.fragment(4, 5)) == []
    assert peer.stored == [(4, 5)]
    (gone,) = peer.pair.east.seen(IkeFragmentsDiscarded)
    assert (gone.stored, gone.total) == (2, 3)


@pytest.mark.conf("FRG-06")
def test_a_sender_that_cuts_smaller_on_the_way_gets_through(peer):
    content = Content(*emit_chain([Notify(NotifyType.INITIAL_CONTACT, bytes(500))]))
    first = fragments.cut(peer.header, content, peer.sa.outbound, 400)
    second = fragments.cut(peer.header, content, peer.sa.outbound, 200)
    assert len(second) > len(first) > 1
    for raw in (first[0], *second):
        peer.send(raw)
    assert peer.pair.east.seen(IkeMessageReceived)[-1].payloads == ("N(INITIAL_CONTACT)",)


@pytest.mark.conf("FRG-07")
def test_a_fragment_that_is_here_already_is_dropped(peer):
    raw = peer.fragment(1, 3)
    assert peer.send(raw) == []
    assert peer.send(raw) == [DropReason.FRAG_DUP]
    assert peer.send(peer.fragment(1, 3, b"other")) == [DropReason.FRAG_DUP]
    assert peer.pair.east.endpoint.sas[0].fragments[False].pieces[1].inner == b"x"


@pytest.mark.conf("FRG-08")
@pytest.mark.hos("HOS-27")
@pytest.mark.fault("FLT-21")
def test_a_peer_that_announces_more_than_any_message_needs_loses_its_sa(peer):
    assert peer.send(forged(peer.fragment(1, 65535))) == [DropReason.SK_FAIL]
    assert peer.pair.east.endpoint.sas
    assert peer.send(peer.fragment(1, 65535)) == [DropReason.FRAG_LIMIT]
    assert not peer.pair.east.endpoint.sas
    assert not peer.pair.east.sas
    assert not peer.pair.wire


@pytest.mark.conf("FRG-08")
@pytest.mark.hos("HOS-27")
@pytest.mark.fault("FLT-21")
def test_a_peer_that_fills_the_queue_with_bytes_loses_its_sa(peer):
    dropped: list[DropReason] = []
    for number in range(1, 10):
        assert not dropped
        dropped = peer.send(peer.fragment(number, 200, bytes(8000)))
    assert dropped == [DropReason.FRAG_LIMIT]
    assert not peer.pair.east.endpoint.sas


@pytest.mark.hos("HOS-27")
@pytest.mark.fault("FLT-21")
def test_totals_that_change_all_the_time_keep_one_set_at_most(peer):
    for total in range(2, 200):
        peer.send(peer.fragment(1, total, bytes(1000)))
    assert peer.stored == [(1, 199)]


@pytest.mark.hos("HOS-36")
def test_a_fragment_that_holds_nothing_is_malformed(peer):
    header = replace(peer.header)
    assert peer.send(emit_message(header, [EncryptedFragment(0, 1, 2, b"")])) == [DropReason.FRAG_MALFORMED]


def test_a_fragment_that_is_too_short_is_dropped_by_its_length(peer):
    header = replace(peer.header)
    assert peer.send(emit_message(header, [EncryptedFragment(0, 1, 2, bytes(24))])) == [
        DropReason.FRAG_BAD_LEN
    ]
    numbers_cut_off = emit_message(header, [UnknownPayload(PayloadType.SKF, b"\0\1\0")])
    assert peer.send(numbers_cut_off) == [DropReason.FRAG_BAD_LEN]


@pytest.mark.hos("HOS-56")
def test_more_payloads_in_front_than_the_cap_allows_are_not_read(peer):
    front = [UnknownPayload(200, b"") for _ in range(64)]
    raw = emit_message(peer.header, [*front, EncryptedFragment(0, 1, 2, bytes(40))])
    assert peer.send(raw) == [DropReason.TOO_MANY_PAYLOADS]
    assert peer.stored == []


@pytest.mark.conf("FRG-13")
def test_a_fragment_payload_in_the_middle_is_refused(peer):
    raw = peer.fragment(1, 2)
    behind = raw + bytes([0, 0, 0, 4])
    behind = behind[:24] + len(behind).to_bytes(4, "big") + behind[28:]
    assert peer.send(behind) == [DropReason.PAYLOAD_LEN]


@pytest.mark.conf("FRG-12")
def test_payloads_in_clear_stand_before_the_first_fragment_only(peer):
    def with_front(number: int) -> bytes:
        """Sealed as it must be, with a payload in front that the seal covers too."""
        _, outer = parse_message(peer.fragment(number, 2))
        sealed = outer[0]
        raw = emit_message(replace(peer.header), [UnknownPayload(200, b"in clear"), sealed])
        aad = raw[: len(raw) - len(sealed.body)]
        return aad + peer.sa.outbound.seal(aad, b"x\0")

    assert peer.send(with_front(2)) == [DropReason.FRAG_MALFORMED]
    assert peer.send(with_front(1)) == []
    assert peer.stored == [(1, 2)]


def test_fragments_without_an_agreement_are_not_read():
    peer = Peer(established(east={"fragmentation": Fragmentation.NO}))
    assert peer.send(peer.fragment(1, 2)) == [DropReason.STATE_VIOLATION]


def test_what_was_put_together_and_makes_no_sense_is_answered_as_a_whole_message_would_be(peer):
    peer.send(peer.fragment(2, 2, b"\0\0\0"))
    assert not peer.pair.wire
    peer.send(peer.fragment(1, 2, b"\0\0\0", first=PayloadType.NOTIFY))
    assert peer.pair.east.drops[-1] is DropReason.PAYLOAD_LEN
    assert peer.pair.east.seen(IkeMessageSent)[-1].payloads == ("N(INVALID_SYNTAX)",)
    assert not peer.pair.east.endpoint.sas  # RFC 7296 2.21.3


@pytest.mark.conf("FRG-15")
def test_a_set_that_stays_unfinished_is_forgotten_and_the_sa_stands(peer):
    peer.send(peer.fragment(1, 2))
    peer.pair.wait_until(164 * SECOND)
    assert peer.stored == [(1, 2)]
    peer.pair.wait_until(166 * SECOND)
    assert peer.stored == []
    assert [sa.state for sa in peer.pair.east.endpoint.sas] == [State.ESTABLISHED]
    (gone,) = peer.pair.east.seen(IkeFragmentsDiscarded)
    assert (gone.stored, gone.total) == (1, 2)
    for number in (1, 2):
        peer.send(peer.fragment(number, 2, b""))
    assert peer.pair.east.seen(IkeMessageReceived)[-1].message_id == 2


def test_a_message_in_one_piece_ends_the_wait_for_the_fragments_of_another(peer):
    peer.send(peer.fragment(1, 2))
    whole = envelope.seal(replace(peer.header), [], peer.sa.outbound)
    peer.send(whole)
    assert peer.stored == []
    peer.pair.wait_until(200 * SECOND)
    assert not peer.pair.east.seen(IkeFragmentsDiscarded)
