import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire import ipv6
from ipsecsim.wire.ipv6 import Chain, Extension, FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated
from tests.unit.wire.samples import chained

A = pack("2001:db8:1::10")
B = pack("2001:db8:2::10")

HOP, ROUTE, FRAG, DEST = (
    IpProtocol.HOP_BY_HOP,
    IpProtocol.ROUTING,
    IpProtocol.FRAGMENT,
    IpProtocol.DESTINATION_OPTIONS,
)
OPTIONS = bytes((1, 4, 0, 0, 0, 0))  # PadN that fills the shortest options header
LONG_OPTIONS = bytes((1, 12, *bytes(12)))  # 16 bytes of header in all
ROUTING = bytes((0, 0, 0, 0, 0, 0))  # type 0, no segments left


def piece(offset: int, *, more: bool, identification: int = 0x1234) -> bytes:
    """A fragment header behind its first byte."""
    return ipv6.fragment_header(FragmentFields(0, offset, more, identification))[1:]


WHOLE, FIRST, LATER = piece(0, more=False), piece(0, more=True), piece(8, more=False)


# -- the fixed header -----------------------------------------------------------------------------


def test_a_header_reads_as_it_was_built():
    packet = ipv6.build(A, B, IpProtocol.UDP, b"abc", hop_limit=7, traffic_class=0xB9, flow_label=0xABCDE)
    assert packet.hex() == "6b9abcde00031107" + A.hex() + B.hex() + b"abc".hex()
    assert ipv6.parse(packet) == ipv6.Ipv6Header(
        A, B, IpProtocol.UDP, 3, hop_limit=7, traffic_class=0xB9, flow_label=0xABCDE
    )
    assert ipv6.parse(bytearray(packet)) == ipv6.parse(packet)


def test_field_offsets_and_readers_point_at_the_fields():
    packet = ipv6.build(A, B, 58, bytes(20), hop_limit=3, traffic_class=0x1F, flow_label=0x80001)
    assert packet[ipv6.NEXT_HEADER] == 58
    assert packet[ipv6.HOP_LIMIT] == 3
    assert packet[ipv6.SOURCE] == A
    assert packet[ipv6.DESTINATION] == B
    assert ipv6.total_length(packet) == 60
    assert ipv6.traffic_class(packet) == 0x1F
    assert ipv6.flow_label(packet) == 0x80001


def test_bytes_behind_the_payload_length_are_the_links():
    packet = ipv6.build(A, B, 59, b"") + bytes(6)
    ipv6.check(packet)
    assert ipv6.total_length(packet) == 40


GOOD = ipv6.build(A, B, 17, bytes(8))


@pytest.mark.parametrize(
    ("packet", "error", "words"),
    [
        (b"", Truncated, "packet of 0 bytes"),
        (GOOD[:39], Truncated, "packet of 39 bytes"),
        (b"\x45" + GOOD[1:], Malformed, "version 4, not 6"),
        (GOOD[:-1], Malformed, "total length 48 in a packet of 47"),
    ],
)
def test_a_wrong_header_is_refused(packet, error, words):
    for refuse in (ipv6.check, ipv6.parse):
        with pytest.raises(error, match=words) as caught:
            refuse(packet)
        assert caught.value.reason is DropReason.IP_MALFORMED


def test_what_no_packet_can_hold_is_the_callers_mistake():
    with pytest.raises(LocalError, match="65536 bytes"):
        ipv6.build(A, B, 17, bytes(65536))
    assert len(ipv6.build(A, B, 17, bytes(65535))) == 65575


# -- the chain of extension headers ---------------------------------------------------------------


def test_without_extension_headers_the_upper_layer_comes_at_once():
    assert ipv6.chain(GOOD) == Chain((), IpProtocol.UDP, 40)
    assert ipv6.upper_layer(GOOD) == (IpProtocol.UDP, 40)
    assert ipv6.chain(GOOD).fragment is None


@pytest.mark.parametrize("upper", [IpProtocol.ESP, IpProtocol.AH, IpProtocol.NO_NEXT, 99])
def test_esp_ah_and_what_is_unknown_end_the_chain(upper):
    packet = chained(A, B, [(HOP, OPTIONS)], upper, bytes(16))
    assert ipv6.upper_layer(packet) == (upper, 48)


def test_each_header_stands_where_the_lengths_before_it_say():
    packet = chained(
        A, B, [(HOP, LONG_OPTIONS), (DEST, OPTIONS), (ROUTE, ROUTING), (FRAG, FIRST)], 17, bytes(8)
    )
    walked = ipv6.chain(packet)
    assert walked.extensions == (
        Extension(HOP, 40, 16),
        Extension(DEST, 56, 8),
        Extension(ROUTE, 64, 8),
        Extension(FRAG, 72, 8),
    )
    assert (walked.protocol, walked.start) == (17, 80) == ipv6.upper_layer(packet)
    assert walked.fragment == Extension(FRAG, 72, 8)


def test_the_length_byte_of_a_fragment_header_is_reserved():
    packet = bytearray(chained(A, B, [(FRAG, WHOLE)], 17, bytes(8)))
    packet[41] = 0xFF
    assert ipv6.chain(packet) == Chain((Extension(FRAG, 40, 8),), 17, 48)


def test_a_later_fragment_ends_the_chain_whatever_its_next_header_says():
    packet = chained(A, B, [(FRAG, LATER)], DEST, b"\xff" * 8)
    assert ipv6.chain(packet) == Chain((Extension(FRAG, 40, 8),), DEST, 48)
    ipv6.check(packet)


@pytest.mark.parametrize("header", [WHOLE, FIRST], ids=["atomic", "first"])
def test_behind_a_piece_from_byte_0_the_chain_goes_on(header):
    packet = chained(A, B, [(FRAG, header), (DEST, OPTIONS)], 17, bytes(8))
    assert ipv6.upper_layer(packet) == (17, 56)


def test_the_offset_counts_with_its_high_and_its_low_byte():
    for offset in (8, 0xF8, 0x100, 0xFFF8):
        packet = chained(A, B, [(FRAG, piece(offset, more=True))], DEST, b"\xff" * 8)
        assert ipv6.upper_layer(packet) == (DEST, 48)


@pytest.mark.parametrize(
    ("headers", "payload", "error", "words"),
    [
        ([(HOP, OPTIONS)], b"", None, ""),  # a chain may end with the packet
        ([], b"", None, ""),
        ([(DEST, OPTIONS), (HOP, OPTIONS)], b"", Malformed, "hop-by-hop header that is not the first"),
        ([(HOP, OPTIONS), (HOP, OPTIONS)], b"", Malformed, "hop-by-hop header that is not the first"),
        ([(DEST, OPTIONS)] * 16, b"", None, ""),
        ([(DEST, OPTIONS)] * 17, b"", Malformed, "more than 16"),
    ],
)
def test_which_chains_are_refused(headers, payload, error, words):
    packet = chained(A, B, headers, 59, payload)
    if error is None:
        ipv6.check(packet)
        return
    for refuse in (ipv6.check, ipv6.chain, ipv6.parse):
        with pytest.raises(error, match=words) as caught:
            refuse(packet)
        assert caught.value.reason is DropReason.IP_MALFORMED


@pytest.mark.parametrize("kind", [HOP, ROUTE, FRAG, DEST])
def test_a_header_that_goes_past_the_end_is_refused(kind):
    for length in range(8):
        with pytest.raises(Truncated, match=f"extension header {kind} at 40 of {40 + length}"):
            ipv6.check(ipv6.build(A, B, kind, bytes(length)))
    if kind != FRAG:
        with pytest.raises(Truncated, match="of 16 bytes at 40 of 48"):
            ipv6.check(ipv6.build(A, B, kind, bytes((59, 1, *bytes(6)))))


def test_padding_of_the_link_is_no_room_for_a_header():
    packet = ipv6.build(A, B, DEST, bytes((59, 1, *bytes(6)))) + bytes(8)
    with pytest.raises(Truncated, match="of 16 bytes at 40 of 48"):
        ipv6.check(packet)


# -- fragments ------------------------------------------------------------------------------------


def test_a_fragment_header_reads_as_it_was_written():
    fields = FragmentFields(17, 0xFFF8, True, 0xDEADBEEF)
    header = ipv6.fragment_header(fields)
    assert header.hex() == "1100fff9deadbeef"
    packet = ipv6.build(A, B, FRAG, header)
    extension = ipv6.chain(packet).fragment
    assert extension is not None
    assert ipv6.read_fragment(packet, extension) == fields


def test_the_reserved_bits_beside_the_offset_are_no_part_of_it():
    packet = ipv6.build(A, B, FRAG, bytes.fromhex("11ff000e00000001"))
    extension = ipv6.chain(packet).fragment
    assert extension is not None
    assert ipv6.read_fragment(packet, extension) == FragmentFields(17, 8, False, 1)


# -- what nodes on the way look at ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "field", "end"),
    [
        ([], 6, 40),
        ([(HOP, LONG_OPTIONS)], 40, 56),
        ([(ROUTE, ROUTING)], 40, 48),
        ([(HOP, OPTIONS), (ROUTE, ROUTING)], 48, 56),
        ([(DEST, OPTIONS)], 6, 40),
        ([(HOP, OPTIONS), (DEST, OPTIONS)], 40, 48),
        ([(DEST, OPTIONS), (ROUTE, ROUTING)], 48, 56),
        ([(ROUTE, ROUTING), (DEST, OPTIONS)], 40, 48),
        ([(HOP, OPTIONS), (DEST, OPTIONS), (ROUTE, ROUTING), (DEST, LONG_OPTIONS)], 56, 64),
        ([(FRAG, WHOLE)], 6, 40),
        ([(FRAG, LATER)], 6, 40),
        ([(HOP, OPTIONS), (FRAG, FIRST), (DEST, OPTIONS)], 40, 48),
        ([(DEST, OPTIONS), (FRAG, WHOLE), (ROUTE, ROUTING)], 40, 48),
    ],
)
def test_where_a_fragment_esp_or_ah_header_would_stand(headers, field, end):
    packet = chained(A, B, headers, IpProtocol.UDP, bytes(8))
    assert ipv6.per_hop_part(packet) == (field, end)


def test_the_field_before_that_place_names_what_follows_it():
    packet = chained(A, B, [(HOP, OPTIONS), (ROUTE, ROUTING), (DEST, OPTIONS)], IpProtocol.UDP, bytes(8))
    field, _end = ipv6.per_hop_part(packet)
    assert packet[field] == DEST
