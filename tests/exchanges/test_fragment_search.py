"""A path that takes less than IKE thinks: the search for what gets through, downwards (RFC 7383 2.5.2)."""

import pytest

from ipsecsim.base.instant import SECOND, seconds
from ipsecsim.ike.config import Fragmentation
from ipsecsim.ike.events import MessageRetransmitted, PeerUnresponsive, ResponseRepeated
from ipsecsim.ike.fragment_events import IkeFragmentSizeLowered
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.scenario.lab_pki import Flaw, LabPki
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.encrypted import EncryptedFragment
from ipsecsim.wire.ike.numbers import ExchangeType
from tests.support.pair import EAST, WEST, Pair

AROUND = 28  # IPv4 and UDP
WHOLE_PATH = 1 << 16
LARGE = {"flaw": Flaw.LONG_CHAIN, "fragment_size": 4000}


class Narrow(Pair):
    """What is larger than `takes`, by where it goes, never arrives, and nobody is told."""

    def __init__(self, west: dict | None = None, east: dict | None = None, **takes: int) -> None:
        super().__init__(pki=LabPki("1"), west=LARGE | (west or {}), east=LARGE | (east or {}))
        self.takes = {WEST: takes.get("to_west", WHOLE_PATH), EAST: takes.get("to_east", WHOLE_PATH)}

    def inject(self, datagram: SendDatagram) -> None:
        if len(datagram.payload) + AROUND <= self.takes[datagram.destination]:
            super().inject(datagram)

    def go_on(self, time: int) -> None:
        """Let time pass, with everything that is sent meanwhile."""
        end = self.now + time
        while self.now < end:
            self.wait_until(min(self.now + SECOND, end))
            self.settle()


def totals(datagrams: list[SendDatagram], source: bytes) -> list[int]:
    """Of each IKE_AUTH message that a side sent, in how many pieces it went."""
    parsed = [parse_message(each.payload) for each in datagrams if each.source == source]
    lasts = [outer[-1] for header, outer in parsed if header.exchange == ExchangeType.IKE_AUTH]
    return [
        each.total if isinstance(each, EncryptedFragment) else 1
        for each in lasts
        if not isinstance(each, EncryptedFragment) or each.number == 1
    ]


@pytest.mark.conf("FRG-11")
@pytest.mark.fault("FLT-25")
@pytest.mark.parametrize("takes", [1400, 1000, 600, 576])
def test_in_a_black_hole_the_request_falls_to_576_bytes_or_what_is_enough(takes):
    pair = Narrow(to_east=takes, to_west=takes)
    pair.establish()
    assert not pair.is_up
    pair.go_on(seconds(30))
    assert pair.is_up
    sizes = [event.size for event in pair.west.seen(IkeFragmentSizeLowered)]
    assert sizes == ([1280] if takes == 1400 else [1280, 576])


@pytest.mark.fault("FLT-25")
def test_the_first_smaller_size_is_tried_with_the_second_retransmission():
    pair = Narrow(to_east=1300, to_west=1300)
    pair.establish()
    pair.wait_until(pair.now + seconds(12))
    assert [event.times for event in pair.west.seen(MessageRetransmitted)] == [1]
    assert len(pair.west.seen(IkeFragmentSizeLowered)) == 1
    pair.settle()
    assert pair.is_up


@pytest.mark.conf("FRG-14")
def test_each_step_really_has_more_fragments_and_the_last_goes_on_until_time_is_up():
    pair = Narrow(to_east=500)
    pair.establish()
    pair.go_on(seconds(250))
    assert not pair.west.endpoint.sas
    cut = totals(pair.sent, WEST)
    steps = sorted(set(cut))
    assert cut == sorted(cut)
    assert len(steps) == 3
    assert [cut.count(step) for step in steps] == [2, 2, 6]
    (end,) = pair.west.seen(PeerUnresponsive)
    assert end.tries == 6


@pytest.mark.conf("FRG-14")
def test_where_a_smaller_size_makes_as_many_fragments_there_is_one_more():
    """Two of 1500 bytes would be two of 1280, and the peer could not tell the new ones from the old."""
    pair = Narrow(west={"fragment_size": 1500}, to_east=1400)
    pair.establish()
    pair.go_on(seconds(30))
    assert pair.is_up
    assert sorted(set(totals(pair.sent, WEST))) == [2, 3]


def test_a_message_that_is_small_enough_is_not_suspected():
    pair = Pair(west={"fragment_size": 1500})
    pair.establish()
    pair.terminate()
    pair.wire.clear()
    pair.wait_until(pair.now + seconds(200))
    assert not pair.west.seen(IkeFragmentSizeLowered)
    assert len(pair.west.seen(PeerUnresponsive)) == 1


def test_the_answer_is_as_small_as_the_request_had_to_be():
    pair = Narrow(to_east=1300, to_west=1300)
    pair.establish()
    pair.go_on(seconds(30))
    assert pair.is_up
    assert len(totals(pair.sent, EAST)) == 1
    lengths = [len(each.payload) + AROUND for each in pair.sent if each.source == EAST]
    assert max(lengths) <= 1280


def test_an_answer_that_got_lost_is_cut_anew_when_the_request_comes_smaller():
    """Only the way back is narrow: east has answered already."""
    pair = Narrow(to_west=1300)
    pair.establish()
    assert len(pair.east.sas) == 2
    pair.go_on(seconds(30))
    assert pair.is_up
    sent = totals(pair.sent, EAST)
    assert sent == sorted(sent)
    assert len(set(sent)) == 2
    assert pair.east.seen(ResponseRepeated)


def test_later_messages_begin_with_the_size_that_worked_and_so_do_those_of_the_next_ike_sa():
    pfs = {"esp": ["aes256gcm16-modp8192"]}
    pair = Narrow(west=pfs, east=pfs, to_east=600, to_west=600)
    pair.establish()
    pair.go_on(seconds(40))
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    before = len(pair.sent)
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    sent = pair.sent[before:]
    assert len(sent) > 4, "CREATE_CHILD_SA with so long a KE payload, and DELETE, each with its answer"
    assert len({each.payload for each in sent}) == len(sent), "nothing had to be sent twice"
    assert max(len(each.payload) + AROUND for each in sent) <= 576


@pytest.mark.parametrize(
    "west", [{"fragmentation": Fragmentation.NO}, {"fragmentation": Fragmentation.ACCEPT}]
)
def test_who_wants_no_fragments_searches_for_nothing(west):
    pair = Narrow(west=west, to_east=1000)
    pair.establish()
    pair.go_on(seconds(200))
    assert not pair.west.endpoint.sas
    assert not pair.west.seen(IkeFragmentSizeLowered)
    assert len({each.payload for each in pair.sent if each.source == WEST}) == 2


def test_a_dead_peer_is_given_up_as_soon_as_ever_when_nothing_was_cut():
    pair = Pair()
    pair.establish()
    pair.side_of = lambda _: pair.west  # type: ignore[method-assign]
    pair.terminate()
    pair.wire.clear()
    pair.wait_until(pair.now + seconds(164))
    assert not pair.west.seen(PeerUnresponsive)
    pair.wait_until(pair.now + seconds(2))
    assert len(pair.west.seen(PeerUnresponsive)) == 1


# -- what routers say -----------------------------------------------------------------------------


def hint(pair: Pair, mtu: int) -> None:
    pair.perform(pair.west, pair.west.endpoint.path_hint(EAST, pair.now, mtu))


def test_a_router_that_tells_the_mtu_saves_the_time_of_searching():
    pair = Narrow(to_east=1000, to_west=1000)
    pair.establish()
    hint(pair, 1000)
    pair.settle()
    assert pair.is_up
    assert [event.size for event in pair.west.seen(IkeFragmentSizeLowered)] == [1000]
    assert pair.now == 0


@pytest.mark.parametrize("mtu", [1, 68, 575])
def test_a_lie_of_a_tiny_mtu_makes_fragments_no_smaller_than_576(mtu):
    pair = Narrow(to_east=400)
    pair.establish()
    for _ in range(20):
        hint(pair, mtu)
    assert [event.size for event in pair.west.seen(IkeFragmentSizeLowered)] == [576]
    assert len(totals(pair.sent, WEST)) == 2


def test_an_mtu_that_is_no_news_sends_nothing():
    pair = Narrow(to_east=400)
    pair.establish()
    before = len(pair.sent)
    hint(pair, 4000)
    hint(pair, 9000)
    assert len(pair.sent) == before
