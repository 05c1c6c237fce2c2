"""ESP and AH, transport and tunnel mode, both IP versions inside and outside."""

from itertools import product

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import ah, ip, ipv4, ipv6, udp
from ipsecsim.wire.checksum import transport_is_valid
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import EVERY_AH, EVERY_ESP, OUTER, Ends

SUITES = [("esp", words) for words in EVERY_ESP] + [("ah", words) for words in EVERY_AH]
FAMILIES = [(Mode.TUNNEL, *pair) for pair in product((4, 6), (4, 6))] + [
    (Mode.TRANSPORT, 4, 4),
    (Mode.TRANSPORT, 6, 6),
]


@pytest.mark.conf("ARC-20")
@pytest.mark.parametrize(("protocol", "words"), SUITES)
@pytest.mark.parametrize(("mode", "outer", "inner"), FAMILIES)
@pytest.mark.parametrize("extended", [False, True])
def test_what_one_end_protects_the_other_gets(protocol, words, mode, outer, inner, extended):
    ends = Ends(protocol, words, mode, outer, inner, extended_sequence=extended)
    for length in (0, 1, 5, 16, 1000):
        packet = ends.packet(bytes(length))
        sent = ends.protect(packet)
        ip.check(sent)
        assert (ip.source(sent), ip.destination(sent)) == OUTER[outer]
        assert ip.upper_layer(sent)[0] == (IpProtocol.ESP if protocol == "esp" else IpProtocol.AH)
        assert ends.receive(sent) == [packet]
    assert not ends.drops


@pytest.mark.conf("AH-13", "AH-10")
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("outer", [4, 6])
def test_ah_sees_a_changed_address_and_esp_does_not(mode, outer):
    for protocol, words in (("ah", "sha256"), ("esp", "aes256gcm16")):
        ends = Ends(protocol, words, mode, outer, outer)
        sent = bytearray(ends.protect(ends.packet()))
        source = ipv4.SOURCE if outer == 4 else ipv6.SOURCE
        sent[source] = sent[source][:-1] + b"\x63"
        received = ends.receive(bytes(sent))
        assert ends.drops[:1] == ([DropReason.AH_ICV_FAIL] if protocol == "ah" else ends.drops[:1])
        if protocol == "esp" and mode is Mode.TUNNEL:
            assert received == [ends.packet()]
    # in transport mode the selectors catch what ESP does not sign
    assert ends.drops == ([] if mode is Mode.TUNNEL else [DropReason.SA_SELECTOR_MISMATCH])


@pytest.mark.parametrize(("protocol", "words"), SUITES)
def test_destination_options_in_front_of_esp_or_ah_were_lost(protocol, words):
    """A sender may put them there (RFC 4303 3.1.1, RFC 4302 3.1.1); ours puts them behind."""
    ends = Ends(protocol, words, Mode.TRANSPORT, 6, 6)
    options = bytes((IpProtocol.UDP, 0, 0x1E, 4)) + b"data"
    whole = ends.packet()
    packet = ipv6.build(
        *ends.addresses, IpProtocol.DESTINATION_OPTIONS, options + whole[ipv6.HEADER_LENGTH :]
    )
    transform = ends.west.sad.all()[0].transform
    inside = IpProtocol.ESP if protocol == "esp" else IpProtocol.AH
    front = bytes((inside,)) + options[1:]
    length = len(front) + transform.length_around(len(whole) - ipv6.HEADER_LENGTH)
    header = ipv6.build(*ends.addresses, IpProtocol.DESTINATION_OPTIONS, b"", hop_limit=64)
    header = header[:4] + length.to_bytes(2, "big") + header[6:] + front
    sealed = transform.seal(header, whole[ipv6.HEADER_LENGTH :], IpProtocol.UDP, 1)
    assert ends.receive(header + sealed) == [packet]


@pytest.mark.conf("AH-01")
@pytest.mark.parametrize("value", range(256))
def test_a_wrong_ah_length_ends_there(value):
    ends = Ends("ah", "sha256")
    sent = bytearray(ends.protect(ends.packet(bytes(1200))))
    right = sent[21]
    sent[21] = value
    received = ends.receive(bytes(sent))
    if value == right:
        assert received
    else:
        assert not received
        assert ends.drops == [DropReason.AH_BAD_LEN]


@pytest.mark.parametrize("length", range(ah.FIXED_LENGTH))
def test_an_ah_cut_short(length):
    ends = Ends("ah", "sha256")
    assert not ends.receive(ipv4.build(*OUTER[4], IpProtocol.AH, bytes(length)))
    assert ends.drops == [DropReason.AH_SHORT]


@pytest.mark.conf("AH-07", "ESP-17")
@pytest.mark.parametrize(
    ("protocol", "words", "reason"),
    [("ah", "sha256", DropReason.AH_FRAGMENT), ("esp", "aes256gcm16", DropReason.ESP_FRAGMENT)],
)
def test_a_fragment_is_refused_at_the_entry(protocol, words, reason):
    ends = Ends(protocol, words)
    sent = ends.protect(ends.packet())
    header = ipv4.parse(sent)
    piece = ipv4.build(*OUTER[4], header.protocol, ipv4.payload(sent), more_fragments=True)
    assert not ends.receive(piece)
    assert ends.drops == [reason]


# RFC 6040 figure 4, by name: the inner codepoint of each row under the outer ones Not-ECT, ECT(0), ECT(1), CE
NOT_ECT, ECT_1, ECT_0, CE = range(4)
COLUMNS = (NOT_ECT, ECT_0, ECT_1, CE)
FIGURE_4 = {
    NOT_ECT: (NOT_ECT, NOT_ECT, NOT_ECT, None),
    ECT_0: (ECT_0, ECT_0, ECT_1, CE),
    ECT_1: (ECT_1, ECT_1, ECT_1, CE),
    CE: (CE, CE, CE, CE),
}


@pytest.mark.conf("ARC-30", "ARC-54", "ARC-22", "IK2-100")
@pytest.mark.parametrize(("outer", "inner"), list(product((4, 6), (4, 6))))
@pytest.mark.parametrize("own", FIGURE_4)
@pytest.mark.parametrize("column", range(4))
def test_ecn_leaves_the_tunnel_by_figure_4(outer, inner, own, column):
    ends = Ends("esp", "aes256gcm16", Mode.TUNNEL, outer, inner)
    field = "tos" if inner == 4 else "traffic_class"
    packet = ends.packet(**{field: 0xB8 | own})
    sent = ends.protect(packet)
    assert ip.traffic_class(sent) == 0xB8 | own  # normal mode copies the inner field (RFC 6040 4.1)
    marked = _remarked(sent, 0x28 | COLUMNS[column])  # another DSCP on the way does not matter
    expected = FIGURE_4[own][column]
    received = ends.receive(marked)
    if expected is None:
        assert not received
        assert ends.drops == [DropReason.ECN_ILLEGAL]
    else:
        (out,) = received
        ip.check(out)
        assert ip.traffic_class(out) == 0xB8 | expected
        assert _remarked(out, 0) == _remarked(packet, 0)


def _remarked(packet: bytes, tos: int) -> bytes:
    if packet[0] >> 4 == 6:
        header = ipv6.parse(packet)
        return ipv6.build(
            header.source, header.destination, header.next_header, packet[40:], traffic_class=tos
        )
    header4 = ipv4.parse(packet)
    return ipv4.build(
        header4.source,
        header4.destination,
        header4.protocol,
        ipv4.payload(packet),
        tos=tos,
        identification=header4.identification,
        ttl=header4.ttl,
        dont_fragment=header4.dont_fragment,
    )


@pytest.mark.conf("UDP-07")
@pytest.mark.parametrize("known", [True, False])
def test_transport_mode_through_a_nat_mends_the_checksum(known):
    addresses = OUTER[4] if known else None
    ends = Ends("esp", "aes256gcm16", Mode.TRANSPORT, udp_ports=(4500, 4500), original_addresses=addresses)
    public = pack("203.0.113.7")
    selector = ends.east.sad.all()[0].parameters
    selector.selectors = (Selector((OUTER[4][1],) * 2, (public, public)),)
    packet = ends.packet(b"through a NAT")
    sealed = ipv4.payload(ends.protect(packet))[8:]
    datagram = ipv4.build(
        public, OUTER[4][1], IpProtocol.UDP, udp.build(public, OUTER[4][1], 61001, 4500, sealed)
    )
    *_, delivered = ends.east.inbound(IpProtocol.ESP, datagram, 28, 0)
    received = delivered.packet
    assert ip.source(received) == public
    assert transport_is_valid(public, OUTER[4][1], IpProtocol.UDP, ipv4.payload(received))
    assert ipv4.payload(received)[8:] == b"through a NAT"
