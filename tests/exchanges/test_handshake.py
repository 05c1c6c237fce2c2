"""The four messages, and what both sides hold afterwards (RFC 7296 1.2)."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.crypto.catalogue import GROUPS, PRF
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import Fragmentation
from ipsecsim.ike.events import (
    ChildSaFailed,
    CookieReturned,
    GroupChanged,
    IkeKeysDerived,
    IkeMessageReceived,
    IkeMessageSent,
    NatDetected,
    NotifyReceived,
    PeerAuthenticated,
    PeerRefused,
    SelectorsNarrowed,
)
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.header import RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from tests.support.misbehaving import a_peer_that, adds
from tests.support.pair import EAST, WEST, Pair


def test_four_messages_give_both_sides_the_same_keys_and_mirrored_sas():
    pair = Pair()
    pair.establish()
    assert len(pair.sent) == 4
    ours, theirs = pair.west.seen(IkeKeysDerived)[0], pair.east.seen(IkeKeysDerived)[0]
    assert ours == theirs
    assert {(d, spi) for d, spi in pair.west.sas} == {
        ({"in": "out", "out": "in"}[d], spi) for d, spi in pair.east.sas
    }
    for (direction, spi), sa in pair.west.sas.items():
        other = pair.east.sas[({"in": "out", "out": "in"}[direction], spi)]
        assert sa.encryption_key == other.encryption_key
        assert (sa.source, sa.destination) == (other.source, other.destination)


def test_the_responder_can_receive_before_it_answers_and_sends_only_afterwards():
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.deliver()
    path_actions = []
    original = pair.perform
    pair.perform = lambda side, actions: (path_actions.extend(actions), original(side, actions))
    pair.deliver()
    kinds = [type(action).__name__ for action in path_actions]
    assert kinds == ["InstallChildSa", "SendDatagram", "InstallChildSa"]
    assert [path_actions[at].parameters.direction.value for at in (0, 2)] == ["in", "out"]


def test_message_sizes_are_those_of_the_model_lesson():
    """200, 200 and 189 + the length of the name: computed outside this program for exactly this suite."""
    pair = Pair(
        west={"id": "moon.example", "peer_id": "sun.example", "fragmentation": Fragmentation.NO},
        east={"id": "sun.example", "peer_id": "moon.example", "fragmentation": Fragmentation.NO},
    )
    pair.establish()
    sizes = [len(datagram.payload) for datagram in pair.sent]
    # message 2 announces childless IKE SAs, in 8 bytes;
    # message 3 carries INITIAL_CONTACT and IDr here, which the lesson's does not: 8, and 4 + 4 + 11 bytes more
    assert sizes == [200, 200 + 8, 201 + 8 + 19, 200]


@pytest.mark.parametrize(
    "ike",
    [
        "aes128gcm16-prfsha256-ecp256",
        "aes256gcm16-prfsha384-ecp384",
        "aes192gcm16-prfsha512-ecp521",
        "chacha20poly1305-prfsha256-x25519",
        "aes256-sha256-modp2048",
        "aes128-sha384-modp3072",
        "aes192-sha512-modp4096",
    ],
)
def test_every_family_of_suites_comes_up(ike):
    pair = Pair(west={"ike": [ike]}, east={"ike": [ike]})
    pair.establish()
    assert [sa.suite.words for sa in pair.west.endpoint.sas] == [ike]
    assert len(pair.east.sas) == 2


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda row: row.name)
def test_every_group_makes_a_secret(group):
    words = [f"aes256gcm16-prfsha256-{group.word}"]
    pair = Pair(west={"ike": words}, east={"ike": words})
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.parametrize("prf", PRF.values(), ids=lambda row: row.name)
def test_every_prf_makes_keys(prf):
    words = [f"aes256gcm16-{prf.word}-x25519"]
    pair = Pair(west={"ike": words}, east={"ike": words})
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.parametrize(
    "esp", ["aes128gcm16", "aes256-sha256", "aes128-sha512", "chacha20poly1305", "aes192-sha384"]
)
def test_every_esp_suite_is_agreed_on(esp):
    pair = Pair(west={"esp": ["aes192gcm16", esp]}, east={"esp": [esp]})
    pair.establish()
    assert {sa.suite.words for sa in pair.east.sas.values()} == {esp}


def test_a_wrong_secret_fails_on_both_sides_and_only_the_responder_knows_why():
    pair = Pair(secrets=("secret", "tpyo"))
    pair.establish()
    assert pair.east.drops == [DropReason.AUTH_FAILED]
    assert (
        pair.east.seen(PeerRefused)[0].why
        == "its AUTH value does not fit our shared secret (AUTH_PSK_MISMATCH)"
    )
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]
    assert not pair.west.seen(PeerRefused)
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas
    assert [a.policy for a in pair.west.actions if isinstance(a, ChildGivenUp)] == ["net"]


@pytest.mark.conf("IK2-52")
def test_an_unknown_identity_looks_the_same_on_the_wire_as_a_wrong_secret():
    wrong_id = Pair(west={"id": "stranger.example"})
    wrong_id.establish()
    wrong_secret = Pair(secrets=("secret", "tpyo"))
    wrong_secret.establish()
    assert wrong_id.east.seen(PeerRefused)[0].why == "no connection has this identity (AUTH_ID_UNKNOWN)"
    assert wrong_id.west.seen(NotifyReceived) == wrong_secret.west.seen(NotifyReceived)
    assert len(wrong_id.sent[3].payload) == len(wrong_secret.sent[3].payload)


@pytest.mark.parametrize("side", ["west", "east"])
def test_a_connection_for_anybody_takes_whoever_knows_the_secret(side):
    pair = Pair(**{side: {"peer_id": "%any"}})
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    stranger = Pair(**{side: {"peer_id": "%any"}}, secrets=("secret", "tpyo"))
    stranger.establish()
    assert not stranger.west.sas
    assert not stranger.east.sas


def test_an_initiator_that_meets_the_wrong_responder_tells_it_and_forgets():
    pair = Pair(west={"peer_id": "north.example"}, east={"id": "east.example"})
    # the responder would refuse an IDr that is not its own; let it believe it is asked for itself
    pair.initiate()
    pair.settle()
    assert pair.east.seen(PeerRefused)
    assert not pair.west.endpoint.sas


def test_no_common_ike_proposal_is_answered_in_clear():
    pair = Pair(west={"ike": ["aes128gcm16-prfsha256-x25519"]})
    pair.establish()
    assert pair.east.drops == [DropReason.NO_PROPOSAL]
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("NO_PROPOSAL_CHOSEN", "IKE_SA_INIT")]
    pair.wait_until(6 * SECOND)
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas


def test_no_common_esp_proposal_leaves_the_ike_sa_without_a_child():
    pair = Pair(west={"esp": ["aes128gcm16"]})
    pair.establish()
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "NO_PROPOSAL_CHOSEN")]
    assert not pair.west.sas
    assert not pair.east.sas
    assert [sa.state for sa in (*pair.west.endpoint.sas, *pair.east.endpoint.sas)] == [State.ESTABLISHED] * 2


def test_an_ike_sa_whose_child_failed_can_be_taken_down():
    pair = Pair(west={"esp": ["aes128gcm16"]})
    pair.establish()
    pair.terminate()
    pair.settle()
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas


@pytest.mark.hos("HOS-79")
@pytest.mark.parametrize("message", ["IKE_SA_INIT request", "IKE_AUTH request", "IKE_AUTH response"])
def test_a_status_notify_that_nobody_knows_is_passed_over_whatever_its_size(message):
    pair = a_peer_that(adds(Notify(50_000, bytes(60_000)), at=0), in_=message)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


def test_selectors_that_do_not_meet_leave_the_ike_sa_without_a_child():
    pair = Pair(east={"local_ts": ["10.9.0.0/24"]})
    pair.establish()
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "TS_UNACCEPTABLE")]
    assert not pair.east.sas


def test_the_responder_narrows_to_what_both_sides_allow():
    pair = Pair(west={"remote_ts": ["10.2.0.0/16"]}, east={"local_ts": ["10.2.0.0/24", "10.2.8.0/24"]})
    pair.establish()
    event = pair.west.seen(SelectorsNarrowed)[0]
    assert (event.local, event.remote, event.is_less_than_offered) == (
        "10.1.0.0/24",
        "10.2.0.0/24, 10.2.8.0/24",
        True,
    )
    assert {str(s) for sa in pair.west.sas.values() for s in sa.selectors} == {
        "10.1.0.0/24 === 10.2.0.0/24",
        "10.1.0.0/24 === 10.2.8.0/24",
    }


@pytest.mark.conf("IK2-45")
def test_a_wrong_group_guess_costs_one_round_trip():
    pair = Pair(
        west={"ike": ["aes256gcm16-prfsha256-x25519-ecp256"]},
        east={"ike": ["aes256gcm16-prfsha256-ecp256"]},
    )
    pair.establish()
    assert pair.west.seen(GroupChanged)[0].wanted == "ecp-256"
    assert pair.east.drops == [DropReason.INVALID_KE]
    assert len(pair.sent) == 6
    spis = {bytes(datagram.payload[:8]) for datagram in pair.sent}
    assert len(spis) == 1  # the same conversation goes on
    assert len(pair.west.sas) == 2


@pytest.mark.conf("IK2-45")
def test_a_group_that_was_not_offered_is_not_taken():
    pair = Pair()
    pair.initiate()
    request = pair.wire.pop()
    refusal = IkeHeader(request.payload[:8], bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    raw = emit_message(refusal, [Notify(NotifyType.INVALID_KE_PAYLOAD, (14).to_bytes(2, "big"))])
    pair.inject(SendDatagram(EAST, 500, WEST, 500, raw))
    assert pair.west.drops == [DropReason.NO_PROPOSAL]
    assert not pair.wire


@pytest.mark.conf("IK2-31")
def test_a_cookie_comes_back_as_the_first_payload_and_nothing_else_changes():
    pair = Pair(west={"fragmentation": Fragmentation.NO})
    pair.initiate()
    request = pair.wire.pop()
    header = IkeHeader(request.payload[:8], bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
    cookie = bytes(range(33))
    pair.inject(SendDatagram(EAST, 500, WEST, 500, emit_message(header, [Notify(NotifyType.COOKIE, cookie)])))
    again = pair.wire[0]
    assert pair.west.seen(CookieReturned)[0].cookie == cookie
    _, before = parse_message(request.payload)
    _, after = parse_message(again.payload)
    assert after[0] == Notify(NotifyType.COOKIE, cookie)
    assert after[1:] == before
    assert len(again.payload) == 241  # 200 + 8 + 33, as the model lesson says
    pair.settle()
    assert len(pair.west.sas) == 2  # AUTH covers the request with the cookie


@pytest.mark.conf("IK2-34")
def test_a_responder_that_never_stops_asking_for_cookies_is_left():
    pair = Pair()
    pair.initiate()
    for number in range(10):
        if not pair.wire:
            break
        request = pair.wire.pop()
        header = IkeHeader(request.payload[:8], bytes(8), 0, ExchangeType.IKE_SA_INIT, RESPONSE, 0)
        raw = emit_message(header, [Notify(NotifyType.COOKIE, bytes([number]))])
        pair.inject(SendDatagram(EAST, 500, WEST, 500, raw))
    assert number < 9
    pair.wait_until(6 * SECOND)
    assert not pair.west.endpoint.sas


def test_without_a_nat_everything_stays_on_port_500():
    pair = Pair()
    pair.establish()
    assert {d.destination_port for d in pair.sent} == {500}
    assert {sa.udp_ports for sa in pair.west.sas.values()} == {None}
    assert pair.west.seen(NatDetected) == [NatDetected(False, False)]


def test_forced_encapsulation_moves_ike_to_4500_and_esp_into_udp():
    pair = Pair(west={"encap": True})
    pair.establish()
    assert [d.destination_port for d in pair.sent] == [500, 500, 4500, 4500]
    assert pair.sent[2].payload[:4] == bytes(4)
    assert pair.east.seen(NatDetected) == [NatDetected(False, True)]
    assert {sa.udp_ports for sa in (*pair.west.sas.values(), *pair.east.sas.values())} == {(4500, 4500)}


def test_delete_takes_everything_down_on_both_sides():
    pair = Pair()
    pair.establish()
    pair.terminate()
    pair.settle()
    assert not pair.west.sas
    assert not pair.east.sas
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas
    assert [event.payloads for event in pair.west.seen(IkeMessageSent)][-1] == ("D",)
    assert [event.payloads for event in pair.west.seen(IkeMessageReceived)][-1] == ()


def test_the_responder_may_say_goodbye_too():
    pair = Pair()
    pair.establish()
    pair.terminate(pair.east)
    pair.settle()
    assert not pair.west.sas
    assert not pair.west.endpoint.sas
    assert not pair.east.endpoint.sas


def test_the_peers_identity_is_proved_before_anything_is_installed():
    pair = Pair()
    pair.establish()
    kinds = [type(event).__name__ for event in pair.east.events]
    assert kinds.index("PeerAuthenticated") < kinds.index("ChildSaCreated")
    assert pair.east.seen(PeerAuthenticated)[0].identity == "west.example"


def test_two_seeds_share_no_bytes_that_chance_decides():
    one, other = Pair(seed="1"), Pair(seed="2")
    for pair in (one, other):
        pair.establish()
    assert one.sent[0].payload[:8] != other.sent[0].payload[:8]
    assert Pair(seed="1").west.endpoint is not one.west.endpoint
    again = Pair(seed="1")
    again.establish()
    assert [d.payload for d in again.sent] == [d.payload for d in one.sent]


@pytest.mark.conf("IK2-104")
def test_a_half_open_sa_is_forgotten_in_time():
    pair = Pair(east={"half_open_timeout": 30 * SECOND})
    pair.initiate()
    pair.deliver()
    pair.wire.clear()
    assert pair.east.endpoint.sas
    pair.wait_until(31 * SECOND)
    assert not pair.east.endpoint.sas


def test_an_answer_to_port_4500_bears_the_marker_whatever_port_it_leaves_by():
    """Found by hostile bytes: a request from 4500 to 500 was answered as if nobody took it for ESP there."""
    pair = Pair()
    pair.initiate()
    request = pair.wire.pop()
    pair.inject(replace(request, source_port=4500))
    (answer,) = pair.wire
    assert (answer.source_port, answer.destination_port) == (500, 4500)
    assert answer.payload.startswith(bytes(4) + request.payload[:8])
