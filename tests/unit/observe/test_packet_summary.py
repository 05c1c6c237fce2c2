"""Packets in a few words, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.observe.layers import layers
from ipsecsim.observe.packet_summary import esp_of, ike_of, summary
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.icmpv4 import Echo, IcmpError, UnknownIcmp
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType

A, B = pack("10.1.0.2"), pack("10.2.0.2")
IKE = IkeHeader(bytes(8), bytes(8), 0, ExchangeType.IKE_AUTH, INITIATOR | RESPONSE, 1, 28).emit()
ESP = bytes.fromhex("5e0d77aa00000003") + bytes(40)
QUOTED = ipv4.build(A, B, 17, bytes(8))


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


@pytest.mark.parametrize("words", PACKETS)
def test_a_line_for_each(words: str) -> None:
    packet = PACKETS[words]
    assert summary(packet) == f"10.1.0.2 > 10.2.0.2, {words}, {len(packet)} B"


def test_what_is_no_packet() -> None:
    assert summary(b"") == "no IPv4 packet (IPv4 packet of 0 bytes), 0 B"
    assert summary(b"\x60" + bytes(39)) == "no IPv4 packet (IP version 6, not 4), 40 B"


def test_only_where_the_header_is_in_this_packet() -> None:
    later = ip(50, ESP, fragment_offset=1480)
    assert esp_of(later) is ike_of(later) is None
    assert esp_of(ip(50, ESP)) == (0x5E0D77AA, 3)
    assert esp_of(in_udp(500, ESP)) is None
    header = ike_of(in_udp(500, IKE))
    assert header is not None
    assert header.message_id == 1


def test_layers_in_clear() -> None:
    assert layers(in_udp(4500, ESP)) == ("ipv4", "udp", "esp")
    assert layers(in_udp(500, IKE)) == ("ipv4", "udp", "ike")
    assert layers(ip(50, ESP)) == ("ipv4", "esp")
    assert layers(b"") == ()


@given(st.binary(max_size=80))
def test_nothing_makes_it_stumble(junk: bytes) -> None:
    for packet in (junk, ip(17, junk), ip(1, junk), ip(50, junk), in_udp(500, junk), in_udp(4500, junk)):
        assert summary(packet)
        layers(packet)
        esp_of(packet)
        ike_of(packet)
