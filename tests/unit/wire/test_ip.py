"""Both IP versions behind one door: each function is asked about the same packet in both."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated
from tests.unit.wire.samples import chained

A4, B4 = pack("10.1.0.10"), pack("10.2.0.10")
A6, B6 = pack("2001:db8:1::10"), pack("2001:db8:2::10")

PACKET_4 = ipv4.build(A4, B4, IpProtocol.UDP, bytes(9), ttl=9, tos=0xB9)
PACKET_6 = ipv6.build(A6, B6, IpProtocol.UDP, bytes(9), hop_limit=9, traffic_class=0xB9)
OPTIONS = bytes((1, 4, 0, 0, 0, 0))


def piece_4(offset: int, *, more: bool) -> bytes:
    return ipv4.build(A4, B4, IpProtocol.UDP, bytes(8), fragment_offset=offset, more_fragments=more)


def piece_6(offset: int, *, more: bool) -> bytes:
    header = ipv6.fragment_header(FragmentFields(0, offset, more, 7))[1:]
    hop_by_hop, fragment = IpProtocol.HOP_BY_HOP, IpProtocol.FRAGMENT
    return chained(A6, B6, [(hop_by_hop, OPTIONS), (fragment, header)], IpProtocol.UDP, bytes(8))


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_fields_that_both_versions_have(kind):
    for number, packet, ends in ((4, PACKET_4, (A4, B4)), (6, PACKET_6, (A6, B6))):
        packet = kind(packet) + bytes(3)  # a link's padding changes nothing
        ip.check(packet)
        assert ip.version(packet) == number
        assert (ip.source(packet), ip.destination(packet)) == ends
        assert type(ip.source(packet)) is bytes
        assert ip.total_length(packet) == len(packet) - 3
        assert ip.traffic_class(packet) == 0xB9
        assert ip.hop_limit(packet) == 9
        assert not ip.is_fragment(packet)
        assert ip.fragment_offset(packet) == 0


def test_the_upper_layer_stands_behind_options_and_extension_headers():
    assert ip.upper_layer(PACKET_4) == (IpProtocol.UDP, 20)
    assert ip.upper_layer(PACKET_6) == (IpProtocol.UDP, 40)
    assert ip.upper_layer(ipv4.build(A4, B4, 6, b"", options=bytes(8))) == (IpProtocol.TCP, 28)
    assert ip.upper_layer(chained(A6, B6, [(IpProtocol.DESTINATION_OPTIONS, OPTIONS)], 6, b"")) == (6, 48)


def test_only_ipv4_without_df_may_be_cut_on_the_way():
    assert ip.may_be_fragmented_on_the_way(PACKET_4)
    assert not ip.may_be_fragmented_on_the_way(ipv4.build(A4, B4, 17, b"", dont_fragment=True))
    assert not ip.may_be_fragmented_on_the_way(PACKET_6)
    assert ip.may_be_fragmented_on_the_way(piece_4(8, more=True))


@pytest.mark.parametrize("piece", [piece_4, piece_6])
@pytest.mark.parametrize("offset", [0, 8, 0xF8, 0x800, 0xFFF8])
def test_pieces_and_where_they_begin(piece, offset):
    packet = piece(offset, more=True)
    ip.check(packet)
    assert ip.is_fragment(packet)
    assert ip.fragment_offset(packet) == offset


def test_a_lone_ipv6_piece_that_is_the_whole_is_a_fragment_and_in_ipv4_there_is_no_such_thing():
    assert ip.is_fragment(piece_6(0, more=False))
    assert not ip.is_fragment(piece_4(0, more=False))


@pytest.mark.parametrize("piece", [piece_4, piece_6])
def test_a_packet_is_whole_when_nothing_of_it_is_elsewhere(piece):
    assert ip.is_whole(piece(0, more=False))
    for offset, more in ((0, True), (8, True), (8, False)):
        assert not ip.is_whole(piece(offset, more=more))
    assert ip.is_whole(PACKET_4)
    assert ip.is_whole(PACKET_6)
    assert ip.is_whole(chained(A6, B6, [(IpProtocol.DESTINATION_OPTIONS, OPTIONS)], 6, b""))


@pytest.mark.parametrize("piece", [piece_4, piece_6])
def test_the_last_piece_is_a_fragment_too(piece):
    assert ip.is_fragment(piece(1480, more=False))


@pytest.mark.parametrize(
    ("packet", "error", "words"),
    [
        (b"", Truncated, "empty"),
        (b"\x00" + PACKET_4[1:], Malformed, "IP version 0"),
        (b"\x75" + PACKET_4[1:], Malformed, "IP version 7"),
        (PACKET_4[:19], Truncated, "IPv4 packet of 19 bytes"),
        (PACKET_6[:39], Truncated, "IPv6 packet of 39 bytes"),
        (PACKET_4[:8] + b"\x08" + PACKET_4[9:], Malformed, "checksum"),
        (ipv6.build(A6, B6, IpProtocol.FRAGMENT, bytes(7)), Truncated, "extension header 44"),
    ],
)
def test_what_is_wrong_in_either_version_is_refused(packet, error, words):
    with pytest.raises(error, match=words) as caught:
        ip.check(packet)
    assert caught.value.reason is DropReason.IP_MALFORMED


def test_a_packet_is_built_in_the_version_of_its_addresses():
    built = ip.build(A4, B4, 17, b"data", identification=7, traffic_class=3, dont_fragment=True)
    assert built == ipv4.build(A4, B4, 17, b"data", identification=7, tos=3, dont_fragment=True)
    built = ip.build(A6, B6, 17, b"data", identification=7, traffic_class=3, dont_fragment=True)
    assert built == ipv6.build(A6, B6, 17, b"data", traffic_class=3)


@pytest.mark.parametrize(("packet", "ends"), [(PACKET_4, (A4, B4)), (PACKET_6, (A6, B6))])
def test_both_addresses_are_read_at_once(packet, ends):
    assert ip.addresses(bytearray(packet)) == ends
