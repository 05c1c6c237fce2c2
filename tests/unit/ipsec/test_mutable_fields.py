"""What AH signs of the headers in front of it (RFC 4302 3.3.3.1 and appendix A)."""

from itertools import pairwise

import pytest

from ipsecsim.base.address import pack
from ipsecsim.ipsec.mutable_fields import as_it_will_arrive, without_mutable_fields
from ipsecsim.wire import ipv4, ipv6
from ipsecsim.wire.numbers import IpProtocol

WEST, EAST = pack("192.0.2.1"), pack("192.0.2.2")
WEST6, EAST6 = pack("2001:db8::1"), pack("2001:db8::2")
STOPS = [pack(f"198.51.100.{number}") for number in range(1, 10)]
STOPS6 = [pack(f"2001:db8:5::{number}") for number in range(1, 10)]


def header4(options: bytes = b"", destination: bytes = EAST, **fields) -> bytes:
    packet = ipv4.build(WEST, destination, IpProtocol.AH, bytes(24), options=options, **fields)
    return packet[: 20 + len(options)]


def header6(
    extensions: bytes = b"", first: int = IpProtocol.AH, destination: bytes = EAST6, **fields
) -> bytes:
    return ipv6.build(WEST6, destination, first, extensions + bytes(24), **fields)[: 40 + len(extensions)]


# byte: the bits of it that may change on the way (RFC 4302 3.3.3.1.1.1 and 3.3.3.1.2.1)
MUTABLE_IPV4 = {1: 0xFF, 6: 0xFF, 7: 0xFF, 8: 0xFF, 10: 0xFF, 11: 0xFF}
MUTABLE_IPV6 = {0: 0x0F, 1: 0xFF, 2: 0xFF, 3: 0xFF, 7: 0xFF}


@pytest.mark.conf("AH-03", "AH-04")
@pytest.mark.parametrize(
    ("header", "mutable"),
    [
        (header4(tos=0xB9, identification=0x1234, ttl=77, dont_fragment=True), MUTABLE_IPV4),
        (header6(traffic_class=0xB9, flow_label=0xFFFFF, hop_limit=77), MUTABLE_IPV6),
    ],
    ids=["IPv4", "IPv6"],
)
def test_of_the_fixed_header_only_these_bits_are_left_out(header, mutable):
    signed = without_mutable_fields(header)
    assert len(signed) == len(header)
    for at, octet in enumerate(header):
        assert signed[at] == octet & ~mutable.get(at, 0)
    # version and header length decide how the rest is read, so they are not tried
    for bit in range(8, 8 * len(header)):
        changed = bytearray(header)
        changed[bit // 8] ^= 0x80 >> bit % 8
        is_mutable = bool(mutable.get(bit // 8, 0) & 0x80 >> bit % 8)
        assert (without_mutable_fields(bytes(changed)) == signed) == is_mutable, f"bit {bit}"


# RFC 4302 A1, as copy bit, class, number
IMMUTABLE = [(1, 0, 2), (1, 0, 5), (1, 0, 6), (1, 0, 20), (1, 0, 21)]
MUTABLE = [(1, 0, 3), (0, 2, 4), (0, 0, 7), (1, 0, 9), (0, 2, 18)]
EXPERIMENTAL = [
    (1, 0, 8),
    (0, 0, 11),
    (0, 0, 12),
    (1, 0, 17),
    (0, 0, 10),
    (1, 2, 13),
    (1, 0, 14),
    (0, 0, 15),
    (1, 0, 16),
    (1, 0, 19),
]


def kind(copy: int, option_class: int, number: int) -> int:
    return copy << 7 | option_class << 5 | number


SIGNED_KINDS = {kind(*each) for each in IMMUTABLE}
LISTED = SIGNED_KINDS | {kind(*each) for each in MUTABLE + EXPERIMENTAL}


@pytest.mark.conf("AH-05")
@pytest.mark.parametrize("kind", range(2, 256))
def test_an_option_is_signed_or_zeroed_as_a_whole(kind):
    """All kinds there can be: those of the table, and unknown ones, which are zeroed (3.3.3.1)."""
    assert len(LISTED) == 20
    option = bytes((kind, 6, 0xAA, 0xBB, 0xCC, 0xDD))
    options = b"\1" + option + b"\1" + bytes((0x94, 4, 0, 0))
    signed = without_mutable_fields(header4(options))
    expected = option if kind in SIGNED_KINDS else bytes(6)
    assert signed[20:] == b"\1" + expected + b"\1" + bytes((0x94, 4, 0, 0))


@pytest.mark.conf("AH-05")
def test_behind_the_end_of_options_all_is_signed_as_it_stands():
    options = bytes((7, 3, 0xAA, 0, 7, 3, 0xAA, 0x55))
    assert without_mutable_fields(header4(options))[20:] == bytes((0, 0, 0, 0, 7, 3, 0xAA, 0x55))


@pytest.mark.conf("AH-05")
@pytest.mark.parametrize("length", [0, 1, 5, 8, 40, 255])
@pytest.mark.parametrize("kind", [7, 0x44, 0x83, 0x89, 0x94, 0x82, 0xFF])
def test_behind_an_option_that_lies_about_its_length_all_is_signed_as_it_stands(kind, length):
    options = bytes((7, 3, 0xAA, 1, kind, length, 0xAA, 0xBB))
    signed = without_mutable_fields(header4(options))
    assert signed[20:] == bytes((0, 0, 0, 1)) + options[4:]
    assert signed[12:20] == WEST + EAST


def test_an_option_without_room_for_its_length():
    for last in (7, 0x83, 0xFF, 0x94):
        assert without_mutable_fields(header4(bytes((1, 1, 1, last))))[20:] == bytes((1, 1, 1, last))


def on_the_way(kind: int, count: int, passed: int) -> bytes:
    """An IPv4 header with a source route of `count` stops, behind `passed` of them (RFC 791 3.1).

    The destination is the next stop; stops that were passed hold the address of the node that took them.
    """
    ours = [pack(f"203.0.113.{number}") for number in range(1, passed + 1)]
    route = [*STOPS[:count], EAST]
    option = bytes((kind, 3 + 4 * count, 4 + 4 * passed)) + b"".join(ours + route[passed + 1 :])
    options = option + bytes(-len(option) % 4)
    return header4(options, route[passed], ttl=64 - passed)


@pytest.mark.conf("AH-03", "AH-05")
@pytest.mark.parametrize("kind", [0x83, 0x89], ids=["loose", "strict"])
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_source_route_is_signed_as_it_will_arrive(kind, count):
    """Wherever the sender stands in the route: the destination is the last one, the option is zeroed."""
    headers = [on_the_way(kind, count, passed) for passed in range(count + 1)]
    signed = [without_mutable_fields(as_it_will_arrive(header)) for header in headers]
    assert len(set(signed)) == 1
    # the receiver foresees nothing: it has the header that arrived
    assert signed[0] == without_mutable_fields(headers[-1])
    assert signed[0] != without_mutable_fields(headers[0])
    assert signed[0][16:20] == EAST
    assert not any(signed[0][20:])


@pytest.mark.parametrize(
    "option",
    [
        bytes((0x83, 3, 4)),
        bytes((0x83, 6, 4, 1, 2, 3)),
        bytes((0x83, 7, 8)) + STOPS[0],
        bytes((0x83, 7, 255)) + STOPS[0],
    ],
    ids=["no address", "half an address", "used up", "far beyond"],
)
def test_a_source_route_that_leads_nowhere_leaves_the_destination(option):
    header = header4(option + bytes(-len(option) % 4))
    assert as_it_will_arrive(header) == header


def extension(next_header: int, body: bytes) -> bytes:
    body += bytes(-(2 + len(body)) % 8)
    return bytes((next_header, (2 + len(body)) // 8 - 1)) + body


@pytest.mark.conf("AH-04")
@pytest.mark.parametrize("header_kind", [IpProtocol.HOP_BY_HOP, IpProtocol.DESTINATION_OPTIONS])
@pytest.mark.parametrize("kind", range(2, 256))
def test_ipv6_option_data_is_zeroed_where_the_types_third_bit_says_so(header_kind, kind):
    option = bytes((kind, 3, 0xAA, 0xBB, 0xCC))
    body = b"\0" + option + bytes((1, 2, 0, 0)) + option
    header = header6(extension(IpProtocol.AH, body), header_kind)
    muted = bytes((kind, 3, 0, 0, 0)) if kind & 0x20 else option
    expected = extension(IpProtocol.AH, b"\0" + muted + bytes((1, 2, 0, 0)) + muted)
    assert without_mutable_fields(header)[40:] == expected


@pytest.mark.conf("AH-04")
@pytest.mark.parametrize("length", [4, 5, 200, 255])
def test_an_ipv6_option_longer_than_its_header_ends_with_it(length):
    for kind in (0x3E, 0x1E):
        lying = bytes((IpProtocol.DESTINATION_OPTIONS, 0, 1, 0, kind, length, 0xAA, 0xBB))
        honest = extension(IpProtocol.AH, bytes((0x1E, 4, 1, 2, 3, 4)))
        signed = without_mutable_fields(header6(lying + honest, IpProtocol.HOP_BY_HOP))
        assert signed[40:46] == lying[:6]
        assert signed[46:48] == (bytes(2) if kind & 0x20 else lying[6:])
        assert signed[48:] == honest


def test_an_ipv6_option_without_room_for_its_length():
    header = extension(IpProtocol.AH, bytes((1, 3, 0, 0, 0, 0x3E)))
    assert without_mutable_fields(header6(header, IpProtocol.HOP_BY_HOP))[40:] == header


def routed(count: int, passed: int) -> bytes:
    """An IPv6 header with a type 0 routing header of `count` stops, behind `passed` of them (RFC 2460 4.4)."""
    path = [*STOPS6[:count], EAST6]
    addresses = path[1:]
    destination = path[0]
    for index in range(passed):
        destination, addresses[index] = addresses[index], destination
    body = bytes((0, count - passed, 0, 0, 0, 0)) + b"".join(addresses)
    return header6(
        extension(IpProtocol.AH, body),
        IpProtocol.ROUTING,
        destination,
        hop_limit=64 - passed,
        flow_label=passed,
    )


@pytest.mark.conf("AH-04")
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_type_0_route_is_signed_as_it_will_arrive(count):
    headers = [routed(count, passed) for passed in range(count + 1)]
    assert all(one != other for one, other in pairwise(headers))
    signed = {without_mutable_fields(as_it_will_arrive(header)) for header in headers}
    assert len(signed) == 1
    (arrived,) = signed
    assert arrived == without_mutable_fields(headers[-1])
    assert arrived[24:40] == EAST6
    assert arrived[43] == 0
    assert arrived[48:64] == STOPS6[0]
    assert arrived[44:] == headers[-1][44:]


@pytest.mark.parametrize(
    ("route_type", "segments_left"), [(0, 3), (0, 255), (2, 1), (3, 1), (4, 2)], ids=lambda each: str(each)
)
def test_a_route_that_cannot_be_walked_or_is_of_another_type_is_signed_as_it_stands(
    route_type, segments_left
):
    body = bytes((route_type, segments_left, 0, 0, 0, 0)) + STOPS6[0] + STOPS6[1]
    header = header6(extension(IpProtocol.AH, body), IpProtocol.ROUTING)
    assert as_it_will_arrive(header) == header
    assert without_mutable_fields(header)[24:] == header[24:]


@pytest.mark.conf("AH-15")
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("behind", [False, True])
def test_a_fragment_header_that_reassembly_left_is_skipped(before, behind):
    hop_by_hop = extension(IpProtocol.AH, bytes((0x1E, 4, 1, 2, 3, 4)))
    options = extension(IpProtocol.AH, bytes((0x3E, 4, 1, 2, 3, 4)))
    chain = [(IpProtocol.HOP_BY_HOP, hop_by_hop)] if before else []
    rest = [(IpProtocol.DESTINATION_OPTIONS, options)] if behind else []
    fragment = (IpProtocol.FRAGMENT, bytes((0, 0, 0, 0, 0, 0, 0x12, 0x34)))

    def header(parts) -> bytes:
        kinds = [number for number, _octets in parts] + [IpProtocol.AH]
        linked = b"".join(
            bytes((following,)) + octets[1:]
            for (_kind, octets), following in zip(parts, kinds[1:], strict=True)
        )
        return header6(linked, kinds[0])

    whole = without_mutable_fields(header(chain + rest))
    assert without_mutable_fields(header([*chain, fragment, *rest])) == whole
    assert without_mutable_fields(header([*chain, fragment, fragment, *rest])) == whole
