"""AH as people see it: what it signs is in clear, and the colours say what is signed."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.wire import esp, icmpv4, ipv4, ipv6, udp
from ipsecsim.wire.dissect import dissect
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, MUTABLE, SEALED, Field
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.wire.samples import IKE_SA_INIT, chained
from tests.unit.wire.test_dissect import value

A, B = pack("10.1.0.10"), pack("10.2.0.10")
A6, B6 = pack("2001:db8:1::10"), pack("2001:db8:2::10")
ECHO = icmpv4.Echo(False, 7, 3, b"abc").emit()


def ah(following: int, payload: bytes, icv: int = 12) -> bytes:
    return bytes((following, icv // 4 + 1)) + bytes.fromhex("0000cf349d0700000003") + b"\xaa" * icv + payload


def protections(field: Field) -> dict[str, str]:
    return {child.name: child.protection for child in field.children}


def test_transport_mode_shows_the_payload():
    root = dissect(ipv4.build(A, B, IpProtocol.AH, ah(1, ECHO)))
    layer = root.find("AH")
    assert layer is not None
    assert [(child.name, child.value) for child in layer.children] == [
        ("Next Header", "ICMP (1)"),
        ("Payload Len", "4 (24 bytes of AH)"),
        ("RESERVED", "0x0000"),
        ("Security Parameters Index (SPI)", "0xcf349d07"),
        ("Sequence Number", "3"),
        ("Integrity Check Value (ICV)", "aa" * 12),
        ("ICMP", "ECHO, sequence 3"),
    ]
    assert layer.value == "SPI 0xcf349d07, sequence 3"
    assert value(layer, "ICMP", "Checksum").endswith("(correct)")
    assert {each.protection for _, each in layer.walk()} == {AUTHENTICATED}


def test_what_routers_may_change_is_not_signed():
    assert protections(dissect(ipv4.build(A, B, IpProtocol.AH, ah(1, ECHO)))) == {
        "Version": AUTHENTICATED,
        "IHL": AUTHENTICATED,
        "DSCP": MUTABLE,
        "ECN": MUTABLE,
        "Total Length": AUTHENTICATED,
        "Identification": AUTHENTICATED,
        "Flags": MUTABLE,
        "Fragment Offset": MUTABLE,
        "Time to Live": MUTABLE,
        "Protocol": AUTHENTICATED,
        "Header Checksum": MUTABLE,
        "Source Address": AUTHENTICATED,
        "Destination Address": AUTHENTICATED,
        "AH": AUTHENTICATED,
    }
    unsigned = {
        name
        for name, protection in protections(dissect(ipv6.build(A6, B6, IpProtocol.AH, ah(59, b"")))).items()
        if protection == MUTABLE
    }
    assert unsigned == {"DSCP", "ECN", "Flow Label", "Hop Limit"}


def test_of_ipv4_options_those_that_change_are_not_signed():
    options = bytes((148, 4, 0, 0)) + bytes((7, 3, 4)) + b"\x01"
    layer = dissect(ipv4.build(A, B, IpProtocol.AH, ah(1, ECHO), options=options)).find("Options")
    assert layer is not None
    assert protections(layer) == {
        "Router Alert": AUTHENTICATED,
        "Record Route": MUTABLE,
        "No Operation": AUTHENTICATED,
    }


def test_of_ipv6_options_only_the_data_may_be_unsigned():
    options = bytes((0x3E, 2, 1, 2)) + bytes((0x1E, 4, 1, 2, 3, 4))
    packet = chained(A6, B6, [(IpProtocol.HOP_BY_HOP, options + bytes(4))], IpProtocol.AH, ah(59, b""))
    layer = dissect(packet).find("Hop-by-Hop Options")
    assert layer is not None
    changing, lasting = layer.find("Option 0x3e"), layer.find("Option 0x1e")
    assert changing is not None
    assert lasting is not None
    assert protections(changing)["Option Data"] == MUTABLE
    assert protections(changing)["Opt Data Len"] == AUTHENTICATED
    assert protections(lasting)["Option Data"] == AUTHENTICATED


def test_tunnel_mode_signs_all_of_the_inner_packet():
    inner = ipv6.build(A6, B6, IpProtocol.UDP, udp.build(A6, B6, 500, 500, IKE_SA_INIT))
    root = dissect(ipv4.build(A, B, IpProtocol.AH, ah(IpProtocol.IPV6, inner)))
    assert value(root, "AH", "IPv6", "UDP", "IKE").startswith("IKE_SA_INIT")
    layer = root.find("AH")
    assert layer is not None
    assert {each.protection for _, each in layer.walk()} == {AUTHENTICATED}


def test_esp_in_ah_stays_sealed():
    sealed = esp.HEADER.pack(0x100, 9) + bytes(40)
    layer = dissect(ipv4.build(A, B, IpProtocol.AH, ah(IpProtocol.ESP, sealed))).find("AH", "ESP")
    assert layer is not None
    assert [child.protection for child in layer.children] == [AUTHENTICATED, AUTHENTICATED, SEALED]


@pytest.mark.parametrize(
    ("size", "icv", "padding"),
    [(12, 12, 0), (16, 16, 0), (20, 16, 4), (24, 24, 0), (28, 24, 4), (36, 32, 4), (8, 8, 0), (60, 60, 0)],
)
def test_the_padding_that_aligns_the_header(size, icv, padding):
    layer = dissect(ipv6.build(A6, B6, IpProtocol.AH, ah(59, b"", size))).find("AH")
    assert layer is not None
    assert value(layer, "Integrity Check Value (ICV)").startswith("aa" * min(icv, 20))
    found = layer.find("Padding")
    assert (0 if found is None else found.end - found.start) == padding


def test_a_fragment_is_not_taken_for_a_signed_packet():
    root = dissect(ipv4.build(A, B, IpProtocol.AH, ah(1, ECHO), more_fragments=True))
    assert root.find("Fragment of AH") is not None
    assert {each.protection for _, each in root.walk()} == {CLEAR}


@pytest.mark.parametrize(
    ("words", "said"), [(0, "an AH of 8 bytes is shorter than its fixed fields"), (200, "bytes wanted")]
)
def test_a_length_that_cannot_be_true(words, said):
    payload = bytearray(ah(1, ECHO))
    payload[1] = words
    layer = dissect(ipv4.build(A, B, IpProtocol.AH, bytes(payload))).find("AH")
    assert layer is not None
    assert layer.children[-1].name == "malformed"
    assert said in layer.children[-1].value


def test_ah_in_ah_without_end_is_shown_as_bytes():
    payload = b""
    while len(payload) < 60000:
        payload = ah(IpProtocol.AH, payload)
    assert max(depth for depth, _ in dissect(ipv4.build(A, B, IpProtocol.AH, payload)).walk()) < 13
