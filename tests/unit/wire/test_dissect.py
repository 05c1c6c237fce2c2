import pytest

from ipsecsim.base.address import pack
from ipsecsim.wire import esp, icmpv4, ipv4, udp
from ipsecsim.wire.checksum import transport_checksum
from ipsecsim.wire.dissect import dissect
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, SEALED, Field
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.wire.samples import IKE_SA_INIT_PACKET

A = pack("10.1.0.10")
B = pack("10.2.0.10")


def value(root: Field, *names: str) -> str:
    found = root.find(*names)
    assert found is not None, f"no field {names} in {[child.name for child in root.children]}"
    return found.value


def in_udp(payload: bytes, ports: tuple[int, int] = (4500, 4500)) -> bytes:
    return ipv4.build(A, B, IpProtocol.UDP, udp.build(A, B, *ports, payload))


def test_a_recorded_ike_sa_init_down_to_its_transforms():
    root = dissect(IKE_SA_INIT_PACKET)
    assert (root.name, root.value, root.start, root.end) == ("IPv4", "10.1.0.10 > 10.2.0.10", 0, 256)
    assert value(root, "Flags") == "Don't Fragment"
    assert value(root, "Header Checksum") == "0x0fe1 (correct)"
    assert value(root, "UDP") == "500 > 500"
    ike = root.find("UDP", "IKE")
    assert ike is not None
    assert ike.value == "IKE_SA_INIT request, message ID 0"
    assert (ike.start, ike.end) == (28, 256)
    assert value(ike, "Flags") == "0x08 (Initiator)"
    assert value(ike, "Next Payload") == "Security Association (33)"
    proposal = ike.find("Security Association (33)", "Proposal 1")
    assert proposal is not None
    assert proposal.value == "IKE: ENCR_CHACHA20_POLY1305, PRF_HMAC_SHA2_256, Curve25519"
    assert value(proposal, "Transform", "Transform ID") == "ENCR_CHACHA20_POLY1305 (28)"
    assert value(ike, "Key Exchange (34)", "Diffie-Hellman Group Num") == "Curve25519 (31)"
    assert [child.value for child in ike.children if child.name == "Notify (41)"] == [
        "NAT_DETECTION_SOURCE_IP",
        "NAT_DETECTION_DESTINATION_IP",
        "IKEV2_FRAGMENTATION_SUPPORTED",
        "SIGNATURE_HASH_ALGORITHMS",
        "REDIRECT_SUPPORTED",
    ]
    assert {each.protection for _, each in root.walk()} == {CLEAR}


def test_a_changed_byte_shows_as_a_wrong_checksum():
    packet = ipv4.build(A, B, IpProtocol.ICMP, icmpv4.Echo(False, 7, 1, b"abc").emit())
    assert value(dissect(packet), "ICMP", "Checksum").endswith("(correct)")
    assert value(dissect(packet[:-1] + b"x"), "ICMP", "Checksum").endswith("(wrong)")
    assert value(dissect(packet[:8] + b"\x01" + packet[9:]), "Header Checksum").endswith("(wrong)")


@pytest.mark.parametrize(("checksum", "text"), [(True, "(correct)"), (False, "none")])
def test_udp_checksums(checksum, text):
    segment = udp.build(A, B, 53, 1024, b"abc", checksum=checksum)
    assert value(dissect(ipv4.build(A, B, 17, segment)), "UDP", "Checksum").endswith(text)


def test_esp_shows_what_is_sealed_and_what_is_only_authenticated():
    packet = ipv4.build(A, B, IpProtocol.ESP, esp.HEADER.pack(0xCF349D07, 5) + bytes(40))
    layer = dissect(packet).find("ESP")
    assert layer is not None
    assert layer.value == "SPI 0xcf349d07, sequence 5"
    assert [child.protection for child in layer.children] == [AUTHENTICATED, AUTHENTICATED, SEALED]


def test_port_4500_holds_esp_ike_and_keepalives():
    assert value(dissect(in_udp(esp.HEADER.pack(0x100, 1) + bytes(20))), "UDP", "ESP").startswith(
        "SPI 0x00000100"
    )
    assert value(dissect(in_udp(b"\xff", (4500, 61022))), "UDP", "NAT-keepalive") == "ff"
    marked = dissect(in_udp(bytes(4) + IKE_SA_INIT_PACKET[28:], (61022, 4500)))
    assert value(marked, "UDP", "Non-ESP Marker") == "00000000"
    assert value(marked, "UDP", "IKE") == "IKE_SA_INIT request, message ID 0"


def test_an_icmp_error_shows_the_packet_it_quotes_though_it_is_cut_off():
    error = icmpv4.IcmpError(3, 4, IKE_SA_INIT_PACKET[:28], rest=1400)
    root = dissect(ipv4.build(B, A, IpProtocol.ICMP, error.emit()))
    assert value(root, "ICMP") == "DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED"
    assert value(root, "ICMP", "Next-Hop MTU") == "1400"
    assert value(root, "ICMP", "Original datagram") == "10.1.0.10 > 10.2.0.10"
    assert value(root, "ICMP", "Original datagram", "UDP", "Source Port") == "500"


def test_an_icmp_message_that_is_cut_off_has_no_verdict_on_its_checksum():
    echo = ipv4.build(A, B, IpProtocol.ICMP, icmpv4.Echo(False, 7, 1, bytes(40)).emit())
    error = icmpv4.IcmpError(11, 0, echo[:28]).emit()
    root = dissect(ipv4.build(B, A, IpProtocol.ICMP, error))
    assert value(root, "ICMP") == "TIME_EXCEEDED, IN_TRANSIT"
    assert value(root, "ICMP", "Original datagram", "ICMP", "Checksum").endswith("cut off)")


def test_ipv4_options_by_name_and_where_a_source_route_leads():
    route = bytes((131, 11, 8)) + pack("10.9.0.1") + pack("10.9.0.2")
    options = b"\x01" + route + bytes((68, 4, 5, 0)) + bytes((200, 2)) + bytes(2)
    root = dissect(ipv4.build(A, B, 99, b"", options=options))
    assert value(root, "Options") == "No Operation, Loose Source Route, Timestamp, Option 200"
    assert value(root, "Options", "Loose Source Route", "Address") == "10.9.0.1"
    assert value(root, "Options", "Loose Source Route", "Next Address") == "10.9.0.2"
    assert value(root, "Options", "Option 200", "Option Number") == "8"
    assert value(root, "Options", "Padding") == "00"


@pytest.mark.parametrize(
    ("options", "words"),
    [(bytes((7, 0, 0, 0)), "Record Route: length 0"), (bytes((7, 5, 0, 0)), "5 bytes wanted, 4 left")],
)
def test_options_that_lie_about_their_length(options, words):
    assert words in value(dissect(ipv4.build(A, B, 99, b"x", options=options)), "Options", "malformed")


def test_a_tcp_segment():
    segment = bytes.fromhex("01bbc7380000000100000002 60121000 0000 0000 02040550") + b"hello"
    checksum = transport_checksum(A, B, IpProtocol.TCP, segment)
    segment = segment[:16] + checksum.to_bytes(2, "big") + segment[18:]
    tcp = dissect(ipv4.build(A, B, IpProtocol.TCP, segment)).find("TCP")
    assert tcp is not None
    assert tcp.value == "443 > 51000, ACK, SYN"
    assert value(tcp, "Data Offset") == "24 bytes"
    assert value(tcp, "Checksum").endswith("(correct)")
    assert value(tcp, "Options") == "02040550"
    assert value(tcp, "Data") == b"hello".hex()


def test_a_fragment_is_not_read_as_if_it_were_whole():
    first = ipv4.build(A, B, IpProtocol.UDP, bytes(16), more_fragments=True)
    assert value(dissect(first), "Fragment of UDP") == "00" * 16


def test_a_packet_in_a_packet():
    inner = ipv4.build(pack("10.10.1.2"), pack("10.10.2.2"), 99, b"segment")
    root = dissect(ipv4.build(A, B, IpProtocol.IPV4, inner))
    assert value(root, "IPv4") == "10.10.1.2 > 10.10.2.2"
    assert value(root, "IPv4", "protocol 99") == "7 bytes"


def test_packets_in_packets_without_end_are_shown_as_bytes():
    packet = b""
    while len(packet) < 60000:
        packet = ipv4.build(A, B, IpProtocol.IPV4, packet)
    assert max(depth for depth, _ in dissect(packet).walk()) < 12


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"", "1 bytes wanted, 0 left"),
        (bytes.fromhex("5000"), "IP version 5, not 4"),
        (bytes.fromhex("6000"), "4 bytes wanted, 2 left"),
        (b"\x44" + IKE_SA_INIT_PACKET[1:], "4 bytes too small"),
        (
            IKE_SA_INIT_PACKET[:2] + b"\0\x10" + IKE_SA_INIT_PACKET[4:],
            "total length 16 is shorter than the header",
        ),
        (IKE_SA_INIT_PACKET[:15], "4 bytes wanted, 3 left"),
    ],
)
def test_a_broken_header_says_why(packet, words):
    last = dissect(packet).children[-1]
    assert last.name == "malformed"
    assert words in last.value
    assert last.end == len(packet)
