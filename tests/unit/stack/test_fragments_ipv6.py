"""Cutting at the source and joining at the destination, and what hostile pieces end in (RFC 8200 4.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.events import FragmentsAbandoned, PacketReassembled
from ipsecsim.stack.fragments import fragment, read_piece
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.reassembly import TIMEOUT, Reassembler
from ipsecsim.wire import ipv6
from ipsecsim.wire.icmpv6 import Echo, Icmpv6Type, ParameterProblemCode
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.dual import FAR, ME, PEER, Dual, complaint, ping, read

UDP, NO_NEXT = int(IpProtocol.UDP), int(IpProtocol.NO_NEXT)
HOP_BY_HOP = bytes((IpProtocol.DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0))
DESTINATION_OPTIONS = bytes((UDP, 0, 1, 4, 0, 0, 0, 0))


def piece(offset: int, data: bytes, *, more: bool, identification: int = 7, kind: int = UDP) -> bytes:
    header = ipv6.fragment_header(FragmentFields(kind, offset, more, identification))
    return ipv6.build(PEER, ME, IpProtocol.FRAGMENT, header + data)


@given(
    length=st.integers(8, 5000),
    mtu=st.integers(1280, 1500),
    order=st.randoms(use_true_random=False),
    options=st.booleans(),
)
def test_pieces_in_any_order_give_the_packet_back(length, mtu, order, options):
    data = bytes(i & 0xFF for i in range(length))
    front = HOP_BY_HOP + DESTINATION_OPTIONS if options else b""
    first = IpProtocol.HOP_BY_HOP if options else UDP
    whole = ipv6.build(PEER, ME, first, front + data, traffic_class=3, flow_label=77, hop_limit=9)
    if len(whole) <= mtu:
        return
    pieces = fragment(whole, mtu, 0xDEADBEEF)
    for each in pieces:
        ipv6.check(each)
        assert len(each) <= mtu
        assert read_piece(each).identification == 0xDEADBEEF
    order.shuffle(pieces)
    reassembler = Reassembler()
    results = [reassembler.add(each, 0) for each in pieces]
    assert results[:-1] == [None] * (len(pieces) - 1)
    assert results[-1] == whole
    assert reassembler.waiting == 0
    assert reassembler.next_deadline() is None


def test_only_headers_for_nodes_on_the_way_are_in_every_piece():
    whole = ipv6.build(PEER, ME, IpProtocol.HOP_BY_HOP, HOP_BY_HOP + DESTINATION_OPTIONS + bytes(1400))
    first, second = fragment(whole, 1280, 1)
    for each in (first, second):
        assert [found.kind for found in ipv6.chain(each).extensions][:2] == [0, 44]
    assert ipv6.chain(first).extensions[2].kind == IpProtocol.DESTINATION_OPTIONS
    assert ipv6.read_fragment(second, ipv6.chain(second).extensions[1]).next_header == 60


def test_headers_that_leave_no_room_cannot_be_cut():
    many = bytes((UDP, 150, *bytes(1206)))
    whole = ipv6.build(PEER, ME, IpProtocol.DESTINATION_OPTIONS, many + bytes(400))
    with pytest.raises(Refused) as caught:
        fragment(whole, 1240, 1)
    assert caught.value.reason is DropReason.TOO_BIG


def test_a_large_ping_is_cut_at_its_source_and_answered():
    sender, receiver = Dual(), Dual()
    request = Echo(False, 1, 1, b"x" * 3000).emit(ME, PEER)
    pieces = [each.packet for each in sender.stack.send(None, PEER, IpProtocol.ICMPV6, request)]
    assert [len(each) <= 1500 for each in pieces] == [True] * 3
    back = [each[:8] + PEER + ME + each[40:] for each in pieces]  # the sum of both addresses stays the same
    answers = [receiver.receive(each) for each in back]
    assert answers[:-1] == [[], []]
    whole = receiver.told(PacketReassembled)[0].packet
    assert read(whole) == Echo(False, 1, 1, b"x" * 3000)
    assert len(answers[-1]) == 3


def test_numbers_of_packets_that_are_cut_differ():
    node = Dual()
    seen = {
        read_piece(each.packet).identification
        for _ in range(3)
        for each in node.stack.send(None, FAR, IpProtocol.UDP, bytes(2000))
    }
    assert len(seen) == 3


def test_an_atomic_fragment_is_whole_by_itself():
    node = Dual()
    node.receive(piece(0, bytes(16), more=True))
    message = Echo(False, 1, 1, b"x").emit(PEER, ME)
    (answer,) = node.receive(piece(0, message, more=False, kind=IpProtocol.ICMPV6))
    assert read(answer.packet) == Echo(True, 1, 1, b"x")
    assert node.stack.fragments_waiting == 1


def test_a_fragment_header_is_gone_when_a_protocol_gets_the_packet():
    node = Dual()
    node.stack.protocols.add(IpProtocol.AH)
    (arrived,) = node.receive(piece(0, bytes(24), more=False, kind=IpProtocol.AH))
    assert arrived.packet == ipv6.build(PEER, ME, IpProtocol.AH, bytes(24))
    assert arrived.offset == 40


def refused(reassembler: Reassembler, packet: bytes) -> DropReason:
    with pytest.raises(Refused) as caught:
        reassembler.add(packet, 0)
    return caught.value.reason


@pytest.mark.parametrize(
    "overlapping",
    [
        piece(8, b"?" * 16, more=True),
        piece(0, b"?" * 16, more=True),  # the same place, other bytes
        piece(8, b"?" * 16, more=False),
    ],
)
def test_an_overlap_ends_the_whole_packet(overlapping):
    node = Dual()
    node.receive(piece(0, bytes(16), more=True))
    node.receive(piece(32, bytes(16), more=True))
    assert node.receive(overlapping) == []
    assert node.told(FragmentsAbandoned) == [FragmentsAbandoned(7, 2)]
    assert node.drops == [DropReason.FRAG_OVERLAP] * 3
    assert node.stack.fragments_waiting == 0
    assert node.receive(piece(16, bytes(16), more=True)) == []  # what still comes of it too
    assert node.drops == [DropReason.FRAG_OVERLAP] * 4
    assert node.stack.handle_timeout(TIMEOUT[6]) == []
    assert node.drops == [DropReason.FRAG_OVERLAP] * 4
    assert node.stack.next_deadline() is None


def test_the_same_fragment_again_does_no_harm():
    node = Dual()
    whole = ping(size=2000)
    first, second = fragment(whole, 1500, 5)
    node.receive(first)
    assert node.receive(first) == []
    assert node.drops == [DropReason.FRAG_OVERLAP]
    assert len(node.receive(second)) == 2


def test_fragments_of_different_packets_do_not_meet():
    reassembler = Reassembler()
    assert reassembler.add(piece(0, bytes(16), more=True), 0) is None
    assert reassembler.add(piece(16, bytes(8), more=False, identification=8), 0) is None
    assert reassembler.waiting == 2
    # the next header may differ from piece to piece: only that of the first one counts
    whole = reassembler.add(piece(16, bytes(8), more=False, kind=NO_NEXT), 0)
    assert whole == ipv6.build(PEER, ME, UDP, bytes(24))


def test_fragments_that_stay_alone_time_out_and_their_sender_is_told():
    node = Dual()
    first = piece(0, bytes(16), more=True)
    node.receive(first, now=3)
    node.receive(piece(16, bytes(16), more=True, identification=8), now=4)
    assert node.stack.next_deadline() == 3 + TIMEOUT[6]
    error = complaint(node.stack.handle_timeout(4 + TIMEOUT[6]))  # about the one whose beginning is here
    assert (error.type, error.code, error.quoted) == (Icmpv6Type.TIME_EXCEEDED, 1, first)
    assert node.drops == [DropReason.FRAG_TIMEOUT] * 2


@pytest.mark.parametrize(
    ("packet", "reason", "code", "pointer"),
    [
        (
            piece(0, bytes(9), more=True),
            DropReason.IP_MALFORMED,
            ParameterProblemCode.ERRONEOUS_FIELD,
            4,
        ),
        (
            piece(65528, bytes(16), more=False),
            DropReason.TOO_BIG,
            ParameterProblemCode.ERRONEOUS_FIELD,
            42,
        ),
        (
            piece(0, bytes(8), more=True, kind=IpProtocol.TCP),
            DropReason.IP_MALFORMED,
            ParameterProblemCode.INCOMPLETE_CHAIN,
            0,
        ),
    ],
    ids=["not a multiple of 8", "larger than any packet", "without its upper-layer header"],
)
def test_a_fragment_that_is_wrong_in_itself_is_told_to_its_sender(packet, reason, code, pointer):
    node = Dual()
    error = complaint(node.receive(packet))
    assert (error.type, error.code, error.rest) == (Icmpv6Type.PARAMETER_PROBLEM, code, pointer)
    assert node.drops == [reason]


def test_a_longer_first_header_counts_for_the_largest_packet():
    reassembler = Reassembler()
    assert reassembler.add(piece(65504, bytes(31), more=False), 0) is None
    fields = FragmentFields(UDP, 0, more=True, identification=7)
    longer = ipv6.build(
        PEER,
        ME,
        IpProtocol.HOP_BY_HOP,
        bytes((IpProtocol.FRAGMENT, 0, 1, 4, 0, 0, 0, 0)) + ipv6.fragment_header(fields) + bytes(8),
    )
    assert refused(reassembler, longer) is DropReason.TOO_BIG


def test_empty_pieces_are_refused():
    assert refused(Reassembler(), piece(8, b"", more=False)) is DropReason.FRAG_OVERLAP
