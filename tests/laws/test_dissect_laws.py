"""Laws of the dissector: it never raises, and its fields lie side by side, each inside its parent."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecsim.wire import ipv4, ipv6, udp
from ipsecsim.wire.dissect import dissect, dissect_ike, dissect_payloads
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.layout import Field
from ipsecsim.wire.numbers import IpProtocol
from tests.laws.wire_formats import CHAIN, MESSAGE, emit_extension_headers, extension_headers, payloads_of
from tests.unit.wire.samples import IKE_SA_INIT_PACKET

pytestmark = pytest.mark.slow

LAW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
A, B = b"\x0a\x01\x00\x0a", b"\x0a\x02\x00\x0a"
A6, B6 = bytes(15) + b"\x01", bytes(15) + b"\x02"

PROTOCOLS = st.sampled_from([*IpProtocol, 99])
SOME_BYTES = st.binary(max_size=150)


def authentication_headers(payloads: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """AH in front of them; mostly its length is that of an ICV."""
    return st.builds(
        lambda following, words, fixed, icv, payload: bytes((following, words)) + fixed + icv + payload,
        PROTOCOLS,
        st.integers(0, 12),
        st.binary(min_size=10, max_size=10),
        st.binary(max_size=48),
        payloads,
    )


def ip_packets(payloads: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """IP of either version around them, whatever they are; in IPv4 with options, cut or not."""
    options = st.integers(0, 10).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words))
    cut = st.integers(0, 30) | st.just(0)
    return st.builds(
        lambda protocol, payload, options, cut: ipv4.build(A, B, protocol, payload, options=options)[
            : 20 + len(options) + len(payload) - cut
        ],
        PROTOCOLS,
        payloads,
        options,
        cut,
    ) | st.builds(
        lambda protocol, payload, cut: ipv6.build(A6, B6, protocol, payload)[: 40 + len(payload) - cut],
        PROTOCOLS,
        payloads,
        cut,
    )


HEADERS_IN_HEADERS = st.recursive(
    SOME_BYTES,
    lambda inner: (
        ip_packets(inner) | authentication_headers(inner) | extension_headers().map(emit_extension_headers)
    ),
    max_leaves=4,
)


def bit_range(field: Field) -> tuple[int, int]:
    if field.bits is None:
        return 8 * field.start, 8 * field.end
    offset, width = field.bits
    return 8 * field.start + offset, 8 * field.start + offset + width


def check_tree(root: Field, start: int, end: int) -> None:
    assert (root.start, root.end) == (start, end)
    for _, field in root.walk():
        low, high = bit_range(field)
        assert 8 * field.start <= low <= high <= 8 * field.end
        reached = low
        for child in field.children:
            child_low, child_high = bit_range(child)
            assert reached <= child_low <= child_high <= high
            reached = child_high
        if field.children:
            assert reached == high, f"{field.name} ends in bytes nobody read"


def check_packet(packet: bytes) -> None:
    check_tree(dissect(packet), 0, len(packet))


@LAW
@given(st.binary(max_size=200))
def test_random_packets(packet):
    check_packet(packet)


@LAW
@given(PROTOCOLS, SOME_BYTES)
def test_random_payloads_of_every_protocol(protocol, payload):
    check_packet(ipv4.build(A, B, protocol, payload))
    check_packet(ipv6.build(A6, B6, protocol, payload))


@LAW
@given(HEADERS_IN_HEADERS)
def test_headers_in_headers(packet):
    check_packet(packet)
    check_packet(ipv6.build(A6, B6, IpProtocol.AH, packet))
    check_packet(ipv4.build(A, B, IpProtocol.IPV6, packet))


@LAW
@given(extension_headers(), st.data())
def test_extension_headers_cut_and_changed(headers, data):
    packet = bytearray(emit_extension_headers(headers))
    position = data.draw(st.integers(0, len(packet) - 1))
    packet[position] ^= data.draw(st.integers(0, 255))
    check_packet(bytes(packet[: data.draw(st.integers(0, len(packet)))]))


@LAW
@given(st.sampled_from([(500, 500), (4500, 4500), (1, 2)]), st.binary(max_size=150))
def test_random_datagrams_on_every_port(ports, payload):
    check_packet(ipv4.build(A, B, 17, udp.build(A, B, *ports, payload)))
    check_packet(ipv6.build(A6, B6, 17, udp.build(A6, B6, *ports, payload)))


def test_a_recorded_packet_cut_at_every_byte_and_changed_in_every_byte():
    for length in range(len(IKE_SA_INIT_PACKET)):
        check_packet(IKE_SA_INIT_PACKET[:length])
    for position in range(len(IKE_SA_INIT_PACKET)):
        for change in (0x01, 0x80, 0xFF):
            packet = bytearray(IKE_SA_INIT_PACKET)
            packet[position] ^= change
            check_packet(bytes(packet))


@LAW
@given(MESSAGE.values, st.integers(0, 100))
def test_valid_messages_have_nothing_malformed(value, offset):
    message = MESSAGE.emit(value)
    root = dissect_ike(message, offset)
    check_tree(root, offset, offset + len(message))
    assert all(field.name != "malformed" for _, field in root.walk())


@pytest.mark.parametrize("number", list(PAYLOADS), ids=lambda number: PAYLOADS[number].__name__)
@LAW
@given(data=st.data(), cut=st.integers(0, 60), position=st.integers(0, 60), change=st.integers(0, 255))
def test_each_payload_cut_and_changed(number, data, cut, position, change):
    body = bytearray(data.draw(payloads_of(PAYLOADS[number])).emit())
    if position < len(body):
        body[position] ^= change
    body = body[: max(0, len(body) - cut)]
    chain = bytes(2) + (4 + len(body)).to_bytes(2, "big") + bytes(body)
    (root,) = dissect_payloads(number, chain, 7)
    check_tree(root, 7, 7 + len(chain))


@LAW
@given(st.integers(0, 255), st.binary(max_size=100))
def test_random_chains(first, data):
    for root in dissect_payloads(first, data):
        check_tree(root, root.start, root.end)


@LAW
@given(CHAIN.values)
def test_valid_chains_are_covered_to_the_last_byte(payloads):
    data = CHAIN.emit(payloads)
    fields = dissect_payloads(data[0], data[1:])
    assert [field.end for field in fields[-1:]] == ([len(data) - 1] if payloads else [])
