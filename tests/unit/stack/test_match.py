"""Sentences about packets, compiled: what each word fits, and what a packet does not show."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.stack.match import Addresses, Match, Numbers, Seen, State, Words, icmp_number
from ipsecsim.wire import icmpv4, icmpv6, ipv4, ipv6, udp
from tests.unit.wire.samples import chained

A, B = pack("10.1.0.2"), pack("10.2.0.2")
A6, B6 = pack("fd00:10:1::2"), pack("fd00:10:2::2")
SEGMENT = udp.build(A, B, 1111, 2222, bytes(24))

UDP4 = ipv4.build(A, B, 17, SEGMENT)
FIRST = ipv4.build(A, B, 17, SEGMENT[:16], more_fragments=True, identification=7)
LATER = ipv4.build(A, B, 17, SEGMENT[16:], fragment_offset=16, identification=7)
TINY = ipv4.build(A, B, 17, SEGMENT[:3])
OPTIONS = ipv4.build(A, B, 17, SEGMENT, options=b"\x01\x01\x01\x00")
PING = ipv4.build(A, B, 1, icmpv4.Echo(False, 1, 1, b"").emit())
PING6 = chained(A6, B6, [(0, bytes(6))], 58, icmpv6.Echo(False, 1, 1).emit(A6, B6))
UDP6 = ipv6.build(A6, B6, 17, udp.build(A6, B6, 1111, 2222, b""))
ESP = ipv4.build(A, B, 50, bytes(40), tos=46 << 2)

PORT_2222 = Numbers("port", ((2222, 2222),))


def fits(packet: bytes, *conditions, inbound=None, outbound=None, state=None) -> bool:
    seen = Seen(packet, inbound, outbound)
    seen.state = state
    return Match(conditions).fits(seen)


@pytest.mark.parametrize(
    ("condition", "fitting", "others"),
    [
        (Addresses("src", ((A, A),)), [UDP4, LATER, PING, ESP], [UDP6]),
        (Addresses("dst", ((A, A), (B6, B6))), [UDP6, PING6], [UDP4]),
        (Addresses("src", ((A, A),), is_not=True), [UDP6], [UDP4]),
        (Numbers("proto", ((17, 17),)), [UDP4, LATER, UDP6, OPTIONS], [PING, ESP]),
        (Numbers("proto", ((50, 51),)), [ESP], [UDP4]),
        (PORT_2222, [UDP4, FIRST, UDP6, OPTIONS], [LATER, TINY, PING, ESP]),
        (Numbers("sport", ((0, 1111), (3000, 4000))), [UDP4], [LATER]),
        (Numbers("dport", ((0, 1111), (3000, 4000))), [], [UDP4]),
        (Numbers("icmp", ((icmp_number(1, 8, 0), icmp_number(1, 8, 255)),)), [PING], [PING6, UDP4]),
        (Numbers("size", ((52, 52),)), [UDP4], [ESP]),
        (Numbers("dscp", ((46, 46),)), [ESP], [UDP4]),
    ],
)
def test_a_word_fits_what_shows_it(condition, fitting, others):
    assert all(fits(packet, condition) for packet in fitting)
    assert not any(fits(packet, condition) for packet in others)


@pytest.mark.parametrize("packet", [LATER, TINY, PING, ESP])
def test_what_a_packet_does_not_show_is_none_of_the_values(packet):
    assert not fits(packet, Numbers("port", ((0, 65535),)))
    assert fits(packet, Numbers("port", ((0, 65535),), is_not=True))


def test_bytes_behind_the_end_of_the_packet_are_no_ports():
    short = ipv4.build(A, B, 17, b"") + SEGMENT
    assert not fits(short, PORT_2222)


def test_all_words_must_fit_and_no_words_fit_everything():
    assert fits(UDP4, Numbers("proto", ((17, 17),)), PORT_2222)
    assert not fits(ESP, Numbers("proto", ((17, 17),)), PORT_2222)
    assert fits(ESP)


def test_interfaces_and_state_are_told_by_who_asks():
    inside = Words("in", ("lan", "dmz"))
    assert fits(UDP4, inside, inbound="dmz")
    assert not fits(UDP4, inside, inbound="wan")
    assert not fits(UDP4, inside), "a packet of this node came in nowhere"
    assert fits(UDP4, Words("out", ("wan",), is_not=True), outbound="lan")
    answers = Words("state", (State.ESTABLISHED, State.RELATED))
    assert fits(UDP4, answers, state=State.RELATED)
    assert not fits(UDP4, answers, state=State.NEW)
    assert not fits(UDP4, answers), "not looked up"


def test_equal_sentences_are_equal():
    assert Match((PORT_2222,)) == Match((Numbers("port", ((2222, 2222),)),))
    assert Match((PORT_2222,)) != Match()
    assert Match((Words("state", (State.NEW,)),)).asks_for_state
    assert not Match((PORT_2222,)).asks_for_state


def test_backwards_is_what_would_have_asked_for_it():
    seen = Seen(UDP4, "wan", "lan").backwards()
    assert (seen.source, seen.source_port, seen.inbound) == (B, 2222, "lan")
    assert (seen.destination, seen.destination_port, seen.outbound) == (A, 1111, "wan")
    assert seen.state is State.NEW
    assert Seen(PING).backwards().icmp == icmp_number(1, 0, 0)
    assert Seen(PING6).backwards().icmp == icmp_number(58, 129, 0)
    assert Seen(ipv4.build(A, B, 1, icmpv4.IcmpError(3, 4, UDP4[:28]).emit())).backwards().icmp is None
