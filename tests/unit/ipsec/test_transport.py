"""Transport mode: where ESP and AH go in a packet, and the packet put together again (RFC 4303 3.1.1)."""

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import OUTER, Ends

WEST6, EAST6 = OUTER[6]
UDP = IpProtocol.UDP
HOP_BY_HOP, OPTIONS, ROUTING, FRAGMENT = (
    IpProtocol.HOP_BY_HOP,
    IpProtocol.DESTINATION_OPTIONS,
    IpProtocol.ROUTING,
    IpProtocol.FRAGMENT,
)
BODIES = {
    HOP_BY_HOP: bytes((0, 1, 4, 1, 2, 3, 4)),
    OPTIONS: bytes((0, 1, 4, 5, 6, 7, 8)),
    ROUTING: bytes((2, 0, 0, 0, 0, 0, 0)) + EAST6,
    FRAGMENT: bytes((0, 0, 0, 0x12, 0x34, 0x56, 0x78)),
}
both = pytest.mark.parametrize(
    ("protocol", "words"), [("esp", "aes256gcm16"), ("esp", "aes128-sha256"), ("ah", "sha256")]
)


def segment(data: bytes = b"hello") -> bytes:
    return udp.build(WEST6, EAST6, 1111, 2222, data)


def chained(kinds: list[int], last: int) -> bytes:
    """The extension headers of these kinds, the last naming `last`."""
    return b"".join(
        bytes((following,)) + BODIES[kind] for kind, following in zip(kinds, [*kinds, last][1:], strict=True)
    )


def packet6(kinds: list[int], last: int = UDP, payload: bytes | None = None) -> bytes:
    content = chained(kinds, last) + (segment() if payload is None else payload)
    return ipv6.build(
        WEST6, EAST6, kinds[0] if kinds else last, content, hop_limit=9, flow_label=7, traffic_class=8
    )


# extension headers of a packet, and how many of them stay in front (RFC 4303 3.1.1, RFC 8200 4.1)
PLACES = {
    "none": ([], 0),
    "hop by hop": ([HOP_BY_HOP], 1),
    "destination options go inside": ([OPTIONS], 0),
    "a route": ([ROUTING], 1),
    "options of the first stop, and a route": ([OPTIONS, ROUTING], 2),
    "all, with options of the last node": ([HOP_BY_HOP, OPTIONS, ROUTING, OPTIONS], 3),
    "hop by hop and options": ([HOP_BY_HOP, OPTIONS], 1),
}


@both
@pytest.mark.parametrize(("kinds", "stay"), PLACES.values(), ids=PLACES)
def test_what_nodes_on_the_way_read_stays_in_front(protocol, words, kinds, stay):
    ends = Ends(protocol, words, Mode.TRANSPORT, 6)
    packet = packet6(kinds)
    sent = ends.protect(packet)
    number = IpProtocol.ESP if protocol == "esp" else IpProtocol.AH
    in_front = chained(kinds[:stay], number)
    assert sent[:4] == packet[:4]
    assert sent[6] == (kinds[0] if stay else number)
    assert sent[7:40] == packet[7:40]
    assert sent[40 : 40 + len(in_front)] == in_front
    assert ip.upper_layer(sent) == (number, 40 + len(in_front))
    assert ip.total_length(sent) == len(sent)
    if protocol == "ah":
        # the rest can be read: what AH names is the first header that went inside
        assert sent[40 + len(in_front)] == ([*kinds, UDP][stay])
    assert ends.receive(sent) == [packet]
    assert not ends.drops


@both
@pytest.mark.parametrize(
    "kinds", [[OPTIONS], [HOP_BY_HOP, OPTIONS], [ROUTING, OPTIONS], [OPTIONS, ROUTING, OPTIONS]]
)
def test_a_peer_may_put_destination_options_in_front(protocol, words, kinds):
    """RFC 4302 3.1.1: they can stand before, behind, or on both sides; all of them come out again."""
    ends = Ends(protocol, words, Mode.TRANSPORT, 6)
    packet = packet6(kinds)
    sa = ends.sender
    number = IpProtocol.ESP if protocol == "esp" else IpProtocol.AH
    length = sa.transform.length_around(len(segment()))
    header = packet6(kinds, number, bytes(length))[:-length]
    sent = header + sa.transform.seal(header, segment(), UDP, 1)
    assert ends.receive(sent) == [packet]


@both
@pytest.mark.parametrize("before", [[], [HOP_BY_HOP], [HOP_BY_HOP, ROUTING]])
def test_a_lone_fragment_header_in_front_is_no_nat(protocol, words, before):
    ends = Ends(protocol, words, Mode.TRANSPORT, 6)
    # a checksum that is wrong must stay wrong: nobody was there to be mended after
    damaged = segment()[:6] + b"\x12\x34" + segment()[8:]
    sent = ends.protect(packet6(before, payload=damaged))
    _number, start = ip.upper_layer(sent)
    number = IpProtocol.ESP if protocol == "esp" else IpProtocol.AH
    arrived = packet6([*before, FRAGMENT], number, sent[start:])
    assert ends.receive(arrived) == [packet6([*before, FRAGMENT], payload=damaged)]


@both
@pytest.mark.parametrize("options", [b"", b"\x94\x04\0\0", b"\1\1\1\0", bytes((7, 39, 4, *bytes(36), 0))])
def test_ipv4_options_stay_in_front(protocol, words, options):
    ends = Ends(protocol, words, Mode.TRANSPORT)
    packet = ends.packet(options=options, tos=0xB8, ttl=7, dont_fragment=True)
    sent = ends.protect(packet)
    ip.check(sent)
    header, before = ipv4.parse(sent), ipv4.parse(packet)
    assert header.options == options
    assert header.total_length == len(sent)
    assert header.protocol == (IpProtocol.ESP if protocol == "esp" else IpProtocol.AH)
    names = ("source", "destination", "identification", "ttl", "tos", "dont_fragment")
    assert [getattr(header, name) for name in names] == [getattr(before, name) for name in names]
    assert ends.receive(sent) == [packet]


@pytest.mark.parametrize("version", [4, 6])
@both
def test_the_largest_packet_there_can_be_and_one_step_more(version, protocol, words):
    ends = Ends(protocol, words, Mode.TRANSPORT, version)
    header = 20 if version == 4 else 40
    limit = 65535 if version == 4 else 65535 + 40
    mtu = 65535  # no link takes more, whatever an IPv6 header could say
    largest = ends.sender.transform.largest_payload(mtu - header)
    packet = ends.packet(bytes(largest - 8))
    sent = ends.protect(packet)
    assert mtu - 16 < len(sent) <= mtu
    assert ends.receive(sent) == [packet]
    form = TransportForm(IpProtocol.ESP)
    assert ip.total_length(form.header(packet, limit - header)) == limit
    with pytest.raises(LocalError):
        form.header(packet, limit - header + 1)


@pytest.mark.conf("UDP-03")
@pytest.mark.parametrize("ports", [(4500, 4500), (61001, 4500)])
@pytest.mark.parametrize("options", [{}, {"options": b"\x94\x04\0\0"}, {"dont_fragment": True}], ids=str)
def test_a_udp_header_stands_behind_the_packets_own_header_and_goes_again(options, ports):
    """Length, protocol and checksum of the IP header change, and nothing else of it (RFC 3948 3.2, 3.3)."""
    ends = Ends("esp", "aes256gcm16", Mode.TRANSPORT, udp_ports=ports)
    packet = ends.packet(tos=0x28, ttl=9, **options)
    sent = ends.protect(packet)
    header, before = ipv4.parse(sent), ipv4.parse(packet)
    assert (header.protocol, header.total_length) == (UDP, len(sent))
    before.protocol, before.total_length = header.protocol, header.total_length
    assert header == before
    *found, sealed = udp.parse(ipv4.payload(sent))
    assert tuple(found) == ports
    assert ipv4.payload(sent)[6:8] == bytes(2)  # no checksum: ESP has its own integrity check
    start = len(sent) - len(sealed)
    (delivered,) = ends.east.inbound(IpProtocol.ESP, sent, start, 0)
    assert delivered.packet == packet


@pytest.mark.parametrize(
    "front", [[], [HOP_BY_HOP], [HOP_BY_HOP, ROUTING]], ids=["", "hop by hop", "routing"]
)
def test_over_ipv6_the_udp_header_stands_behind_what_is_read_on_the_way_and_has_a_checksum(front):
    ends = Ends("esp", "aes256gcm16", Mode.TRANSPORT, 6, 6, udp_ports=(4500, 4500))
    packet = packet6(front)
    sent = ends.protect(packet)
    number, start = ip.upper_layer(sent)
    assert number == UDP
    segment = sent[start:]
    assert segment[6:8] != bytes(2)
    udp.check(*ip.addresses(sent), segment)
    (delivered,) = ends.east.inbound(IpProtocol.ESP, sent, start + udp.HEADER_LENGTH, 0)
    assert delivered.packet == packet


@pytest.mark.conf("UDP-10")
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("version", [4, 6])
def test_esp_in_udp_is_taken_where_nobody_saw_a_nat(mode, version):
    """The SA says nothing of UDP; its peer encapsulates all the same (RFC 7296 2.23)."""
    ends = Ends("esp", "aes256gcm16", mode, version, version)
    packet = ends.packet()
    sent = ends.protect(packet)
    _number, start = ip.upper_layer(sent)
    west, east = OUTER[version]
    datagram = udp.build(west, east, 4500, 4500, sent[start:], checksum=version == 6)
    if version == 4:
        arrived = ipv4.build(west, east, UDP, datagram, identification=7)
    else:
        arrived = ipv6.build(west, east, UDP, datagram)
    (delivered,) = ends.east.inbound(IpProtocol.ESP, arrived, start + 8, 0)
    assert delivered.packet == packet
