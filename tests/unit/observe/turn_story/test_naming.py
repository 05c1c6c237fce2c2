"""Packets have short names, whatever their bytes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.observe.turn_story import naming
from ipsecsim.wire import esp, ipv4, udp
from ipsecsim.wire.icmpv4 import Echo
from ipsecsim.wire.numbers import IpProtocol

HERE, THERE = pack("10.1.0.2"), pack("10.2.0.2")


def of(protocol: int, payload: bytes) -> bytes:
    return ipv4.build(HERE, THERE, protocol, payload)


SEALED = bytes.fromhex("5e0d77aa00000007") + bytes(32)
PACKETS = {
    "echo request 3": (of(IpProtocol.ICMP, Echo(False, 1, 3, b"").emit()), "ping 3", "plain"),
    "echo reply 3": (of(IpProtocol.ICMP, Echo(True, 1, 3, b"").emit()), "the answer to ping 3", "plain"),
    "ESP seq 7": (of(IpProtocol.ESP, SEALED), "ESP packet 7", "esp"),
    "NAT keepalive": (
        of(IpProtocol.UDP, udp.build(HERE, THERE, 4500, 4500, b"\xff")),
        "the NAT keepalive",
        "plain",
    ),
    "UDP to port 9": (of(IpProtocol.UDP, udp.build(HERE, THERE, 5000, 9, b"data")), "the datagram", "plain"),
    "TCP": (of(IpProtocol.TCP, bytes(20)), "the TCP packet", "plain"),
}


@pytest.mark.parametrize("name", PACKETS)
def test_a_packet_has_a_name_a_noun_and_a_layer(name):
    packet, noun, layer = PACKETS[name]
    assert (naming.name(packet), naming.noun(packet), naming.layer(packet)) == (name, noun, layer)


def test_esp_in_udp_is_esp():
    packet = of(IpProtocol.UDP, udp.build(HERE, THERE, 4500, 4500, SEALED))
    assert (naming.name(packet), naming.layer(packet)) == ("ESP seq 7", "esp")
    assert esp.numbers(SEALED) == (0x5E0D77AA, 7)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda more: of(50, more) if more else b"\x45"))
def test_any_bytes_have_names(data):
    assert naming.name(data)
    assert naming.noun(data)
    assert naming.layer(data) in ("ike", "esp", "ah", "plain")
