"""Addresses that change while the SAs live (RFC 4555 3.2 to 3.6)."""

import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import Mobike
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent, MessageRetransmitted
from ipsecsim.ike.mobility_events import (
    AddressLost,
    AddressUpdateRefused,
    MobikeAgreed,
    PathChanged,
    PeerAddressesLearned,
    RoutabilityChecked,
)
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from tests.support.misbehaving import ask
from tests.support.pair import EAST, Pair
from tests.support.roaming import CABLE, OTHER_EAST, RADIO, WIFI, Roamers

UPDATE = "N(UPDATE_SA_ADDRESSES)"
NOT_OURS = Prefix.parse("192.0.2.0/24")


def said(side, part: str = "", *, is_response: bool = False, kind=IkeMessageSent) -> list[tuple[str, ...]]:
    """The payloads of the INFORMATIONAL messages of a side that hold this one."""
    return [
        event.payloads
        for event in side.seen(kind)
        if event.exchange == "INFORMATIONAL" and event.is_response is is_response
        if not part or part in event.payloads
    ]


def together(**changes) -> Roamers:
    """Two sides with a tunnel; what they said until now does not count."""
    pair = Roamers(**changes)
    pair.establish()
    assert pair.is_between(WIFI, EAST)
    return pair


# -- IKE_AUTH -------------------------------------------------------------------------------------


@pytest.mark.conf("MOB-01")
@pytest.mark.parametrize("without", ["west", "east"])
def test_with_one_side_only_nobody_sends_updates(without):
    pair = Roamers(**{without: {"mobike": None}})
    pair.establish()
    assert not pair.west.seen(MobikeAgreed)
    assert not pair.east.seen(MobikeAgreed)
    pair.move(pair.east, EAST, OTHER_EAST)
    pair.move(pair.west, WIFI, RADIO)
    assert not pair.wire
    pair.move(pair.west, RADIO)
    assert not pair.wire
    assert not pair.west.endpoint.sas


@pytest.mark.conf("MOB-01")
def test_both_say_so_in_the_messages_with_the_sa_payload_and_it_is_empty():
    pair = together()
    for side in (pair.west, pair.east):
        (auth,) = [event for event in side.seen(IkeMessageSent) if event.exchange == "IKE_AUTH"]
        assert "N(MOBIKE_SUPPORTED)" in auth.payloads
    assert [event.we_decide for event in pair.west.seen(MobikeAgreed)] == [True]
    assert [event.we_decide for event in pair.east.seen(MobikeAgreed)] == [False]


@pytest.mark.conf("MOB-02")
def test_without_any_nat_they_move_to_port_4500():
    pair = together()
    assert [(each.source_port, each.destination_port) for each in pair.sent] == [
        (500, 500),
        (500, 500),
        (4500, 4500),
        (4500, 4500),
    ]
    assert all(sa.udp_ports is None for sa in pair.west.sas.values())


@pytest.mark.conf("MOB-02")
@pytest.mark.parametrize("without", ["west", "east"])
def test_they_stay_on_port_500_where_one_side_does_not_look_for_nats(without):
    pair = Roamers(**{without: {"nat_traversal": False}})
    pair.establish()
    assert {(each.source_port, each.destination_port) for each in pair.sent} == {(500, 500)}
    assert pair.is_between(WIFI, EAST)


def test_each_side_tells_its_further_addresses():
    pair = together(west={"addresses": [RADIO, WIFI, CABLE]}, east={"addresses": [EAST, OTHER_EAST]})
    assert [event.addresses for event in pair.east.seen(PeerAddressesLearned)] == [(WIFI, RADIO, CABLE)]
    assert [event.addresses for event in pair.west.seen(PeerAddressesLearned)] == [(EAST, OTHER_EAST)]


# -- a move ---------------------------------------------------------------------------------------


@pytest.mark.conf("MOB-03", "MOB-14")
def test_the_same_sas_go_on_from_a_new_address():
    pair = together()
    before = set(pair.west.sas), set(pair.east.sas), pair.ours.spi_i
    pair.move(pair.west, RADIO)
    pair.settle()
    assert pair.is_between(RADIO, EAST)
    assert (set(pair.west.sas), set(pair.east.sas), pair.ours.spi_i) == before
    assert [event.after for event in pair.east.seen(PathChanged)] == [(EAST, RADIO)]
    assert {each.exchange for each in pair.west.seen(IkeMessageSent)[2:]} == {"INFORMATIONAL"}


@pytest.mark.conf("MOB-03")
def test_the_update_comes_from_the_new_address_with_nat_detection_and_a_cookie():
    pair = together()
    pair.move(pair.west, RADIO)
    (request,) = pair.wire
    assert (request.source, request.destination) == (RADIO, EAST)
    assert said(pair.west) == [
        (UPDATE, "N(NAT_DETECTION_SOURCE_IP)", "N(NAT_DETECTION_DESTINATION_IP)", "N(COOKIE2)")
    ]
    assert pair.tunnel(pair.west)["out"] == (RADIO, EAST)  # the peer's address is the known one


@pytest.mark.conf("MOB-03")
def test_the_follower_tells_of_another_address_and_moves_nothing():
    pair = together()
    pair.move(pair.east, EAST, OTHER_EAST)
    assert said(pair.east) == [("N(ADDITIONAL_IP4_ADDRESS)", "N(COOKIE2)")]
    pair.settle()
    assert pair.is_between(WIFI, EAST)
    assert pair.west.seen(PeerAddressesLearned)[-1].addresses == (EAST, OTHER_EAST)
    pair.move(pair.east, EAST)
    assert said(pair.east)[-1] == ("N(NO_ADDITIONAL_ADDRESSES)", "N(COOKIE2)")
    pair.settle()
    assert pair.west.seen(PeerAddressesLearned)[-1].addresses == (EAST,)


@pytest.mark.conf("MOB-03")
def test_a_follower_that_lost_its_address_says_so_from_another_and_the_other_side_moves():
    pair = together(east={"addresses": [EAST, OTHER_EAST]})
    pair.move(pair.east, OTHER_EAST)
    assert {(each.source, each.destination) for each in pair.wire} == {(OTHER_EAST, WIFI)}
    assert pair.tunnel(pair.east)["out"] == (OTHER_EAST, WIFI)  # the one exception at the end of 3.5
    pair.settle()
    assert pair.is_between(WIFI, OTHER_EAST)
    assert said(pair.west, UPDATE)


def test_a_follower_may_say_so_to_an_address_that_the_other_side_told_it_of():
    """The only use of that list (RFC 4555 3.6)."""
    pair = together(west={"addresses": [WIFI, RADIO]}, east={"addresses": [EAST, OTHER_EAST]})
    pair.dead |= {(OTHER_EAST, WIFI), (WIFI, OTHER_EAST)}
    pair.move(pair.east, OTHER_EAST)
    pair.settle()
    pair.wait_until(pair.now + 20 * SECOND)
    pair.settle()
    assert pair.is_between(RADIO, OTHER_EAST)


@pytest.mark.conf("MOB-03", "MOB-10")
def test_the_one_who_follows_does_not_decide():
    pair = together()
    pair.west.events.clear()
    assert ask(pair, Notify(NotifyType.UPDATE_SA_ADDRESSES), by="east") == []
    assert not pair.west.seen(PathChanged)


def test_a_preferred_address_is_used_although_the_old_one_still_works():
    pair = together(west={"addresses": [WIFI, RADIO]})
    pair.move(pair.west, WIFI, RADIO, preferred=RADIO)
    pair.settle()
    assert pair.is_between(RADIO, EAST)


def test_with_no_address_at_all_everything_waits_for_one():
    pair = together()
    pair.move(pair.west)
    assert pair.west.seen(AddressLost)
    assert not pair.wire
    pair.wait_until(30 * SECOND)
    assert not pair.wire
    pair.move(pair.west, RADIO)
    pair.settle()
    assert pair.is_between(RADIO, EAST)


def test_an_address_that_comes_back_is_told_too():
    """Meanwhile the other side may have lost its patience, and a NAT its mapping."""
    pair = together()
    pair.move(pair.west)
    pair.move(pair.west, WIFI)
    assert {(each.source, each.destination) for each in pair.wire} == {(WIFI, EAST)}
    pair.settle()
    assert pair.is_between(WIFI, EAST)


# -- more than one move ---------------------------------------------------------------------------


@pytest.mark.conf("MOB-05")
def test_of_three_moves_in_one_round_trip_the_last_one_wins():
    pair = together()
    pair.move(pair.west, RADIO)
    first = list(pair.wire)
    pair.move(pair.west, CABLE)
    pair.move(pair.west, RADIO)
    pair.move(pair.west, CABLE)
    assert [each.payload for each in pair.wire] == [first[0].payload] * 4  # window 1: the same request
    pair.settle()
    assert pair.is_between(CABLE, EAST)
    assert len(said(pair.west, UPDATE)) == 2


@pytest.mark.conf("MOB-05")
def test_an_answer_to_an_older_update_decides_nothing():
    pair = together()
    pair.move(pair.west, RADIO)
    pair.deliver()  # east has the first request, and its answer is on the way
    answer = pair.wire.pop(0)
    check = pair.wire.pop(0)
    pair.move(pair.west, CABLE)
    pair.wire.clear()
    pair.side_of(RADIO).endpoint.addresses = (RADIO, CABLE)
    pair.inject(answer)
    assert pair.tunnel(pair.west)["out"] == (CABLE, EAST)
    assert len(said(pair.west, UPDATE)) == 2  # only now the window allows the second
    pair.inject(check)
    pair.settle()
    assert pair.is_between(CABLE, EAST)


@pytest.mark.conf("MOB-05", "MOB-08")
def test_there_and_back_needs_no_check():
    pair = together()
    pair.move(pair.west, RADIO)
    pair.move(pair.west, WIFI)
    pair.settle()
    assert pair.is_between(WIFI, EAST)
    assert not pair.east.seen(RoutabilityChecked)


@pytest.mark.conf("MOB-16")
def test_an_open_request_is_sent_again_unchanged_from_the_new_address():
    pair = together()
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    (request,) = pair.wire
    pair.wire.clear()
    pair.move(pair.west, RADIO)
    (again,) = pair.wire
    assert again.payload == request.payload
    assert (again.source, request.source) == (RADIO, WIFI)
    assert not said(pair.west, UPDATE)  # the window is 1
    pair.deliver()
    pair.deliver()
    assert len(said(pair.west, UPDATE)) == 1
    pair.settle()
    assert set(pair.tunnel(pair.west).values()) == {(RADIO, EAST), (EAST, RADIO)}
    assert set(pair.tunnel(pair.east).values()) == {(RADIO, EAST), (EAST, RADIO)}


@pytest.mark.conf("MOB-14")
@pytest.mark.parametrize("who", ["west", "east"])
def test_whoever_replaces_the_ike_sa_the_heir_can_move(who):
    pair = together()
    side = getattr(pair, who)
    pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    pair.wait_until(pair.now + SECOND)
    pair.move(pair.west, RADIO)
    pair.settle()
    assert pair.is_between(RADIO, EAST)
    pair.move(pair.east, EAST, OTHER_EAST)
    assert said(pair.east)[-1] == ("N(ADDITIONAL_IP4_ADDRESS)", "N(COOKIE2)")


@pytest.mark.conf("MOB-14")
@pytest.mark.parametrize("delivered", range(4))
def test_a_move_that_crosses_the_end_of_the_ike_sa_reaches_the_heir(delivered):
    """East replaces the IKE SA while west moves; however far the replacement has come."""
    pair = together()
    pair.perform(pair.east, pair.east.endpoint.rekey_ike("net", pair.now))
    for _ in range(delivered):
        if pair.wire:
            pair.deliver()
    pair.move(pair.west, WIFI, RADIO, preferred=RADIO)
    pair.settle()
    for _ in range(20):
        pair.wait_until(pair.now + SECOND)
        pair.settle()
    (ours,), (theirs,) = pair.west.endpoint.sas, pair.east.endpoint.sas
    assert (ours.state, theirs.state) == (State.ESTABLISHED, State.ESTABLISHED)
    assert pair.is_between(RADIO, EAST)


# -- what the follower may refuse -----------------------------------------------------------------


@pytest.mark.conf("MOB-06")
def test_what_counts_are_the_addresses_in_the_outer_header():
    pair = together()
    pair.on_the_way = lambda datagram: (
        type(datagram)(CABLE, datagram.source_port, *_rest(datagram))
        if datagram.source == RADIO
        else datagram
    )
    pair.move(pair.west, RADIO)
    pair.deliver()
    assert (pair.theirs.path.local, pair.theirs.path.remote) == (EAST, CABLE)


@pytest.mark.conf("MOB-06")
def test_addresses_that_policy_does_not_allow_are_refused_and_the_old_ones_stay():
    pair = together(west={"addresses": [WIFI, RADIO]}, east={"mobike": Mobike(peer_within=(NOT_OURS,))})
    pair.move(pair.west, WIFI, RADIO, preferred=RADIO)
    pair.settle()
    assert said(pair.east, is_response=True)[0] == ("N(UNACCEPTABLE_ADDRESSES)", "N(COOKIE2)")
    assert [event.by_peer for event in pair.west.seen(AddressUpdateRefused)] == [True]
    assert [event.by_peer for event in pair.east.seen(AddressUpdateRefused)] == [False]
    assert pair.is_between(WIFI, EAST)


@pytest.mark.conf("MOB-06")
def test_where_nothing_else_is_left_a_refusal_moves_nothing_at_the_peer():
    pair = together(east={"mobike": Mobike(peer_within=(NOT_OURS,))})
    pair.move(pair.west, RADIO)
    pair.settle()
    assert pair.tunnel(pair.east)["out"] == (EAST, WIFI)
    assert not pair.wire


# -- what may not move anything -------------------------------------------------------------------


@pytest.mark.conf("MOB-10")
def test_a_request_from_elsewhere_is_answered_there_and_moves_nothing():
    """A NAT has lost its mapping: with MOBIKE only UPDATE_SA_ADDRESSES changes addresses."""
    pair = together(west={"dpd_delay": 30 * SECOND})
    pair.wait_until(30 * SECOND)
    (question,) = pair.wire
    pair.wire.clear()
    question.source_port = 31000
    pair.inject(question)
    (answer,) = pair.wire
    assert (answer.destination, answer.destination_port) == (WIFI, 31000)
    assert pair.theirs.path.remote_port == 4500


@pytest.mark.conf("MOB-15")
def test_nat_detection_in_a_question_is_answered_and_moves_nothing():
    pair = together()
    hashes = [
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, bytes(20)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, bytes(20)),
    ]
    answer = ask(pair, *hashes)
    assert [each.notify_type for each in answer] == [each.notify_type for each in hashes]
    assert not pair.theirs.is_nat_between
    assert pair.is_between(WIFI, EAST)


@pytest.mark.conf("MOB-15")
def test_without_mobike_nobody_answers_nat_detection_afterwards():
    pair = Pair()
    pair.establish()
    assert ask(pair, Notify(NotifyType.NAT_DETECTION_SOURCE_IP, bytes(20))) == []


@pytest.mark.conf("MOB-17")
def test_who_follows_asks_for_five_minutes_before_it_gives_up():
    pair = together(east={"dpd_delay": SECOND})
    pair.move(pair.west)
    pair.wait_until(180 * SECOND)
    assert pair.east.endpoint.sas
    pair.wait_until(300 * SECOND)
    assert pair.east.endpoint.sas
    assert pair.east.seen(MessageRetransmitted)
    pair.wire.clear()
    pair.move(pair.west, RADIO)
    pair.settle()
    pair.wait_until(pair.now + 2 * SECOND)
    pair.settle()
    assert pair.east.seen(IkeMessageReceived)
    assert pair.is_between(RADIO, EAST)


def _rest(datagram) -> tuple[bytes, int, bytes]:
    return datagram.destination, datagram.destination_port, datagram.payload
