"""Packets in a few words, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.observe.packets.packet_summary import ah_of, esp_of, summary
from ipsecsim.wire import icmpv6, ipv4, ipv6, udp
from ipsecsim.wire.icmpv4 import Echo, IcmpError, UnknownIcmp
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.in_udp import ike_of
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.layers import layers
from tests.unit.wire.samples import chained

A, B = pack("10.1.0.2"), pack("10.2.0.2")
A6, B6 = pack("2001:db8:1::2"), pack("2001:db8:2::2")
IKE = IkeHeader(bytes(8), bytes(8), 0, ExchangeType.IKE_AUTH, INITIATOR | RESPONSE, 1, 28).emit()
FRAGMENT = IKE[:16] + b"\x35" + IKE[17:] + bytes.fromhex("0000001000020003") + bytes(8)
ESP = bytes.fromhex("5e0d77aa00000003") + bytes(40)
QUOTED = ipv4.build(A, B, 17, bytes(8))
QUOTED6 = ipv6.build(A6, B6, 17, bytes(8))
PIECE, REST = (
    ipv6.fragment_header(FragmentFields(0, offset, more, 7))[1:]
    for offset, more in ((0, True), (1448, False))
)
LONE = ipv6.fragment_header(FragmentFields(0, 0, False, 7))[1:]
HOP, FRAG = 0, 44


def ah(following: int, payload: bytes) -> bytes:
    return bytes((following, 4)) + bytes.fromhex("00005e0d77aa00000003") + bytes(12) + payload


def ip(protocol: int, payload: bytes, **fields: object) -> bytes:
    return ipv4.build(A, B, protocol, payload, **fields)  # type: ignore[arg-type]


def in_udp(port: int, payload: bytes) -> bytes:
    return ip(17, udp.build(A, B, port, port, payload))


PACKETS = {
    "ICMP echo request 3": ip(1, Echo(False, 1, 3, b"x").emit()),
    "ICMP echo reply 3": ip(1, Echo(True, 1, 3).emit()),
    "ICMP time exceeded": ip(1, IcmpError(11, 0, QUOTED).emit()),
    "ICMP destination unreachable: fragmentation needed, MTU 1400": ip(
        1, IcmpError(3, 4, QUOTED, 1400).emit()
    ),
    "ICMP destination unreachable: code 99": ip(1, IcmpError(3, 99, QUOTED).emit()),
    "ICMP type 42 code 1": ip(1, UnknownIcmp(42, 1, bytes(4)).emit()),
    "ICMP (ICMP checksum is wrong)": ip(1, b"\x08\x00\x00\x01aaaa"),
    "ESP SPI 5e0d77aa sequence 3": ip(50, ESP),
    "ESP, too short": ip(50, b"1234567"),
    "ESP SPI 5e0d77aa sequence 3 in UDP 4500 > 4500": in_udp(4500, ESP),
    "IKE_AUTH response 1 on UDP 4500 > 4500": in_udp(4500, bytes(4) + IKE),
    "IKE_AUTH response 1 on UDP 500 > 500": in_udp(500, IKE),
    "IKE_AUTH response 1, fragment 2 of 3 on UDP 500 > 500": in_udp(500, FRAGMENT),
    "IKE_AUTH response 1, fragment 2 of 3 on UDP 4500 > 4500": in_udp(4500, bytes(4) + FRAGMENT),
    "UDP 500 > 500": in_udp(500, b"no IKE"),
    "NAT keepalive on UDP 4500 > 4500": in_udp(4500, b"\xff"),
    "UDP 9 > 9": in_udp(9, b""),
    "UDP 0 > 0": ip(17, b""),
    "protocol 99": ip(99, b""),
    "TCP": ip(6, b""),
    "the first fragment of ICMP": ip(1, b"\x08\x00\x00\x01aaaa", more_fragments=True),
    "the first fragment of ESP SPI 5e0d77aa sequence 3": ip(50, ESP, more_fragments=True),
    "a fragment from byte 1480 of ESP": ip(50, ESP, fragment_offset=1480),
}

BEHIND_AH = "AH SPI 5e0d77aa sequence 3"
SIGNED = {
    f"{BEHIND_AH} | ICMP echo request 3": ip(51, ah(1, Echo(False, 1, 3, b"x").emit())),
    f"{BEHIND_AH} | ESP SPI 5e0d77aa sequence 3": ip(51, ah(50, ESP)),
    f"{BEHIND_AH} | 10.1.0.2 > 10.2.0.2, UDP 9 > 9": ip(51, ah(4, in_udp(9, b""))),
    f"{BEHIND_AH} | 10.1.0.2 > 10.2.0.2, a fragment from byte 1480 of ESP": ip(
        51, ah(4, ip(50, ESP, fragment_offset=1480))
    ),
    f"{BEHIND_AH} | 2001:db8:1::2 > 2001:db8:2::2, protocol 99": ip(51, ah(41, ipv6.build(A6, B6, 99, b""))),
    f"{BEHIND_AH} | IPv4 (IP version 6)": ip(51, ah(4, ipv6.build(A6, B6, 99, b""))),
    f"{BEHIND_AH} | IPv6 (an empty IP packet)": ip(51, ah(41, b"")),
    f"the first fragment of {BEHIND_AH} | IPv4": ip(51, ah(4, in_udp(9, b"x")[:24]), more_fragments=True),
    f"the first fragment of {BEHIND_AH} | ICMP": ip(51, ah(1, b"\x08\0"), more_fragments=True),
    "a fragment from byte 1480 of AH": ip(51, ah(1, b""), fragment_offset=1480),
    "AH (AH of 3 bytes)": ip(51, b"123"),
    "AH (AH length 1028 in 24 bytes)": ip(51, b"\x01\xff" + ah(1, b"")[2:]),
}


def ip6(protocol: int, payload: bytes) -> bytes:
    return ipv6.build(A6, B6, protocol, payload)


def error6(kind: int, code: int, rest: int = 0) -> bytes:
    return ip6(58, icmpv6.IcmpError(kind, code, QUOTED6, rest).emit(A6, B6))


ECHO6 = icmpv6.Echo(True, 1, 3, b"x").emit(A6, B6)
IPV6 = {
    "ICMPv6 echo reply 3": ip6(58, ECHO6),
    "ICMPv6 packet too big, MTU 1280": error6(2, 0, 1280),
    "ICMPv6 destination unreachable: administratively prohibited": error6(1, 1),
    "ICMPv6 destination unreachable: code 99": error6(1, 99),
    "ICMPv6 time exceeded": error6(3, 0),
    "ICMPv6 type 127 code 3": error6(127, 3),
    "ICMPv6 type 200 code 1": ip6(58, icmpv6.UnknownIcmp(200, 1, bytes(4)).emit(A6, B6)),
    "ICMPv6 (ICMPv6 checksum is wrong)": ip6(58, b"\x80\x00\x00\x01aaaa"),
    "ESP SPI 5e0d77aa sequence 3": ip6(50, ESP),
    "ESP SPI 5e0d77aa sequence 3 in UDP 4500 > 4500": ip6(17, udp.build(A6, B6, 4500, 4500, ESP)),
    f"{BEHIND_AH} | ICMPv6 echo reply 3": ip6(51, ah(58, ECHO6)),
    "hop-by-hop options | ICMPv6 echo reply 3": chained(A6, B6, [(HOP, bytes(6))], 58, ECHO6),
    "hop-by-hop options | the first fragment of UDP 9 > 9": chained(
        A6, B6, [(HOP, bytes(6)), (FRAG, PIECE)], 17, udp.build(A6, B6, 9, 9, b"")
    ),
    "a fragment from byte 1448 of UDP": chained(A6, B6, [(FRAG, REST)], 17, bytes(8)),
    "hop-by-hop options | a fragment from byte 1448 of destination options": chained(
        A6, B6, [(HOP, bytes(6)), (FRAG, REST)], 60, bytes(8)
    ),
    "a lone fragment | ICMPv6 echo reply 3": chained(A6, B6, [(FRAG, LONE)], 58, ECHO6),
    "routing header | ICMPv6": chained(A6, B6, [(43, bytes((0, 1)) + bytes(20))], 58, ECHO6),
    "no next header": ip6(59, b""),
}


@pytest.mark.parametrize("words", SIGNED)
def test_ah_shows_what_it_signs(words: str) -> None:
    packet = SIGNED[words]
    assert summary(packet) == f"10.1.0.2 > 10.2.0.2, {words}, {len(packet)} B"


@pytest.mark.parametrize("words", IPV6)
def test_ipv6(words: str) -> None:
    packet = IPV6[words]
    assert summary(packet) == f"2001:db8:1::2 > 2001:db8:2::2, {words}, {len(packet)} B"


@pytest.mark.parametrize("words", PACKETS)
def test_a_line_for_each(words: str) -> None:
    packet = PACKETS[words]
    assert summary(packet) == f"10.1.0.2 > 10.2.0.2, {words}, {len(packet)} B"


def test_what_is_no_packet() -> None:
    assert summary(b"") == "no IP packet (an empty IP packet), 0 B"
    assert summary(b"\x50" + bytes(39)) == "no IP packet (IP version 5), 40 B"
    assert summary(ipv6.build(A6, B6, 60, b"")) == (
        "no IP packet (IPv6 extension header 60 at 40 of 40 bytes), 40 B"
    )


def test_only_where_the_header_is_in_this_packet() -> None:
    later = ip(50, ESP, fragment_offset=1480)
    assert esp_of(later) is ike_of(later) is None
    assert esp_of(ip(50, ESP)) == (0x5E0D77AA, 3)
    assert esp_of(in_udp(500, ESP)) is None
    header = ike_of(in_udp(500, IKE))
    assert header is not None
    assert header.message_id == 1
    assert ah_of(ip(51, ah(1, b""))) == (0x5E0D77AA, 3)
    assert ah_of(ip(51, ah(1, b""), fragment_offset=1480)) is ah_of(ip(50, ESP)) is None
    assert esp_of(ip(51, ah(50, ESP))) == (0x5E0D77AA, 3)
    assert esp_of(chained(A6, B6, [(FRAG, REST)], 50, ESP)) is None


def test_layers_in_clear() -> None:
    assert layers(in_udp(4500, ESP)) == ("ipv4", "udp", "esp")
    assert layers(in_udp(500, IKE)) == ("ipv4", "udp", "ike")
    assert layers(in_udp(4500, b"\xff")) == ("ipv4", "udp", "keepalive")
    assert layers(ip(50, ESP)) == ("ipv4", "esp")
    assert layers(ip(51, ah(50, ESP))) == ("ipv4", "ah", "esp")
    assert layers(ip(51, ah(4, in_udp(500, IKE)))) == ("ipv4", "ah", "ipv4", "udp", "ike")
    assert layers(ip(51, b"123")) == ("ipv4",)
    assert layers(ip(50, ESP, fragment_offset=1480)) == ("ipv4", "fragment")
    assert layers(ip(50, ESP, more_fragments=True)) == ("ipv4", "fragment", "esp")
    assert layers(IPV6["hop-by-hop options | ICMPv6 echo reply 3"]) == ("ipv6", "icmpv6")
    assert layers(IPV6["a fragment from byte 1448 of UDP"]) == ("ipv6", "fragment")
    assert layers(b"") == ()


@given(st.binary(max_size=80))
def test_nothing_makes_it_stumble(junk: bytes) -> None:
    protocols = (0, 1, 4, 17, 41, 43, 44, 50, 51, 58, 60)
    bare = [packet for number in protocols for packet in (ip(number, junk), ip6(number, junk))]
    signed = [ip(51, ah(number, junk)) for number in protocols]
    for packet in (junk, *bare, *signed, in_udp(500, junk), in_udp(4500, junk)):
        assert summary(packet)
        layers(packet)
        esp_of(packet)
        ah_of(packet)
        ike_of(packet)


def test_headers_without_end_are_not_all_walked() -> None:
    payload = b""
    while len(payload) < 60_000:
        payload = ah(51, payload)
    assert summary(ip(51, payload)).count("AH SPI") < 100
