"""MOBIKE where ways are dead, hints are false, NATs come and go, and peers lie (RFC 4555 3.7 to 3.12)."""

from dataclasses import replace
from itertools import combinations, product

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import ANYWHERE, Mobike
from ipsecsim.ike.events import Diagnosed, IkeMessageSent, LivenessChecked, NotifyReceived, PeerUnresponsive
from ipsecsim.ike.mobility_events import (
    AddressUpdateRefused,
    MobikeAgreed,
    NatMappingChanged,
    PathChanged,
    PathsTried,
    PeerAddressesLearned,
    RoutabilityChecked,
)
from ipsecsim.ike.v2.paths.mobility import MOST_WAYS
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, PayloadType
from tests.exchanges.test_mobike import UPDATE, said, together
from tests.support.misbehaving import a_peer_that, adds, ask, changes, omits
from tests.support.pair import EAST
from tests.support.roaming import CABLE, OTHER_EAST, RADIO, WIFI, Roamers

DPD = {"dpd_delay": 30 * SECOND}
PAIRS = [(own, peer) for own, peer in product((WIFI, RADIO), (EAST, OTHER_EAST))]
WITH_MOBIKE = {"west": {"mobike": Mobike()}, "east": {"mobike": Mobike()}}


def by_two_ways(**changes) -> Roamers:
    """Two addresses at each end."""
    west = {"addresses": [WIFI, RADIO], **DPD, **changes.pop("west", {})}
    return together(west=west, east={"addresses": [EAST, OTHER_EAST], **changes.pop("east", {})})


def kill(pair: Roamers, *ways: tuple[bytes, bytes]) -> None:
    """From now on nothing passes between these addresses."""
    for own, peer in ways:
        pair.dead |= {(own, peer), (peer, own)}


def go_on(pair: Roamers, seconds: int) -> None:
    """Time passes, and what is sent arrives."""
    for _ in range(seconds):
        pair.wait_until(pair.now + SECOND)
        pair.settle()


# -- other ways -----------------------------------------------------------------------------------


@pytest.mark.conf("MOB-12")
@pytest.mark.parametrize("dead", list(combinations(PAIRS, 3)), ids=str)
def test_the_outage_ends_when_any_pair_of_addresses_works(dead):
    (alive,) = set(PAIRS) - set(dead)
    pair = by_two_ways()
    kill(pair, *dead)
    go_on(pair, 60)
    assert pair.is_between(*alive)


@pytest.mark.conf("MOB-12")
def test_with_every_way_dead_it_is_given_up_in_the_end():
    pair = by_two_ways()
    kill(pair, *PAIRS)
    pair.wait_until(30 * SECOND + 166 * SECOND)
    assert not pair.west.endpoint.sas
    assert pair.west.seen(PeerUnresponsive)
    (known,) = pair.west.seen(Diagnosed)
    assert known.diagnosis is Diagnosis.MOBIKE_NO_PATH
    assert all(f"{unpack(own)} - {unpack(peer)}" in known.detail for own, peer in PAIRS)
    assert [event.pairs for event in pair.west.seen(PathsTried)] == [tuple(PAIRS[::2] + PAIRS[1::2])]


def test_as_long_as_the_present_way_answers_late_nothing_moves():
    pair = by_two_ways()
    kill(pair, *PAIRS)
    pair.wait_until(30 * SECOND + 12 * SECOND)
    assert pair.west.seen(PathsTried)
    pair.dead.clear()
    pair.wire = [each for each in pair.wire if (each.source, each.destination) == (WIFI, EAST)]
    pair.settle()
    assert pair.is_between(WIFI, EAST)
    assert not pair.west.seen(PathChanged)
    assert not said(pair.west, UPDATE)


def test_an_address_that_is_gone_is_left_at_once_for_the_first_way_that_answers():
    pair = by_two_ways()
    kill(pair, (RADIO, EAST))
    pair.move(pair.west, RADIO, CABLE)
    assert len(pair.wire) == 4
    pair.settle()
    assert pair.is_between(CABLE, EAST)


@pytest.mark.conf("MOB-12")
def test_one_request_goes_over_no_more_than_so_many_ways():
    many = [bytes([198, 51, 100, number]) for number in range(1, 30)]
    pair = by_two_ways()
    pair.move(pair.west, *many)
    assert len(pair.wire) == MOST_WAYS


@pytest.mark.conf("MOB-09")
def test_after_an_update_that_went_several_ways_there_is_another_one():
    """Which of them the follower saw first, nobody can say."""
    pair = by_two_ways()
    pair.move(pair.west, WIFI, RADIO, preferred=RADIO)
    kill(pair, (RADIO, EAST))
    go_on(pair, 20)
    updates = said(pair.west, UPDATE)
    assert len(updates) == 2
    assert "N(ADDITIONAL_IP4_ADDRESS)" in updates[-1]
    here, there = pair.ours.path, pair.theirs.path
    assert pair.is_between(here.local, here.remote)
    assert (here.local, here.remote) == (there.remote, there.local) != (RADIO, EAST)


@pytest.mark.conf("MOB-09")
def test_an_announcement_that_came_from_several_addresses_is_made_again():
    third = pack("192.0.2.4")
    pair = by_two_ways()
    pair.move(pair.east, OTHER_EAST, third)
    addresses = {OTHER_EAST, third, EAST, WIFI, RADIO}
    pair.side_of = lambda address: pair.west if address in (WIFI, RADIO) else pair.east
    assert {each.source for each in pair.wire} == {OTHER_EAST, third} <= addresses
    pair.settle()
    announcements = said(pair.east, "N(ADDITIONAL_IP4_ADDRESS)")
    assert len(announcements) == 2


def test_an_answer_from_where_nothing_was_sent_proves_no_way():
    pair = by_two_ways()
    kill(pair, *PAIRS)
    pair.wait_until(30 * SECOND + 12 * SECOND)
    pair.dead.clear()
    pair.wire = pair.wire[-1:]
    pair.on_the_way = lambda datagram: (
        replace(datagram, source=pack("203.0.113.66")) if datagram.destination in (WIFI, RADIO) else datagram
    )
    for _ in range(3):
        pair.settle()
        pair.wait_until(pair.now + SECOND)
    assert pair.ours.mobility.is_searching
    assert not pair.west.seen(PathChanged)
    pair.on_the_way = lambda datagram: datagram
    go_on(pair, 3)
    assert not pair.ours.mobility.is_searching


@pytest.mark.conf("MOB-04")
def test_a_storm_of_hints_leads_to_one_question_and_to_no_move():
    pair = by_two_ways()
    for _ in range(100):
        pair.perform(pair.west, pair.west.endpoint.path_hint(EAST, pair.now))
        pair.settle()
    assert len(said(pair.west)) == 1
    go_on(pair, 11)
    pair.perform(pair.west, pair.west.endpoint.path_hint(EAST, pair.now))
    pair.settle()
    assert len(said(pair.west)) == 2
    assert not pair.west.seen(PathChanged)
    assert not pair.west.seen(PathsTried)


@pytest.mark.conf("MOB-04")
def test_a_true_hint_finds_the_broken_way_sooner():
    pair = by_two_ways()
    kill(pair, (WIFI, EAST))
    pair.perform(pair.west, pair.west.endpoint.path_hint(EAST, pair.now))
    go_on(pair, 15)
    assert not pair.west.seen(LivenessChecked)
    assert not pair.is_between(WIFI, EAST)


# -- return routability ---------------------------------------------------------------------------


@pytest.mark.conf("MOB-07", "MOB-08")
def test_the_follower_moves_its_sas_only_after_the_cookie_came_back():
    pair = together()
    pair.move(pair.west, RADIO)
    pair.deliver()
    assert pair.theirs.path.remote == RADIO
    assert pair.tunnel(pair.east)["out"] == (EAST, WIFI)
    assert said(pair.east) == [("N(COOKIE2)",)]
    pair.settle()
    assert said(pair.west, is_response=True) == [("N(COOKIE2)",)]
    assert [event.is_good for event in pair.east.seen(RoutabilityChecked)] == [True]
    assert pair.tunnel(pair.east)["out"] == (EAST, RADIO)


@pytest.mark.conf("MOB-08")
def test_a_victim_whose_address_was_claimed_gets_the_checks_and_nothing_else():
    """CABLE never answers; whatever west says, east's packets do not go there."""
    pair = together()
    pair.on_the_way = lambda datagram: (
        replace(datagram, source=CABLE) if datagram.source == RADIO else datagram
    )
    pair.move(pair.west, RADIO)
    pair.deliver()
    pair.wait_until(400 * SECOND)
    to_victim = [each for each in pair.sent if each.destination == CABLE]
    assert 2 <= len(to_victim) <= 9
    assert not pair.east.endpoint.sas
    assert not any(sa.destination == CABLE for sa in pair.east.sas.values())


@pytest.mark.conf("MOB-08")
def test_policy_may_leave_the_check_out():
    pair = together(east={"mobike": Mobike(checks_routability=False)})
    pair.move(pair.west, RADIO)
    pair.deliver()
    assert pair.tunnel(pair.east)["out"] == (EAST, RADIO)
    pair.settle()
    assert not said(pair.east)


@pytest.mark.conf("MOB-08")
def test_a_new_address_of_the_peer_is_checked_before_the_sas_move_there():
    pair = together()
    pair.move(pair.east, OTHER_EAST)
    pair.deliver()
    assert pair.ours.path.remote == OTHER_EAST
    assert pair.tunnel(pair.west)["out"] == (WIFI, EAST)
    pair.settle()
    assert pair.is_between(WIFI, OTHER_EAST)


@pytest.mark.conf("MOB-07")
@pytest.mark.parametrize("habit", [changes(PayloadType.NOTIFY, data=bytes(16)), omits(PayloadType.NOTIFY)])
def test_a_cookie_that_comes_back_changed_ends_the_ike_sa(habit):
    pair = a_peer_that(habit, in_="INFORMATIONAL response", who="west", **WITH_MOBIKE)
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.addresses_changed([RADIO], pair.now))
    pair.settle()
    assert [event.is_good for event in pair.east.seen(RoutabilityChecked)] == [False]
    assert not pair.east.endpoint.sas
    assert not pair.east.sas


@pytest.mark.conf("MOB-07")
@pytest.mark.parametrize("length", [8, 16, 64])
def test_a_cookie_goes_back_as_it_came(length):
    pair = together()
    cookie = Notify(NotifyType.COOKIE2, bytes(range(length)))
    assert ask(pair, cookie) == [cookie]
    assert ask(pair, cookie, by="east") == [cookie]


# -- what notifies may hold -----------------------------------------------------------------------

LENGTHS = {
    NotifyType.ADDITIONAL_IP4_ADDRESS: {4},
    NotifyType.ADDITIONAL_IP6_ADDRESS: {16},
    NotifyType.COOKIE2: set(range(8, 65)),
    NotifyType.NO_NATS_ALLOWED: {12, 36},
}


@pytest.mark.conf("MOB-13")
@pytest.mark.parametrize("kind", LENGTHS, ids=lambda kind: kind.name)
def test_a_notify_of_a_wrong_length_is_answered_with_invalid_syntax(kind):
    for length in (*range(70), 200):
        pair = together()
        beside = [Notify(NotifyType.NO_ADDITIONAL_ADDRESSES)] if kind is NotifyType.NO_NATS_ALLOWED else []
        answer = ask(pair, Notify(kind, bytes([192] * length)), *beside)
        is_refused = [each.notify_type for each in answer] == [NotifyType.INVALID_SYNTAX]
        assert is_refused is (length not in LENGTHS[kind]), length
        assert bool(pair.east.endpoint.sas) is not is_refused


@pytest.mark.conf("MOB-13")
def test_beside_a_bad_notify_not_even_a_delete_is_done_by_halves():
    """The request is refused as a whole, which ends the IKE SA: its children go, and their SAs with them."""
    pair = together()
    goodbye = pair.west.endpoint.sas[0].children[0].goodbye
    assert ask(pair, goodbye, Notify(NotifyType.COOKIE2, bytes(7))) == [Notify(NotifyType.INVALID_SYNTAX)]
    assert not pair.east.endpoint.sas
    assert pair.east.sas == {}


def test_what_mobike_supported_holds_does_not_matter():
    kind = NotifyType.MOBIKE_SUPPORTED
    east, west = {"east": {"mobike": Mobike()}}, {"west": {"mobike": None}}
    pair = a_peer_that(adds(Notify(kind, b"later")), in_="IKE_AUTH request", **east, **west)
    pair.establish()
    assert pair.east.seen(MobikeAgreed)


@pytest.mark.conf("MOB-13")
@pytest.mark.parametrize("address", ["0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "ff02::1", "::"])
def test_addresses_of_no_single_machine_are_not_learned(address):
    packed = pack(address)
    kind = NotifyType.ADDITIONAL_IP4_ADDRESS if len(packed) == 4 else NotifyType.ADDITIONAL_IP6_ADDRESS
    pair = together()
    ask(pair, Notify(kind, packed))
    assert pair.theirs.mobility.peer_addresses == (WIFI,)


@pytest.mark.conf("MOB-13")
def test_a_peer_with_forty_addresses_is_not_listened_to_for_so_long():
    pair = together()
    flood = [
        Notify(NotifyType.ADDITIONAL_IP4_ADDRESS, bytes([10, 9, *number.to_bytes(2, "big")]))
        for number in range(40)
    ]
    ask(pair, *flood)
    assert len(pair.east.seen(PeerAddressesLearned)[-1].addresses) == 17


# -- NATs -----------------------------------------------------------------------------------------


def behind_nat(pair: Roamers, ports: dict[int, int]) -> None:
    """West is behind a NAT that changes its ports; the table may change later."""

    def nat(datagram):
        if datagram.destination == EAST:
            return replace(
                datagram, source=CABLE, source_port=ports.get(datagram.source_port, datagram.source_port)
            )
        if datagram.destination == CABLE:
            inside = {outside: port for port, outside in ports.items()}
            return replace(
                datagram, destination=WIFI, destination_port=inside.get(datagram.destination_port, 9)
            )
        return datagram

    pair.on_the_way = nat


def test_behind_a_nat_the_mapping_is_watched_and_a_new_one_is_followed():
    pair = Roamers(west=DPD, east={"peer_address": ANYWHERE})
    ports = {500: 30500, 4500: 34500}
    behind_nat(pair, ports)
    pair.establish()
    assert pair.ours.we_are_behind_nat
    go_on(pair, 65)
    updates = len(said(pair.west, UPDATE))
    go_on(pair, 65)
    assert len(said(pair.west, UPDATE)) == updates  # nothing has changed
    ports[4500] = 40001
    go_on(pair, 65)
    assert len(said(pair.west, UPDATE)) == updates + 1
    assert pair.west.seen(NatMappingChanged)
    assert pair.theirs.path.remote_port == 40001
    assert [sa.udp_ports for (way, _), sa in pair.east.sas.items() if way == "out"] == [(4500, 40001)]


def test_a_move_behind_a_nat_and_out_again_wraps_esp_in_udp_and_unwraps_it():
    pair = together()
    behind_nat(pair, {500: 30500, 4500: 34500})
    pair.move(pair.west, WIFI, RADIO, preferred=RADIO)
    pair.settle()
    assert {sa.udp_ports for sa in pair.west.sas.values()} == {(4500, 4500)}
    assert {sa.udp_ports for sa in pair.east.sas.values()} == {(4500, 34500), (34500, 4500)}
    pair.on_the_way = lambda datagram: datagram
    pair.move(pair.west, WIFI)
    pair.settle()
    assert {sa.udp_ports for sa in (*pair.west.sas.values(), *pair.east.sas.values())} == {None}


NO_NAT_T = {"west": {"nat_traversal": False}, "east": {"nat_traversal": False}}


@pytest.mark.conf("MOB-11")
def test_without_nat_traversal_every_message_that_changes_addresses_forbids_nats():
    pair = together(**NO_NAT_T)
    (auth,) = [e for e in pair.west.seen(IkeMessageSent) if e.exchange == "IKE_AUTH"]
    assert "N(NO_NATS_ALLOWED)" in auth.payloads
    pair.move(pair.west, RADIO)
    pair.settle()
    pair.move(pair.east, EAST, OTHER_EAST)
    pair.settle()
    assert said(pair.west, UPDATE) == [(UPDATE, "N(NO_NATS_ALLOWED)", "N(COOKIE2)")]
    assert said(pair.east)[-1] == ("N(ADDITIONAL_IP4_ADDRESS)", "N(NO_NATS_ALLOWED)", "N(COOKIE2)")
    assert pair.is_between(RADIO, EAST)


@pytest.mark.conf("MOB-11")
def test_a_nat_that_slipped_in_is_refused_and_the_update_tried_again_several_times():
    pair = together(**NO_NAT_T)
    pair.on_the_way = lambda datagram: (
        replace(datagram, source=CABLE)
        if datagram.source == RADIO
        else replace(datagram, destination=RADIO)
        if datagram.destination == CABLE
        else datagram
    )
    pair.move(pair.west, RADIO)
    pair.settle()
    assert len(said(pair.west, UPDATE)) == 6
    assert {answer[0] for answer in said(pair.east, is_response=True)} == {"N(UNEXPECTED_NAT_DETECTED)"}
    assert pair.tunnel(pair.east)["out"] == (EAST, WIFI)
    assert pair.west.seen(AddressUpdateRefused)
    assert {each.destination for each in pair.sent if each.source == EAST} == {WIFI, CABLE}


@pytest.mark.conf("MOB-11")
def test_a_nat_in_front_of_the_first_message_of_ike_auth_ends_it():
    pair = Roamers(**NO_NAT_T)
    pair.initiate()
    pair.deliver()
    pair.deliver()
    pair.on_the_way = lambda datagram: replace(datagram, source_port=30500)
    pair.settle()
    assert pair.east.drops == [DropReason.UNEXPECTED_NAT]
    assert [event.notify for event in pair.west.seen(NotifyReceived)] == ["UNEXPECTED_NAT_DETECTED"]
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas
