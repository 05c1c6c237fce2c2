"""IPv6, its extension headers and ICMPv6 as people see them."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.wire import esp, icmpv6, ipv6, udp
from ipsecsim.wire.dissect import dissect
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.wire.samples import chained
from tests.unit.wire.test_dissect import value

A, B, C = pack("2001:db8:1::10"), pack("2001:db8:2::10"), pack("2001:db8:3::10")
HOP, DEST, ROUTE, FRAG = (
    IpProtocol.HOP_BY_HOP,
    IpProtocol.DESTINATION_OPTIONS,
    IpProtocol.ROUTING,
    IpProtocol.FRAGMENT,
)
ECHO = icmpv6.Echo(False, 7, 3, b"abc")


def names(packet: bytes, *path: str) -> list[str]:
    found = dissect(packet).find(*path)
    assert found is not None
    return [child.name for child in found.children]


def piece(offset: int, *, more: bool) -> bytes:
    return ipv6.fragment_header(FragmentFields(0, offset, more, 0x1234))[1:]


def test_the_fixed_header_and_an_echo():
    packet = ipv6.build(A, B, 58, ECHO.emit(A, B), hop_limit=7, traffic_class=46 << 2 | 1, flow_label=0xABCDE)
    root = dissect(packet)
    assert (root.name, root.value) == ("IPv6", "2001:db8:1::10 > 2001:db8:2::10")
    assert [(child.name, child.value) for child in root.children[:9]] == [
        ("Version", "6"),
        ("DSCP", "46"),
        ("ECN", "ECT(1)"),
        ("Flow Label", "0xabcde"),
        ("Payload Length", "11 bytes"),
        ("Next Header", "ICMPv6 (58)"),
        ("Hop Limit", "7"),
        ("Source Address", "2001:db8:1::10"),
        ("Destination Address", "2001:db8:2::10"),
    ]
    assert value(root, "ICMPv6") == "ECHO_REQUEST, sequence 3"
    assert value(root, "ICMPv6", "Checksum").endswith("(correct)")
    assert value(dissect(packet[:-1] + b"x"), "ICMPv6", "Checksum").endswith("(wrong)")


def test_an_error_quotes_the_packet_and_tells_the_mtu():
    quoted = ipv6.build(A, B, 17, udp.build(A, B, 500, 500, bytes(600)))[:88]
    error = icmpv6.IcmpError(icmpv6.Icmpv6Type.PACKET_TOO_BIG, 0, quoted, 1280)
    root = dissect(ipv6.build(C, A, 58, error.emit(C, A)))
    assert value(root, "ICMPv6") == "PACKET_TOO_BIG"
    assert value(root, "ICMPv6", "MTU") == "1280"
    assert value(root, "ICMPv6", "Invoking packet", "UDP") == "500 > 500"
    assert "cut off" in value(root, "ICMPv6", "Invoking packet", "UDP", "Checksum")


@pytest.mark.parametrize(
    ("kind", "code", "words", "field"),
    [
        (1, 4, "DESTINATION_UNREACHABLE, PORT", "Unused"),
        (3, 1, "TIME_EXCEEDED, REASSEMBLY", "Unused"),
        (4, 2, "PARAMETER_PROBLEM, UNKNOWN_OPTION", "Pointer"),
        (4, 9, "PARAMETER_PROBLEM, parameter problem code 9", "Pointer"),
        (100, 0, "type 100", "Unused"),
    ],
)
def test_errors_by_name(kind, code, words, field):
    message = icmpv6.IcmpError(kind, code, b"", 40).emit(A, B)
    root = dissect(ipv6.build(A, B, 58, message))
    assert value(root, "ICMPv6") == words
    assert field in names(ipv6.build(A, B, 58, message), "ICMPv6")


def test_options_one_by_one():
    options = bytes((0, 1, 0, 5, 2, 0, 0)) + bytes((0xE3, 3, 1, 2, 3)) + bytes((0xC2, 0))
    root = dissect(chained(A, B, [(HOP, options)], 59, b""))
    assert value(root, "Hop-by-Hop Options") == "PadN, Router Alert, Option 0xe3, Jumbo Payload"
    assert value(root, "Hop-by-Hop Options", "Next Header") == "no next header (59)"
    assert value(root, "Hop-by-Hop Options", "Hdr Ext Len") == "16 bytes"
    option = root.find("Hop-by-Hop Options", "Option 0xe3")
    assert option is not None
    assert [(child.name, child.value) for child in option.children] == [
        ("Action if unknown", "discard and tell unless multicast"),
        ("May change", "yes"),
        ("Option Number", "3"),
        ("Opt Data Len", "3"),
        ("Option Data", "010203"),
    ]
    assert "Pad1" in names(chained(A, B, [(HOP, options)], 59, b""), "Hop-by-Hop Options")


def test_an_option_that_lies_about_its_length_leaves_the_rest_readable():
    root = dissect(chained(A, B, [(DEST, bytes((5, 9, 0, 0, 0, 0)))], 17, udp.build(A, B, 1, 2, b"")))
    assert "11 bytes wanted" in value(root, "Destination Options", "malformed")
    assert value(root, "UDP") == "1 > 2"


def test_a_routing_header_says_where_the_packet_goes_in_the_end():
    """The checksum counts the last address of the route (RFC 8200 8.1)."""
    route = bytes((0, 2, 0, 0, 0, 0)) + C + B
    packet = chained(A, pack("2001:db8::99"), [(ROUTE, route)], 58, ECHO.emit(A, B))
    root = dissect(packet)
    assert value(root, "Routing Header") == "type 0, segments left 2"
    header = root.find("Routing Header")
    assert header is not None
    assert [child.value for child in header.children if child.name == "Address"] == [
        "2001:db8:3::10",
        "2001:db8:2::10",
    ]
    assert value(root, "ICMPv6", "Checksum").endswith("(correct)")
    arrived = chained(A, B, [(ROUTE, bytes((0, 0)) + route[2:])], 58, ECHO.emit(A, B))
    assert value(dissect(arrived), "ICMPv6", "Checksum").endswith("(correct)")


def test_a_routing_header_of_another_type():
    root = dissect(chained(A, B, [(ROUTE, bytes((2, 1)) + bytes(20))], 59, b""))
    assert value(root, "Routing Header", "type-specific data") == "00" * 20


@pytest.mark.parametrize(
    ("offset", "more", "words"),
    [(0, True, "from byte 0, more follow"), (1448, False, "from byte 1448, the last")],
)
def test_pieces_are_not_read_as_if_they_were_whole(offset, more, words):
    packet = chained(A, B, [(FRAG, piece(offset, more=more))], 17, bytes(16))
    root = dissect(packet)
    assert value(root, "Fragment Header") == f"{words}, identification 0x00001234"
    assert value(root, "Fragment of UDP") == "00" * 16


def test_a_lone_piece_that_is_the_whole_is_read_on():
    root = dissect(chained(A, B, [(FRAG, piece(0, more=False)), (DEST, bytes(6))], 58, ECHO.emit(A, B)))
    assert value(root, "Fragment Header") == "the whole, identification 0x00001234"
    assert value(root, "ICMPv6") == "ECHO_REQUEST, sequence 3"


def test_esp_behind_extension_headers_and_what_a_link_added():
    sealed = esp.HEADER.pack(0xCF349D07, 5) + bytes(40)
    root = dissect(chained(A, B, [(HOP, bytes(6))], 50, sealed) + b"\xee" * 3)
    assert value(root, "ESP") == "SPI 0xcf349d07, sequence 5"
    assert value(root, "Bytes after the packet") == "eeeeee"


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (ipv6.build(A, B, DEST, b"\x3b"), "destination options: 2 bytes wanted, 1 left"),
        (ipv6.build(A, B, DEST, b"\x3b\x01" + bytes(6)), "destination options: 16 bytes wanted, 8 left"),
        (ipv6.build(A, B, FRAG, bytes(7)) + bytes(9), "fragment header: 8 bytes wanted, 7 left"),
        (ipv6.build(A, B, 58, bytes(8))[:30], "16 bytes wanted, 6 left"),
    ],
)
def test_a_broken_chain_says_why(packet, words):
    last = dissect(packet).children[-1]
    assert last.name == "malformed"
    assert words in last.value


def test_extension_headers_without_end_are_shown_as_bytes():
    packet = chained(A, B, [(DEST, bytes(6))] * 5000, 59, b"")
    root = dissect(packet)
    assert sum(child.name == "Destination Options" for child in root.children) == ipv6.MOST_EXTENSIONS
    assert root.children[-1].name == "destination options"
