"""Checksums inside transport mode after a NAT (RFC 3948 3.1.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.ipsec.checksum_repair import repaired
from ipsecsim.wire import udp
from ipsecsim.wire.checksum import transport_checksum, transport_is_valid
from ipsecsim.wire.numbers import IpProtocol

CHECKSUM_AT = {IpProtocol.TCP: 16, IpProtocol.UDP: 6, IpProtocol.ICMPV6: 2}
PRIVATE = (pack("10.1.0.2"), pack("192.0.2.2"))
PUBLIC = (pack("203.0.113.7"), pack("192.0.2.2"))

addresses4 = st.tuples(*[st.binary(min_size=4, max_size=4)] * 2)
addresses6 = st.tuples(*[st.binary(min_size=16, max_size=16)] * 2)
pairs = st.one_of(st.tuples(addresses4, addresses4), st.tuples(addresses6, addresses6))
protocols = st.sampled_from(list(CHECKSUM_AT))


def with_checksum(octets: bytes, protocol: int, ends: tuple[bytes, bytes]) -> bytes:
    at = CHECKSUM_AT[protocol]
    blank = octets[:at] + bytes(2) + octets[at + 2 :]
    checksum = transport_checksum(*ends, protocol, blank)
    if protocol == IpProtocol.UDP and not checksum:
        checksum = 0xFFFF
    return octets[:at] + checksum.to_bytes(2, "big") + octets[at + 2 :]


@pytest.mark.conf("UDP-07")
@given(ends=pairs, protocol=protocols, octets=st.binary(min_size=20, max_size=61), known=st.booleans())
def test_a_right_checksum_is_right_again_behind_the_nat(ends, protocol, octets, known):
    original, current = ends
    sent = with_checksum(octets, protocol, original)
    received = repaired(sent, protocol, original if known else None, current)
    assert transport_is_valid(*current, protocol, received)
    at = CHECKSUM_AT[protocol]
    assert received[:at] + received[at + 2 :] == sent[:at] + sent[at + 2 :]
    if protocol == IpProtocol.UDP:
        assert received[6:8] != bytes(2)


@pytest.mark.conf("UDP-07")
@given(ends=pairs, protocol=protocols, octets=st.binary(min_size=20, max_size=61), bit=st.integers(0, 159))
def test_with_known_addresses_damage_from_elsewhere_still_shows(ends, protocol, octets, bit):
    original, current = ends
    damaged = bytearray(with_checksum(octets, protocol, original))
    damaged[bit // 8] ^= 0x80 >> bit % 8
    at = CHECKSUM_AT[protocol]
    received = repaired(bytes(damaged), protocol, original, current)
    if protocol == IpProtocol.UDP and damaged[6:8] == bytes(2):
        assert received == damaged
    elif damaged[at : at + 2] in (bytes(2), b"\xff\xff"):
        pass  # both are zero in one's complement: here the change made another spelling of the same number
    else:
        assert not transport_is_valid(*current, protocol, received)


@pytest.mark.conf("UDP-07")
@pytest.mark.parametrize("original", [None, PRIVATE])
def test_a_udp_checksum_of_0_stays_because_there_is_none(original):
    segment = udp.build(*PRIVATE, 1111, 2222, b"data", checksum=False)
    assert repaired(segment, IpProtocol.UDP, original, PUBLIC) == segment


@pytest.mark.parametrize("original", [None, PRIVATE])
@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 41, 47, 50, 132, 255])
def test_what_does_not_count_addresses_is_left_alone(original, protocol):
    octets = bytes(range(60))
    assert repaired(octets, protocol, original, PUBLIC) is octets


@pytest.mark.parametrize("original", [None, PRIVATE])
@pytest.mark.parametrize(("protocol", "at"), CHECKSUM_AT.items())
def test_a_segment_too_short_for_a_checksum_is_left_alone(original, protocol, at):
    for length in range(at + 2):
        octets = bytes(length)
        assert repaired(octets, protocol, original, PUBLIC) == octets


def test_addresses_that_did_not_change_need_nothing():
    wrong = b"\x04\x57\x08\xae\0\x0c\x12\x34data"
    assert repaired(wrong, IpProtocol.UDP, PRIVATE, PRIVATE) == wrong
