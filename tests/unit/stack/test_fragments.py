"""Cutting and joining, and what hostile pieces end in (RFC 791 3.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.fragments import fragment
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.reassembly import MOST_PACKETS, MOST_PIECES, TIMEOUT, Reassembler
from ipsecsim.wire import ipv4

A, B = pack("10.1.0.1"), pack("10.2.0.1")


def piece(offset: int, length: int, *, more: bool, identification: int = 7) -> bytes:
    return ipv4.build(
        A, B, 17, bytes(length), identification=identification, more_fragments=more, fragment_offset=offset
    )


@given(length=st.integers(1, 3000), mtu=st.integers(68, 1500), order=st.randoms(use_true_random=False))
def test_pieces_in_any_order_give_the_packet_back(length, mtu, order):
    whole = ipv4.build(A, B, 17, bytes(i & 0xFF for i in range(length)), identification=99, tos=3, ttl=9)
    pieces = fragment(whole, mtu) if len(whole) > mtu else [whole]
    assert all(len(each) <= mtu for each in pieces)
    if len(pieces) == 1:
        return
    order.shuffle(pieces)
    reassembler = Reassembler()
    results = [reassembler.add(each, 0) for each in pieces]
    assert results[:-1] == [None] * (len(pieces) - 1)
    assert results[-1] == whole
    assert reassembler.waiting == 0
    assert reassembler.next_deadline() is None


def refused(reassembler: Reassembler, packet: bytes) -> DropReason:
    with pytest.raises(Refused) as caught:
        reassembler.add(packet, 0)
    return caught.value.reason


@pytest.mark.parametrize(
    "second",
    [
        piece(0, 16, more=True),  # the same again
        piece(8, 16, more=True),  # overlaps its end
        piece(8, 16, more=False),
    ],
)
def test_an_overlap_is_refused(second):
    reassembler = Reassembler()
    reassembler.add(piece(0, 16, more=True), 0)
    assert refused(reassembler, second) is DropReason.FRAG_OVERLAP


def test_bytes_past_the_end_are_refused():
    reassembler = Reassembler()
    reassembler.add(piece(16, 8, more=False), 0)
    assert refused(reassembler, piece(24, 8, more=True)) is DropReason.FRAG_OVERLAP


def test_a_packet_larger_than_any_is_refused():
    assert refused(Reassembler(), piece(65528, 100, more=False)) is DropReason.TOO_BIG


def test_a_middle_piece_is_a_multiple_of_eight():
    assert refused(Reassembler(), piece(0, 9, more=True)) is DropReason.IP_MALFORMED


def test_neither_packets_nor_pieces_grow_without_bound():
    reassembler = Reassembler()
    for number in range(MOST_PACKETS):
        reassembler.add(piece(0, 8, more=True, identification=number), 0)
    assert refused(reassembler, piece(0, 8, more=True, identification=999)) is DropReason.FRAG_TABLE_FULL
    for number in range(1, MOST_PIECES):
        reassembler.add(piece(16 * number, 8, more=True, identification=0), 0)
    assert refused(reassembler, piece(8, 8, more=True, identification=0)) is DropReason.FRAG_TABLE_FULL


def test_pieces_are_forgotten_in_time():
    reassembler = Reassembler()
    reassembler.add(piece(0, 8, more=True), 5)
    assert reassembler.next_deadline() == 5 + TIMEOUT[4]
    assert reassembler.expire(4 + TIMEOUT[4]) == []
    assert reassembler.expire(5 + TIMEOUT[4]) == [piece(0, 8, more=True)]
    assert reassembler.waiting == 0
