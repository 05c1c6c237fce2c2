"""What holds while SAs are replaced and deleted, message by message (RFC 7296 1.3.2, 1.3.3, 1.4.1, 2.8, 2.25)."""

from dataclasses import replace

import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import SECOND
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.ike.actions import InstallChildSa
from ipsecsim.ike.events import ChildSaFailed, Diagnosed, IkeMessageSent, PeerStayedBusy, StateChanged
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.message import Path, the
from ipsecsim.ike.v2.states import Step
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import UnknownPayload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType, ProtocolId
from tests.exchanges.collision_rows import ROWS
from tests.exchanges.test_create_child_sa import REKEY
from tests.support.crossing import Crossing, assert_at_rest
from tests.support.misbehaving import a_peer_that, changes
from tests.support.sealed import sealed_by_west


def opened(crossing, name):
    """The payloads of a message on its way, as its receiver will see them."""
    datagram = crossing.flight[name].datagram
    receiver = crossing.side_of(datagram.destination).endpoint.sas[0]
    _, (sealed,) = parse_message(datagram.payload)
    return envelope.open(datagram.payload, sealed, receiver.inbound)


def ask_east(crossing, *payloads, exchange=ExchangeType.INFORMATIONAL):
    """West says something out of the blue; the payloads of the answer."""
    message_id = crossing.east.endpoint.sas[0].window.expected_request
    keys = crossing.west.endpoint.sas[0].inbound
    crossing.inject(sealed_by_west(crossing, list(payloads), message_id=message_id, exchange=exchange))
    raw = crossing.flight.popitem()[1].datagram.payload
    return envelope.open(raw, parse_message(raw)[1][0], keys)


def say(crossing, words):
    """Words, and nothing after them."""
    for word in words.split():
        crossing.say(word)


@pytest.mark.conf("IK2-60")
@pytest.mark.parametrize("operation", ["rekey", "create"])
def test_the_responder_can_receive_before_it_answers(operation):
    crossing = Crossing()
    crossing.say(f"west.{operation}")
    path = Path(crossing.east.address, 500, crossing.west.address, 500)
    raw = crossing.flight["w1"].datagram.payload
    install, answer, *_ = crossing.east.endpoint.datagram(path, raw, crossing.now)
    assert (type(install), type(answer)) == (InstallChildSa, SendDatagram)
    assert install.parameters.direction.value == "in"


@pytest.mark.conf("IK2-60")
def test_the_responder_goes_on_sending_on_the_old_pair_until_it_is_deleted():
    crossing = Crossing()
    crossing.say("west.rekey")
    before = crossing.current(crossing.east)
    crossing.say("w1")
    assert crossing.current(crossing.east) == before
    crossing.say("e1")  # west uses the new pair at once, and deletes the old one
    assert ("in", crossing.current(crossing.west)[0]) in crossing.east.sas
    assert crossing.current(crossing.east) == before
    crossing.say("w2")
    assert crossing.current(crossing.east) != before
    assert crossing.losses == []


@pytest.mark.conf("IK2-64")
def test_while_two_pairs_stand_beside_the_old_one_packets_come_in_on_all():
    crossing = Crossing()
    say(crossing, "west.rekey east.rekey w1 e1 w2 e2")
    for sender, receiver in ((crossing.west, crossing.east), (crossing.east, crossing.west)):
        inbound = {spi: each.encryption_key for (way, spi), each in receiver.sas.items() if way == "in"}
        outbound = {spi: each.encryption_key for (way, spi), each in sender.sas.items() if way == "out"}
        assert len(inbound) == 3
        assert outbound.items() <= inbound.items()


@pytest.mark.conf("IK2-67")
@pytest.mark.parametrize("row", [row for row in ROWS if "-ike" in row.words and not row.groups], ids=str)
def test_nothing_is_asked_on_an_ike_sa_after_its_delete(row):
    crossing = Crossing()
    crossing.play(row.words)
    goodbyes = 0
    for side in (crossing.west, crossing.east):
        said: dict[bytes, list[tuple[str, ...]]] = {}
        for event in side.events:
            if isinstance(event, StateChanged) and event.step == Step.SEND_DELETE.value:
                said[event.spi_i] = []
            if isinstance(event, IkeMessageSent) and not event.is_response and event.spi_i in said:
                said[event.spi_i].append(event.payloads)
        goodbyes += len(said)
        assert all(each in ([("D",)], []) for each in said.values())
    assert goodbyes > 0


@pytest.mark.conf("IK2-116")
@pytest.mark.parametrize("words", ["west.rekey-ike west.create", "west.rekey-ike w1 east.create e1"])
def test_a_child_that_is_due_during_an_ike_rekey_waits_for_the_new_ike_sa(words):
    crossing = Crossing()
    crossing.play(words)
    assert_at_rest(crossing)
    assert crossing.children("second") == 1
    (new,) = crossing.west.endpoint.sas
    asked = [each for side in ("west", "east") for each in crossing.told(side, IkeMessageSent)]
    assert {each.spi_i for each in asked if "TSi" in each.payloads} == {new.spi_i}


@pytest.mark.conf("IK2-69")
def test_a_new_ike_sa_counts_from_zero_and_its_keys_come_by_the_old_prf():
    crossing = Crossing()
    (old,) = crossing.west.endpoint.sas
    for side in (crossing.west, crossing.east):
        (sa,) = side.endpoint.sas
        sa.connection = replace(sa.connection, proposals=(ike_proposal("aes128gcm16-prfsha512-x25519"),))
    crossing.play("west.live ~ west.rekey-ike ~ west.live east.live ~")
    assert_at_rest(crossing)
    (new,) = crossing.west.endpoint.sas
    assert {new.spi_i, new.spi_r}.isdisjoint({old.spi_i, old.spi_r})
    assert new.suite.prf is not old.suite.prf
    sent = [each for each in crossing.told("west", IkeMessageSent) if each.spi_i == new.spi_i]
    assert [(each.message_id, each.is_response) for each in sent] == [(0, False), (0, True)]


@pytest.mark.conf("IK2-70")
@pytest.mark.parametrize(("name", "message"), [("west", "w1"), ("east", "e1")])
def test_rekey_sa_names_the_spi_that_its_sender_receives_on(name, message):
    crossing = Crossing()
    crossing.say(f"{name}.rekey")
    rekey = the(opened(crossing, message), Notify)
    (child,) = crossing.side(name).endpoint.sas[0].children
    assert (rekey.notify_type, rekey.protocol) == (NotifyType.REKEY_SA, ProtocolId.ESP)
    assert int.from_bytes(rekey.spi, "big") == child.spi_in
    assert rekey.data == b""


@pytest.mark.conf("IK2-70", "IK2-117")
@pytest.mark.parametrize("protocol", [0, ProtocolId.IKE, 77])
def test_rekey_sa_for_what_is_no_child_is_the_end_of_the_ike_sa(protocol):
    crossing = Crossing()
    (child,) = crossing.west.endpoint.sas[0].children
    wrong = Notify(NotifyType.REKEY_SA, protocol=protocol, spi=child.spi_in.to_bytes(4, "big"))
    (refusal,) = ask_east(crossing, wrong, *REKEY[1:], exchange=ExchangeType.CREATE_CHILD_SA)
    assert refusal.notify_type == NotifyType.INVALID_SYNTAX
    assert crossing.east.endpoint.sas == ()
    assert crossing.east.sas == {}
    assert crossing.flight == {}  # no DELETE


@pytest.mark.conf("IK2-72")
def test_a_peer_that_is_busy_for_minutes_is_asked_now_and_then_and_given_up_at_last():
    crossing = Crossing()
    crossing.east.endpoint.sas[0].children[0].is_closing = True  # and it never gets round to it
    crossing.say("west.rekey")
    asked, at = [], crossing.now
    while crossing.west.endpoint.sas and crossing.now < 1000 * SECOND:
        before = len(crossing.sent)
        crossing.pass_time(crossing.now + SECOND)
        if len(crossing.sent) > before:
            asked.append(crossing.now - at)
            at = crossing.now
    assert all(10 * SECOND <= each <= 17 * SECOND for each in asked[1:])
    assert 300 * SECOND < crossing.now < 330 * SECOND
    (busy,) = crossing.told("west", PeerStayedBusy)
    assert busy.how_long > 300 * SECOND
    (known,) = crossing.told("west", Diagnosed)
    assert known.diagnosis is Diagnosis.REKEY_COLLISION
    assert known.detail.startswith("the peer was busy whenever it was asked, for 3")
    assert (crossing.west.sas, crossing.east.sas, crossing.east.endpoint.sas) == ({}, {}, ())


@pytest.mark.conf("IK2-72")
def test_a_peer_that_was_busy_once_in_a_while_is_not_given_up():
    crossing = Crossing()
    for _ in range(4):
        say(crossing, "west.rekey east.rekey-ike 100s")
    assert_at_rest(crossing)
    assert crossing.told("west", PeerStayedBusy) == []


@pytest.mark.conf("IK2-75")
@pytest.mark.parametrize(("name", "message", "answer"), [("west", "w1", "e1"), ("east", "e1", "w1")])
def test_a_delete_lists_what_its_sender_receives_on_and_so_does_its_answer(name, message, answer):
    crossing = Crossing()
    (child,) = crossing.side(name).endpoint.sas[0].children
    crossing.say(f"{name}.delete")
    (asked,) = opened(crossing, message)
    crossing.say(message)
    (answered,) = opened(crossing, answer)
    assert (asked, answered) == (
        Delete(ProtocolId.ESP, [child.spi_in.to_bytes(4, "big")]),
        Delete(ProtocolId.ESP, [child.spi_out.to_bytes(4, "big")]),
    )


@pytest.mark.conf("IK2-75", "IK2-76")
def test_of_crossed_deletes_each_closes_one_half_at_once_and_the_other_when_it_is_answered():
    crossing = Crossing()
    (child,) = crossing.west.endpoint.sas[0].children
    say(crossing, "west.delete east.delete e1")
    assert opened(crossing, "w2") == []
    assert set(crossing.west.sas) == {("in", child.spi_in)}
    assert child.spi_in in crossing.west.endpoint.sas[0].spis_in  # nobody else gets it
    say(crossing, "w2 w1 e2")
    assert (crossing.west.sas, crossing.east.sas) == ({}, {})
    crossing.rest()
    assert_at_rest(crossing)


@pytest.mark.conf("IK2-76")
def test_the_spi_of_a_child_whose_delete_is_not_answered_is_not_given_out_again():
    crossing = Crossing()
    (child,) = crossing.west.endpoint.sas[0].children
    say(crossing, "west.delete w1 e1!")
    assert ("in", child.spi_in) in crossing.west.sas
    assert child.spi_in in crossing.west.endpoint.sas[0].spis_in


SPIS = {
    "one twice": lambda known: [known, known],
    "one that nobody has": lambda known: [b"\xff\xff\xff\xfe", known],
    "two hundred that nobody has": lambda known: [*(bytes([1, 2, 3, n]) for n in range(200)), known],
}


@pytest.mark.conf("IK2-77")
@pytest.mark.parametrize("what", SPIS)
def test_a_delete_with_odd_spis_closes_what_it_names_and_no_more(what):
    crossing = Crossing()
    crossing.play("west.create")
    first, second = crossing.west.endpoint.sas[0].children
    (answer,) = ask_east(crossing, Delete(ProtocolId.ESP, SPIS[what](first.spi_in.to_bytes(4, "big"))))
    assert answer == Delete(ProtocolId.ESP, [first.spi_out.to_bytes(4, "big")])
    assert set(crossing.east.sas) == {("in", second.spi_out), ("out", second.spi_in)}


@pytest.mark.conf("IK2-77")
@pytest.mark.parametrize("protocol", [ProtocolId.AH, 77])
def test_a_delete_for_another_protocol_does_not_touch_a_child(protocol):
    crossing = Crossing()
    (child,) = crossing.west.endpoint.sas[0].children
    before = dict(crossing.east.sas)
    assert ask_east(crossing, Delete(protocol, [child.spi_in.to_bytes(4, "big")])) == []
    assert crossing.east.sas == before


@pytest.mark.conf("IK2-77")
@pytest.mark.parametrize(
    "body",
    [b"\x03\x08\x00\x01abcdefgh", b"\x03\x00\x00\x01", b"\x03\x04\xff\xffabcd", b"\x01\x08\x00\x01abcdefgh"],
    ids=["SPIs of eight bytes", "one SPI of no length", "65535 SPIs that are not there", "an SPI for IKE"],
)
def test_a_delete_with_a_wrong_size_or_number_of_spis_is_refused(body):
    crossing = Crossing()
    (refusal,) = ask_east(crossing, UnknownPayload(PayloadType.DELETE, body))
    assert refusal.notify_type == NotifyType.INVALID_SYNTAX
    assert crossing.east.endpoint.sas == ()


@pytest.mark.conf("IK2-113")
@pytest.mark.parametrize("name", ["west", "east"])
def test_a_successor_carries_what_the_old_child_carries_though_one_side_would_take_more(name):
    crossing = Crossing(west={"local_ts": ["10.1.0.0/16"], "remote_ts": ["10.0.0.0/8"]})
    (old,) = crossing.west.endpoint.sas[0].children
    crossing.play(f"{name}.rekey")
    assert_at_rest(crossing)
    (new,) = crossing.west.endpoint.sas[0].children
    assert new is not old
    assert (list(new.local), list(new.remote)) == (list(old.local), list(old.remote))


HALF = [traffic_selector(Prefix.parse("10.1.0.0/25"))]
NARROWED = {
    "asks for less": (changes(PayloadType.TSi, selectors=HALF), "CREATE_CHILD_SA request"),
    "grants less": (changes(PayloadType.TSi, selectors=HALF), "CREATE_CHILD_SA response"),
}


@pytest.mark.conf("IK2-113")
@pytest.mark.parametrize("how", NARROWED)
def test_no_successor_carries_less_than_the_old_child(how):
    habit, where = NARROWED[how]
    pair = a_peer_that(habit, in_=where)
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    assert "TS_UNACCEPTABLE" in {each.notify for each in pair.west.seen(ChildSaFailed)}
    for side in (pair.west, pair.east):
        (child,) = side.endpoint.sas[0].children
        assert set(side.sas) == {("in", child.spi_in), ("out", child.spi_out)}
        assert child.stands_alone


@pytest.mark.conf("IK2-113")
def test_a_child_that_is_against_the_policy_by_now_is_deleted_when_it_is_to_be_rekeyed():
    crossing = Crossing()
    (child,) = crossing.east.endpoint.sas[0].children
    half = traffic_selector(Prefix.parse("10.2.0.0/25"))
    child.config = replace(child.config, local_ts=(half,))
    crossing.play("west.rekey")
    assert_at_rest(crossing)
    assert crossing.children() == 0


ESP = {
    "west": {"esp": ["aes256gcm16-esn-noesn", "chacha20poly1305"]},
    "east": {"esp": ["chacha20poly1305", "aes256gcm16-noesn-esn"]},
}


@pytest.mark.conf("IK2-68")
@pytest.mark.parametrize("asks", ["west", "east"])
@pytest.mark.parametrize("is_reminded", [True, False])
def test_a_rekeyed_child_keeps_its_algorithms_though_the_two_ends_prefer_others(asks, is_reminded):
    crossing = Crossing(**ESP)
    sides = {"west": crossing.west, "east": crossing.east}
    old = {name: side.endpoint.sas[0].children[0] for name, side in sides.items()}
    first = (old["west"].suite, old["west"].extended_sequence)
    if not is_reminded:  # as by a peer that puts something else in front
        old[asks].suite = EspSuite(*esp_proposal("chacha20poly1305").encryption[0], None)
    say(crossing, f"{asks}.rekey ~")
    for side in sides.values():
        (kept,) = side.endpoint.sas[0].children
        assert kept not in old.values()
        assert (kept.suite, kept.extended_sequence) == first
