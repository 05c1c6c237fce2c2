"""Anti-replay and extended numbers at work in an engine, of ESP and AH alike (RFC 4303 3.4.3, RFC 4302 3.4.3)."""

import hashlib

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.ipsec.actions import Expired, SendPacket
from ipsecsim.ipsec.association import LAST_EXTENDED_SEQUENCE, LAST_SEQUENCE, Mode
from ipsecsim.ipsec.events import ReplayRejected, SequenceResynchronised
from ipsecsim.ipsec.inbound import MOST_SUBSPACES_TRIED, RESYNCHRONISE_AFTER
from tests.unit.ipsec.ends import Ends

BOTH = [("esp", "aes256gcm16"), ("esp", "aes128-sha256"), ("ah", "sha256")]
NUMBER_AT = {"esp": 24, "ah": 28}
NOT_AUTHENTIC = {"esp": DropReason.ICV_FAIL, "ah": DropReason.AH_ICV_FAIL}
both = pytest.mark.parametrize(("protocol", "words"), BOTH)
extended_or_not = pytest.mark.parametrize("extended", [False, True])


def renumbered(packet: bytes, protocol: str, low: int) -> bytes:
    """With another number than the sealed one: what an attacker can do."""
    at = NUMBER_AT[protocol]
    return packet[:at] + low.to_bytes(4, "big") + packet[at + 4 :]


@pytest.mark.conf("ESP-19", "AH-08")
@both
@extended_or_not
def test_a_trace_played_again_in_any_order_delivers_nothing_twice(protocol, words, extended):
    ends = Ends(protocol, words, extended_sequence=extended, replay_window=64)
    trace = [ends.protect(ends.packet(bytes([number]))) for number in range(200)]
    for packet in trace:
        assert ends.receive(packet)
    ends.events.clear()
    # a hash is as good as chance, and the same each time
    shuffled = sorted(enumerate(trace, start=1), key=lambda each: hashlib.sha256(each[1]).digest())
    for number, packet in shuffled:
        assert not ends.receive(packet)
        if number > 200 - 64:
            assert ends.drops[-1] is DropReason.REPLAY_SEEN
        else:
            # with extended numbers it is taken for one of the next subspace (RFC 4303 A2.2)
            assert ends.drops[-1] is (NOT_AUTHENTIC[protocol] if extended else DropReason.REPLAY_OLD)
    told = [event for event in ends.events if isinstance(event, ReplayRejected)]
    assert len(told) == (64 if extended else 200)
    assert {event.window_top for event in told} == {200}


@pytest.mark.conf("ESP-19")
def test_the_number_is_looked_at_before_the_seal():
    ends = Ends()
    packet = ends.protect(ends.packet())
    ends.receive(packet)
    assert not ends.receive(packet[:-1] + bytes([packet[-1] ^ 1]))
    assert ends.drops == [DropReason.REPLAY_SEEN]


@pytest.mark.conf("ESP-20", "AH-09")
@both
@extended_or_not
@pytest.mark.parametrize("jump", [1, 100, 2**30, 2**31, 2**32 - 2])
def test_a_forged_number_leaves_the_window_alone(protocol, words, extended, jump):
    ends = Ends(protocol, words, extended_sequence=extended)
    packets = [ends.protect(ends.packet()) for _ in range(3)]
    assert ends.receive(packets[0])
    assert not ends.receive(renumbered(packets[1], protocol, (2 + jump) % 2**32))
    assert len(ends.drops) == 1
    assert ends.receiver.replay.top == 1
    assert ends.receive(packets[1])
    assert ends.receive(packets[2])


@pytest.mark.conf("ESP-21")
@both
def test_number_0_is_wrong_without_extension_and_a_window(protocol, words):
    ends = Ends(protocol, words)
    assert not ends.receive(ends.numbered(0))
    assert ends.drops == [DropReason.SEQ_ZERO]


@pytest.mark.conf("ESP-21")
@both
def test_without_anti_replay_no_number_is_wrong(protocol, words):
    ends = Ends(protocol, words, replay_window=0)
    packet = ends.numbered(0)
    for each in (packet, packet, ends.numbered(7), ends.numbered(7), ends.numbered(LAST_SEQUENCE), packet):
        assert ends.receive(each)
    assert not ends.drops


@pytest.mark.conf("ESP-21", "ESN-03")
@both
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.fault("FLT-27")
def test_a_low_half_of_0_is_2_to_the_32_with_extended_numbers(protocol, words, mode):
    ends = Ends(protocol, words, mode, extended_sequence=True, sequence=2**32 - 3)
    sent = [ends.protect(ends.packet()) for _ in range(6)]
    lows = [int.from_bytes(packet[NUMBER_AT[protocol] :][:4], "big") for packet in sent]
    assert lows == [2**32 - 2, 2**32 - 1, 0, 1, 2, 3]
    # lost and late ones among them: the receiver crosses 2^32 twice over
    for at in (0, 3, 1, 2, 5, 4):
        assert ends.receive(sent[at]) == [ends.packet()]
    assert ends.receiver.replay.top == 2**32 + 3
    assert not ends.drops


@pytest.mark.conf("ESN-04")
@both
def test_a_receiver_left_behind_by_more_than_2_to_the_32_finds_its_sender_again(protocol, words):
    ends = Ends(protocol, words, extended_sequence=True, replay_window=64)
    assert ends.receive(ends.protect(ends.packet()))
    ends.sender.sequence = 2**32 + 5
    for failed in range(1, RESYNCHRONISE_AFTER):
        assert not ends.receive(ends.protect(ends.packet()))
        assert ends.receiver.failures == failed
    assert set(ends.drops) == {NOT_AUTHENTIC[protocol]}
    assert ends.receiver.replay.top == 1
    assert ends.receive(ends.protect(ends.packet()))
    (found,) = [event for event in ends.events if isinstance(event, SequenceResynchronised)]
    assert found.found == 2**32 + 5 + RESYNCHRONISE_AFTER == ends.receiver.replay.top
    assert ends.receive(ends.protect(ends.packet()))


@pytest.mark.conf("ESN-04")
@pytest.mark.parametrize("subspaces", range(MOST_SUBSPACES_TRIED + 1))
def test_only_a_few_high_halves_are_tried(subspaces):
    ends = Ends(extended_sequence=True)
    ends.sender.sequence = subspaces << 32
    received = [bool(ends.receive(ends.protect(ends.packet()))) for _ in range(RESYNCHRONISE_AFTER + 1)]
    if not subspaces:
        assert all(received)
    elif subspaces < MOST_SUBSPACES_TRIED:
        assert received == [False] * (RESYNCHRONISE_AFTER - 1) + [True, True]
    else:
        assert not any(received)


@pytest.mark.conf("ESN-04")
def test_one_good_packet_ends_the_count_and_forgeries_move_nothing():
    ends = Ends(extended_sequence=True)
    for number in range(1, 4 * RESYNCHRONISE_AFTER):
        good = ends.numbered(number)
        assert not ends.receive(good[:-1] + bytes([good[-1] ^ 1]))
        if number % (RESYNCHRONISE_AFTER - 1) == 0:
            assert ends.receive(good)
    assert not [event for event in ends.events if isinstance(event, SequenceResynchronised)]
    for _ in range(3 * RESYNCHRONISE_AFTER):
        assert not ends.receive(good[:-1] + bytes([good[-1] ^ 1]))
    assert not [event for event in ends.events if isinstance(event, SequenceResynchronised)]
    assert ends.receive(good)


@both
@pytest.mark.parametrize("low", [2**32 - 1, 2**32 - 30])
def test_a_forged_number_before_the_first_one_does_no_harm(protocol, words, low):
    ends = Ends(protocol, words, extended_sequence=True)
    packet = ends.protect(ends.packet())
    assert not ends.receive(renumbered(packet, protocol, low))
    assert ends.drops == [DropReason.REPLAY_OLD]
    assert ends.receive(packet)


@both
def test_at_the_end_of_all_numbers_nothing_breaks(protocol, words):
    ends = Ends(protocol, words, extended_sequence=True, sequence=LAST_EXTENDED_SEQUENCE - 2)
    sent = [ends.protect(ends.packet()) for _ in range(2)]
    assert not any(isinstance(action, SendPacket) for action in ends.west.outbound(ends.packet(), 0))
    for _ in range(2 * RESYNCHRONISE_AFTER):
        damaged = sent[1][:-1] + bytes([sent[1][-1] ^ 1])
        assert not ends.receive(damaged)
    assert not ends.receive(renumbered(sent[1], protocol, 3))
    assert ends.receive(sent[0])
    assert ends.receive(sent[1])


@pytest.mark.conf("AH-14", "ESP-03")
@both
@extended_or_not
def test_a_counter_at_its_end_sends_nothing_more(protocol, words, extended):
    last = LAST_EXTENDED_SEQUENCE if extended else LAST_SEQUENCE
    ends = Ends(protocol, words, extended_sequence=extended, sequence=last - 3)
    ends.west.tap = ends.events.append
    for _ in range(3):
        assert ends.receive(ends.protect(ends.packet()))
    ends.events.clear()
    assert [type(action) for action in ends.west.outbound(ends.packet(), 0)] == [Expired]
    assert ends.drops == [DropReason.SEQ_EXHAUSTED]
    for _ in range(3):  # the SA has ended with its numbers: another one is asked for
        assert not any(isinstance(action, SendPacket) for action in ends.west.outbound(ends.packet(), 0))


@pytest.mark.conf("ESP-31")
@pytest.mark.parametrize("words", ["aes128", "aes128ctr", "3des"])
def test_anti_replay_is_refused_without_integrity(words):
    with pytest.raises(LocalError, match="anti-replay"):
        Ends("esp", words)
    ends = Ends("esp", words, replay_window=0)
    packet = ends.protect(ends.packet())
    assert ends.receive(packet) == ends.receive(packet) == [ends.packet()]


@pytest.mark.conf("ESP-22")
@both
def test_anti_replay_is_on_unless_it_is_switched_off(protocol, words):
    ends = Ends(protocol, words)
    assert ends.receiver.parameters.replay_window >= 32
    packet = ends.protect(ends.packet())
    assert ends.receive(packet)
    assert not ends.receive(packet)


@pytest.mark.conf("ESP-18", "AH-08")
@both
@pytest.mark.parametrize("window", [1, 31, 4097])
def test_a_window_that_is_too_narrow_or_too_wide_is_refused(protocol, words, window):
    with pytest.raises(LocalError, match="replay window"):
        Ends(protocol, words, replay_window=window)
