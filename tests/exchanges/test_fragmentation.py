"""Large messages go in IKE's own fragments, and arrive whatever happens to them on their way (RFC 7383)."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import seconds
from ipsecsim.ike.config import Fragmentation
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent, ResponseRepeated
from ipsecsim.ike.fragment_events import IkeFragmentsJoined, IkeFragmentStored, IkeMessageCut
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.scenario.lab_pki import Flaw
from ipsecsim.wire.ike.chain import emit_message, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.numbers import ExchangeType
from tests.support.pair import EAST, WEST, Pair
from tests.support.proving import pair_of

F = Fragmentation
AROUND = 28  # IPv4 and UDP
LONG = {"flaw": Flaw.LONG_CHAIN}  # its IKE_AUTH is larger than 576 bytes


def pieces(datagrams: list[SendDatagram]) -> list[EncryptedFragment]:
    """The SKF payloads among them."""
    lasts = [parse_message(raw_of(each))[1][-1] for each in datagrams]
    return [each for each in lasts if isinstance(each, EncryptedFragment)]


def raw_of(datagram: SendDatagram) -> bytes:
    return datagram.payload[4:] if datagram.destination_port == 4500 else datagram.payload


def half_way(pair: Pair) -> Pair:
    """IKE_SA_INIT is done, and west's IKE_AUTH is on the wire in fragments."""
    pair.initiate()
    pair.deliver()
    pair.deliver()
    assert len(pieces(pair.wire)) == len(pair.wire) > 2
    return pair


def forged(datagram: SendDatagram) -> SendDatagram:
    """Its seal does not hold."""
    raw = datagram.payload
    return replace(datagram, payload=raw[:-1] + bytes([raw[-1] ^ 1]))


# -- cutting ------------------------------------------------------------------------------------------


@pytest.mark.conf("FRG-04")
def test_a_certificate_goes_in_datagrams_of_at_most_576_bytes():
    pair = pair_of(LONG, LONG)
    pair.establish()
    assert pair.is_up
    assert max(len(each.payload) for each in pair.sent) + AROUND <= 576
    for side, other in ((pair.west, pair.east), (pair.east, pair.west)):
        (cut,), (joined,) = side.seen(IkeMessageCut), other.seen(IkeFragmentsJoined)
        assert cut.fragments == joined.total > 2
        sent = [event.length for event in side.seen(IkeMessageSent)]
        assert [event.length for event in other.seen(IkeMessageReceived)] == sent


@pytest.mark.conf("FRG-04")
@pytest.mark.parametrize("encap", [False, True])
@pytest.mark.parametrize("size", [200, 576, 577, 591, 600, 1000, 1280, 1500])
@pytest.mark.parametrize("ike", ["aes256gcm16-prfsha256-x25519", "aes256-sha512-x25519"])
def test_the_size_that_one_sets_is_that_of_the_whole_ip_packet(size, encap, ike):
    options = LONG | {"fragment_size": size, "encap": encap, "ike": [ike]}
    pair = pair_of(options, options)
    pair.establish()
    assert pair.is_up
    block = 16
    auth = [each for each in pair.sent if parse_message(raw_of(each))[0].exchange == ExchangeType.IKE_AUTH]
    lengths = [len(each.payload) + AROUND for each in auth]
    assert size - block < max(lengths) <= size


@pytest.mark.parametrize(("less", "is_cut"), [(0, False), (1, True)])
def test_a_message_that_fits_to_the_byte_is_not_cut(less, is_cut):
    plain = pair_of({"fragmentation": F.ACCEPT})
    plain.establish()
    whole = max(len(each.payload) for each in plain.sent if each.source == WEST) + AROUND
    pair = pair_of({"fragment_size": whole - less})
    pair.establish()
    assert bool(pair.west.seen(IkeMessageCut)) is is_cut


@pytest.mark.conf("FRG-01")
@pytest.mark.parametrize("west", list(Fragmentation))
@pytest.mark.parametrize("east", list(Fragmentation))
def test_nobody_cuts_unless_both_said_that_they_can(west, east):
    pair = pair_of({"fragmentation": west}, {"fragmentation": east})
    pair.establish()
    assert pair.is_up
    both = F.NO not in (west, east)
    for side, own in ((pair.west, west), (pair.east, east)):
        assert bool(side.seen(IkeMessageCut)) is (both and own is not F.ACCEPT)
        init = side.seen(IkeMessageSent)[0].payloads
        assert ("N(IKEV2_FRAGMENTATION_SUPPORTED)" in init) is (own is not F.NO)


@pytest.mark.conf("FRG-02")
def test_the_first_messages_are_never_cut_and_never_taken_in_pieces():
    large = {"ike": ["aes256-sha512-modp4096"], "fragment_size": 576}
    pair = Pair(west=large, east=large)
    pair.initiate()
    assert len(pair.wire) == 1
    assert len(pair.wire[0].payload) + AROUND > 576
    header, payloads = parse_message(pair.wire[0].payload)
    pair.inject(
        replace(pair.wire[0], payload=emit_message(header, [*payloads, EncryptedFragment(0, 1, 1, b"x")]))
    )
    assert pair.east.drops == [DropReason.STATE_VIOLATION]
    pair.settle()
    assert pair.is_up


# -- putting together ---------------------------------------------------------------------------------


def test_fragments_may_come_in_any_order():
    pair = half_way(pair_of(LONG, LONG))
    pair.wire.reverse()
    pair.settle()
    assert pair.is_up
    numbers = [event.number for event in pair.east.seen(IkeFragmentStored)]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.conf("FRG-07")
def test_forged_fragments_take_no_place_and_spoil_nothing():
    pair = half_way(pair_of(LONG, LONG))
    for datagram in list(pair.wire):
        pair.inject(forged(datagram))
    assert set(pair.east.drops) == {DropReason.SK_FAIL}
    assert not pair.east.seen(IkeFragmentStored)
    pair.settle()
    assert pair.is_up


# -- again --------------------------------------------------------------------------------------------


@pytest.mark.conf("FRG-10")
def test_a_request_without_an_answer_is_sent_again_with_all_its_fragments():
    pair = half_way(pair_of(LONG, LONG))
    first = [each.payload for each in pair.wire]
    del pair.wire[1]
    pair.wait_until(pair.now + seconds(4))
    assert [each.payload for each in pair.wire[-len(first) :]] == first
    pair.settle()
    assert pair.is_up
    assert DropReason.FRAG_DUP in pair.east.drops


@pytest.mark.conf("FRG-10")
@pytest.mark.parametrize("lost", range(12))
def test_any_one_lost_fragment_is_survived(lost):
    pair = pair_of(LONG, LONG)
    pair.initiate()
    pair.settle_without(lost)
    assert pair.is_up


@pytest.mark.conf("FRG-09")
def test_of_a_repeated_request_only_the_first_fragment_brings_the_answer_again():
    pair = pair_of(LONG, LONG)
    pair.establish()
    request = [each for each in pair.sent if each.source == WEST][1:]
    answer = [each.payload for each in pair.sent if each.source == EAST][1:]
    for number, datagram in enumerate(request, start=1):
        pair.inject(datagram)
        assert [each.payload for each in pair.wire] == (answer if number == 1 else [])
        pair.wire.clear()
    assert len(pair.east.seen(ResponseRepeated)) == 1
    assert pair.east.drops == [DropReason.RETRANSMIT_IGNORED] * (len(request) - 1)


@pytest.mark.conf("FRG-09")
def test_a_forged_first_fragment_brings_no_large_answer_to_anybody():
    pair = pair_of(LONG, LONG)
    pair.establish()
    request = [each for each in pair.sent if each.source == WEST][1]
    pair.inject(forged(request))
    assert not pair.wire
    assert pair.east.drops == [DropReason.RETRANSMIT_IGNORED]


def test_a_forgery_among_the_fragments_brings_no_answer_later():
    """What came unsealed with the message ID of a request is not remembered as that request."""
    pair = half_way(pair_of(LONG, LONG))
    header, _ = parse_message(pair.wire[0].payload)
    junk = replace(pair.wire[0], payload=emit_message(header, [Encrypted(0, bytes(40))]))
    pair.inject(junk)
    pair.settle()
    assert pair.is_up
    pair.inject(junk)
    assert not pair.wire
    assert pair.east.drops[-1] is DropReason.RETRANSMIT_IGNORED


def test_a_new_ike_sa_in_the_place_of_an_old_one_still_takes_fragments():
    pair = pair_of()
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    for side in (pair.west, pair.east):
        assert [sa.takes_fragments for sa in side.endpoint.sas] == [True]
