import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire import ipv4
from ipsecsim.wire.checksum import internet_checksum, is_valid
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated
from tests.unit.wire.samples import IKE_SA_INIT_PACKET

A = pack("10.1.0.10")
B = pack("10.2.0.10")


def with_checksum(packet: bytes) -> bytes:
    size = (packet[0] & 0x0F) * 4
    header = packet[:10] + b"\0\0" + packet[12:size]
    return header[:10] + internet_checksum(header).to_bytes(2, "big") + packet[12:]


def test_a_recorded_packet_reads_as_expected_and_is_built_byte_for_byte():
    header = ipv4.parse(IKE_SA_INIT_PACKET)
    assert header == ipv4.Ipv4Header(
        A, B, IpProtocol.UDP, 256, identification=0x16F6, ttl=63, dont_fragment=True
    )
    built = ipv4.build(
        A, B, IpProtocol.UDP, IKE_SA_INIT_PACKET[20:], ttl=63, identification=0x16F6, dont_fragment=True
    )
    assert built == IKE_SA_INIT_PACKET


def test_field_offsets_point_at_the_fields():
    packet = IKE_SA_INIT_PACKET
    assert packet[ipv4.SOURCE] == A
    assert packet[ipv4.DESTINATION] == B
    assert packet[ipv4.PROTOCOL] == IpProtocol.UDP
    assert packet[ipv4.TTL] == 63
    assert packet[ipv4.TOS] == 0


def test_payload_ends_at_the_total_length_though_the_link_padded():
    packet = ipv4.build(A, B, 99, b"abc")
    assert ipv4.payload(packet + bytes(9)) == b"abc"
    ipv4.check(packet + bytes(9))
    assert ipv4.payload(bytearray(packet)) == b"abc"


def test_options_are_kept_and_counted_in_the_header_length():
    packet = ipv4.build(A, B, 1, b"data", options=b"\x94\x04\0\0")
    assert ipv4.header_length(packet) == 24
    assert ipv4.parse(packet).options == b"\x94\x04\0\0"
    assert ipv4.payload(packet) == b"data"


@pytest.mark.parametrize(
    ("options", "is_fragment"),
    [
        ({}, False),
        ({"dont_fragment": True}, False),
        ({"more_fragments": True}, True),
        ({"fragment_offset": 8}, True),
        ({"fragment_offset": 0x1FFF * 8}, True),
    ],
)
def test_what_counts_as_a_fragment(options, is_fragment):
    packet = ipv4.build(A, B, 1, b"", **options)
    assert ipv4.is_fragment(packet) is is_fragment
    assert ipv4.parse(packet).fragment_offset == options.get("fragment_offset", 0)


GOOD = ipv4.build(A, B, 17, bytes(8))


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"", "packet of 0 bytes"),
        (GOOD[:19], "packet of 19 bytes"),
        (with_checksum(b"\x65" + GOOD[1:]), "version 6"),
        (with_checksum(b"\x44" + GOOD[1:]), "header length 16"),
        (b"\x4f" + GOOD[1:], "header length 60"),
        (with_checksum(GOOD[:2] + b"\0\x13" + GOOD[4:]), "total length 19"),
        (with_checksum(GOOD[:2] + b"\0\0" + GOOD[4:]), "total length 0"),
        (GOOD[:-1], "total length 28 in a packet of 27"),
        (GOOD[:8] + b"\x3f" + GOOD[9:], "checksum"),
    ],
)
def test_a_wrong_header_is_refused(packet, words):
    for refuse in (ipv4.check, ipv4.parse):
        with pytest.raises(Malformed, match=words) as caught:
            refuse(packet)
        assert caught.value.reason is DropReason.IP_MALFORMED


def test_a_header_longer_than_the_total_length_is_refused():
    packet = ipv4.build(A, B, 17, b"", options=bytes(8))
    with pytest.raises(Malformed, match="total length 24"):
        ipv4.check(with_checksum(packet[:2] + b"\0\x18" + packet[4:]))


def test_the_shortest_packet_is_only_a_header():
    packet = ipv4.build(A, B, 59, b"")
    ipv4.check(packet)
    assert ipv4.payload(packet) == b""
    with pytest.raises(Truncated):
        ipv4.check(packet[:-1])


def test_decrement_ttl_mends_the_checksum_for_every_header_sum():
    # The identification runs through all 65536 checksums, the two zeros included.
    for identification in range(0x10000):
        packet = bytearray(ipv4.build(A, B, 17, b"", ttl=64, identification=identification))
        ipv4.decrement_ttl(packet)
        assert packet == ipv4.build(A, B, 17, b"", ttl=63, identification=identification)


def test_decrement_ttl_all_the_way_down():
    packet = bytearray(ipv4.build(A, B, 17, b"abc", ttl=255))
    for ttl in range(254, -1, -1):
        ipv4.decrement_ttl(packet)
        assert packet[ipv4.TTL] == ttl
        assert is_valid(packet[:20])


def test_what_no_packet_can_hold_is_the_callers_mistake():
    with pytest.raises(LocalError, match="65536 bytes"):
        ipv4.build(A, B, 17, bytes(65516))
    with pytest.raises(LocalError, match="options"):
        ipv4.build(A, B, 17, b"", options=bytes(3))
    with pytest.raises(LocalError, match="options"):
        ipv4.build(A, B, 17, b"", options=bytes(44))
    assert len(ipv4.build(A, B, 17, bytes(65515))) == 65535
