"""Tunnel headers field by field (RFC 4301 5.1.2), and what comes out again."""

from itertools import count, product

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.errors import LocalError
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment, OuterHeader, TunnelForm
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import OUTER, Ends

INSIDE = {
    4: ipv4.build(
        pack("10.1.0.2"),
        pack("10.2.0.2"),
        IpProtocol.UDP,
        b"inside v4",
        ttl=3,
        identification=0xBEEF,
        tos=0xBA,
        dont_fragment=True,
        options=b"\x94\x04\0\0",
    ),
    6: ipv6.build(
        pack("fd00:1::2"),
        pack("fd00:2::2"),
        IpProtocol.UDP,
        b"inside v6",
        hop_limit=3,
        traffic_class=0xBA,
        flow_label=0xABCDE,
    ),
}

# (outer, inner): the outer header as parsed. The tables of RFC 4301 5.1.2.1 and 5.1.2.2 in numbers.
GOLDEN = {
    (4, inner): {
        "source": OUTER[4][0],
        "destination": OUTER[4][1],
        "protocol": IpProtocol.ESP,
        "total_length": 20 + 100,
        "identification": 0x4242,  # fresh
        "ttl": 64,  # the SA's own
        "tos": 0xBA,  # DSCP and ECN copied
        "dont_fragment": True,  # copied from IPv4; of IPv6 no router may cut the inner packet
        "more_fragments": False,
        "fragment_offset": 0,
        "options": b"",  # never copied
    }
    for inner in (4, 6)
} | {
    (6, inner): {
        "source": OUTER[6][0],
        "destination": OUTER[6][1],
        "next_header": IpProtocol.ESP,
        "payload_length": 100,
        "hop_limit": 64,
        "traffic_class": 0xBA,
        "flow_label": 0,
    }
    for inner in (4, 6)
}

every_pair = pytest.mark.parametrize(("outer", "inner"), list(product((4, 6), (4, 6))))


def outer_header(version: int, protocol: int = IpProtocol.ESP, **options) -> OuterHeader:
    return OuterHeader(*OUTER[version], protocol, lambda: 0x4242, **options)


def fields(header: bytes) -> dict:
    """What the header says; the payload is only as long as it says."""
    length = ip.total_length(header)
    packet = header + bytes(length - len(header))
    parsed = ipv4.parse(packet) if packet[0] >> 4 == 4 else ipv6.parse(packet)
    return {name: getattr(parsed, name) for name in parsed.__slots__}


@pytest.mark.conf("ARC-27")
@every_pair
def test_the_outer_header_field_by_field(outer, inner):
    assert fields(outer_header(outer).before(INSIDE[inner], 100)) == GOLDEN[outer, inner]
    changed = outer_header(outer, IpProtocol.AH, hop_limit=17).before(INSIDE[inner], 100)
    names = ("protocol", "ttl") if outer == 4 else ("next_header", "hop_limit")
    assert fields(changed) == GOLDEN[outer, inner] | dict(zip(names, (IpProtocol.AH, 17), strict=True))


@pytest.mark.conf("ARC-27")
@every_pair
@pytest.mark.parametrize(("protocol", "words"), [("esp", "aes128-sha256"), ("ah", "sha256")])
def test_the_inner_packet_is_not_touched_and_every_outer_one_is_new(outer, inner, protocol, words):
    ends = Ends(protocol, words, outer=outer, inner=inner)
    option = {"ttl": 2} if inner == 4 else {"hop_limit": 2, "flow_label": 0x12345}
    packet = ends.packet(**option)
    sent = [ends.protect(packet) for _ in range(5)]
    assert {ip.hop_limit(each) for each in sent} == {64}
    if outer == 4:
        assert len({each[4:6] for each in sent}) == 5
    for each in sent:
        # time to live is the forwarding node's business, on either side
        assert ends.receive(each) == [packet]


@pytest.mark.conf("ARC-27")
def test_identifications_come_from_whoever_owns_the_addresses():
    numbers = count(0xFFFE)
    outer = OuterHeader(*OUTER[4], IpProtocol.ESP, lambda: next(numbers) & 0xFFFF)
    assert [ipv4_id(outer.before(INSIDE[4], 100)) for _ in range(4)] == [0xFFFE, 0xFFFF, 0, 1]


def ipv4_id(header: bytes) -> int:
    return int.from_bytes(header[4:6], "big")


DF = [
    (OuterDontFragment.COPY, False, False),
    (OuterDontFragment.COPY, True, True),
    (OuterDontFragment.SET, False, True),
    (OuterDontFragment.SET, True, True),
    (OuterDontFragment.CLEAR, False, False),
    (OuterDontFragment.CLEAR, True, False),
]


@pytest.mark.conf("ARC-28")
@pytest.mark.parametrize(("setting", "inside", "outside"), DF, ids=lambda each: str(each))
@pytest.mark.parametrize("udp_ports", [None, (4500, 4500)], ids=["plain", "in UDP"])
def test_df_is_copied_set_or_cleared(setting, inside, outside, udp_ports):
    ends = Ends(dont_fragment=setting, udp_ports=udp_ports)
    packet = ends.packet(dont_fragment=inside)
    if udp_ports:
        (action,) = ends.west.outbound(packet, 0)
        assert isinstance(action, SendDatagram)
        assert action.dont_fragment is outside
    else:
        sent = ends.protect(packet)
        assert ipv4.parse(sent).dont_fragment is outside
        (received,) = ends.receive(sent)
        assert received == packet


@pytest.mark.conf("ARC-28")
@pytest.mark.parametrize(
    ("setting", "outside"),
    [(OuterDontFragment.COPY, True), (OuterDontFragment.SET, True), (OuterDontFragment.CLEAR, False)],
)
def test_an_ipv6_packet_inside_counts_as_one_that_must_not_be_cut(setting, outside):
    ends = Ends(inner=6, dont_fragment=setting)
    assert ipv4.parse(ends.protect(ends.packet())).dont_fragment is outside


def with_traffic_class(packet: bytes, value: int) -> bytes:
    if packet[0] >> 4 == 4:
        header = ipv4.parse(packet)
        return ipv4.build(
            header.source,
            header.destination,
            header.protocol,
            ipv4.payload(packet),
            tos=value,
            ttl=header.ttl,
            identification=header.identification,
            dont_fragment=header.dont_fragment,
        )
    first = int.from_bytes(packet[:4], "big") & 0xF00F_FFFF | value << 20
    return first.to_bytes(4, "big") + packet[4:]


@pytest.mark.conf("ARC-29")
@every_pair
@pytest.mark.parametrize("dscp", [0, 10, 46, 63])
@pytest.mark.parametrize("mapped", [None, 0, 8, 63])
@pytest.mark.parametrize("copy_in", [False, True])
def test_dscp_is_copied_or_mapped_out_and_kept_or_copied_in(outer, inner, dscp, mapped, copy_in):
    ends = Ends(outer=outer, inner=inner, dscp=mapped, copy_dscp_in=copy_in)
    field = "tos" if inner == 4 else "traffic_class"
    packet = ends.packet(**{field: dscp << 2 | 2})
    sent = ends.protect(packet)
    assert ip.traffic_class(sent) == (dscp if mapped is None else mapped) << 2 | 2
    for remarked in (dscp, 20, 0):
        (received,) = ends.receive(with_traffic_class(ends.protect(packet), remarked << 2 | 2))
        ip.check(received)
        assert ip.traffic_class(received) == (remarked if copy_in else dscp) << 2 | 2
        assert received == with_traffic_class(packet, ip.traffic_class(received))


@pytest.mark.conf("ARC-54")
@every_pair
@pytest.mark.parametrize("codepoint", range(4))
def test_ecn_at_the_entry_is_copied_or_in_compatibility_mode_cleared(outer, inner, codepoint):
    packet = with_traffic_class(Ends(inner=inner).packet(), 0xB8 | codepoint)
    for entry, expected in ((EcnEntry.NORMAL, codepoint), (EcnEntry.COMPATIBILITY, 0)):
        form = TunnelForm(outer_header(outer, ecn=entry))
        assert ip.traffic_class(form.header(packet, 100)) == 0xB8 | expected


@pytest.mark.parametrize(("version", "largest"), [(4, 65535 - 20), (6, 65535)])
def test_the_largest_packet_and_one_byte_more(version, largest):
    header = outer_header(version)
    assert ip.total_length(header.before(INSIDE[4], largest)) == header.length + largest
    with pytest.raises(LocalError):
        header.before(INSIDE[4], largest + 1)


def test_a_tunnel_between_two_ip_versions_makes_no_sense():
    with pytest.raises(LocalError):
        OuterHeader(OUTER[4][0], OUTER[6][1], IpProtocol.ESP, lambda: 1)


@pytest.mark.parametrize("seed", range(50))
def test_the_ipv4_checksum_is_right_for_any_addresses_and_numbers(seed):
    ends = bytes((seed * 37 + each * 91) % 256 for each in range(8))
    for identification, length in ((0, 0), (0xFFFF, 65515), (seed * 1303 % 65536, seed * 1201 % 60000)):
        outer = OuterHeader(ends[:4], ends[4:], 50, lambda number=identification: number, hop_limit=seed)
        header = outer.before(INSIDE[4], length)
        ipv4.check(header + bytes(length))
