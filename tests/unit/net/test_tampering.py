"""One bit of what a packet carries is changed, and no checksum that anybody can mend gives it away."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.net.tampering import Mask, flipped, masked
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.checksum import is_valid, transport_is_valid
from ipsecsim.wire.icmpv4 import Echo
from ipsecsim.wire.numbers import IpProtocol

V4 = pack("10.1.0.1"), pack("10.1.0.2")
V6 = pack("2001:db8::1"), pack("2001:db8::2")
DATA = bytes(range(33))  # an odd number: the last byte is half a word
CHANCE = SeededEntropy("flips")

SUMMED = {
    "UDP in IPv4": (ipv4.build(*V4, IpProtocol.UDP, udp.build(*V4, 1, 2, DATA)), 20 + 8),
    "UDP in IPv6": (ipv6.build(*V6, IpProtocol.UDP, udp.build(*V6, 1, 2, DATA)), 40 + 8),
    "ICMP": (ipv4.build(*V4, IpProtocol.ICMP, Echo(False, 1, 1, DATA).emit()), 20 + 8),
}


def changed_bits(one: bytes, other: bytes) -> list[int]:
    assert len(one) == len(other)
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return [bit for bit in range(8 * len(one)) if difference >> (8 * len(one) - 1 - bit) & 1]


@pytest.mark.parametrize(("packet", "begin"), SUMMED.values(), ids=SUMMED)
def test_the_contents_change_and_the_checksum_with_them(packet, begin):
    seen = set()
    for _ in range(4000):
        other, bit = flipped(packet, CHANCE)
        seen.add(bit)
        assert [each for each in changed_bits(packet, other) if each >= 8 * begin] == [bit]
        protocol, start = ip.upper_layer(other)
        segment = other[start:]
        if protocol == IpProtocol.ICMP:
            assert is_valid(segment)
        else:
            assert transport_is_valid(*ip.addresses(other), protocol, segment)
        assert other[:start] == packet[:start]
    assert seen == set(range(8 * begin, 8 * len(packet)))


def test_of_esp_anything_may_change_and_nothing_is_mended():
    packet = ipv4.build(*V4, IpProtocol.ESP, DATA)
    flips = [flipped(packet, CHANCE) for _ in range(4000)]
    assert all(changed_bits(packet, other) == [bit] for other, bit in flips)
    assert {bit for _, bit in flips} == set(range(8 * 20, 8 * len(packet)))


def test_a_udp_checksum_that_was_left_out_stays_out():
    segment = udp.build(*V4, 4500, 4500, DATA)
    packet = ipv4.build(*V4, IpProtocol.UDP, segment[:6] + bytes(2) + segment[8:])
    other, _ = flipped(packet, CHANCE)
    assert other[26:28] == bytes(2)


def test_a_later_fragment_is_contents_from_its_first_byte_on():
    packet = ipv4.build(*V4, IpProtocol.UDP, DATA, fragment_offset=64)
    flips = [flipped(packet, CHANCE) for _ in range(4000)]
    assert all(changed_bits(packet, other) == [bit] for other, bit in flips)
    assert {bit for _, bit in flips} == set(range(8 * 20, 8 * len(packet)))


@pytest.mark.parametrize(
    "packet",
    [
        b"\x00",
        b"no packet at all",
        ipv4.build(*V4, IpProtocol.ESP, b""),
        ipv4.build(*V4, IpProtocol.UDP, udp.build(*V4, 1, 2, b"")),
        ipv4.build(*V4, IpProtocol.UDP, b"\x00\x01"),
    ],
)
def test_what_carries_nothing_loses_a_bit_all_the_same(packet):
    for _ in range(200):
        other, bit = flipped(packet, CHANCE)
        assert bit in changed_bits(packet, other)


def test_chosen_bits_are_turned_over_where_they_were_meant_and_nowhere_else():
    packet = ipv4.build(*V4, IpProtocol.ESP, DATA)
    other, at = masked(packet, Mask(20, b"\xc1\x01\x43\x00"))
    assert at == 20 + 20
    assert other[:40] + other[44:] == packet[:40] + packet[44:]
    assert other[40:44] == bytes((20 ^ 0xC1, 21 ^ 1, 22 ^ 0x43, 23))


@pytest.mark.parametrize("packet", [b"", b"no packet at all", ipv4.build(*V4, IpProtocol.ESP, DATA[:23])])
def test_a_packet_that_is_too_short_for_the_chosen_bits_stays_as_it_is(packet):
    assert masked(packet, Mask(20, b"\xff\xff\xff\xff"))[0] == packet
