import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import icmpv6, ipv6
from ipsecsim.wire.checksum import transport_is_valid
from ipsecsim.wire.icmpv6 import Echo, IcmpError, Icmpv6Type, UnknownIcmp, UnreachableCode
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed

A, B = pack("2001:db8:1::1"), pack("2001:db8:2::1")


def test_echo_bytes():
    # worked out by hand: 2001+0db8+1+1 + 2001+0db8+2+1 + length 10 + 58 + 8000 + 1234 + 1 + 6162
    assert Echo(False, 0x1234, 1, b"ab").emit(A, B) == bytes.fromhex("8000 b0ac 1234 0001") + b"ab"
    assert Echo(True, 0x1234, 1, b"ab").emit(A, B)[0] == 129
    assert icmpv6.parse(A, B, Echo(True, 7, 9, b"abc").emit(A, B)) == Echo(True, 7, 9, b"abc")


def test_the_checksum_covers_the_addresses():
    message = Echo(False, 1, 1, b"data").emit(A, B)
    assert transport_is_valid(A, B, IpProtocol.ICMPV6, message)
    with pytest.raises(Malformed) as caught:
        icmpv6.parse(A, pack("2001:db8:3::1"), message)
    assert caught.value.reason is DropReason.ICMP_CHECKSUM


def test_packet_too_big_carries_the_mtu_of_the_next_hop():
    error = IcmpError(Icmpv6Type.PACKET_TOO_BIG, 0, b"quoted", rest=1400)
    message = error.emit(A, B)
    assert message[4:8] == (1400).to_bytes(4, "big")
    parsed = icmpv6.parse(A, B, message)
    assert isinstance(parsed, IcmpError)
    assert parsed.mtu == 1400
    assert parsed == error


def test_an_error_with_all_it_may_quote_fills_the_smallest_mtu():
    error = IcmpError(Icmpv6Type.DESTINATION_UNREACHABLE, UnreachableCode.PORT, bytes(icmpv6.MOST_QUOTED))
    packet = ipv6.build(A, B, IpProtocol.ICMPV6, error.emit(A, B))
    assert len(packet) == ipv6.MINIMUM_MTU


def test_an_unknown_type_below_128_is_an_error_and_above_is_not():
    assert isinstance(icmpv6.parse(A, B, IcmpError(99, 1, b"quoted").emit(A, B)), IcmpError)
    unknown = UnknownIcmp(200, 0, bytes(16))
    assert icmpv6.parse(A, B, unknown.emit(A, B)) == unknown


def test_an_echo_with_a_code_is_not_taken_for_an_echo():
    odd = UnknownIcmp(128, 3, bytes(4))
    assert icmpv6.parse(A, B, odd.emit(A, B)) == odd


def test_an_error_cut_before_its_fifth_byte_is_unknown():
    stub = UnknownIcmp(2, 0, b"ab")
    assert icmpv6.parse(A, B, stub.emit(A, B)) == stub


@pytest.mark.parametrize(
    "message", [b"", b"\xff\xff", b"\x80\0\0\0\0\0\0\0", Echo(False, 1, 1).emit(A, B)[:-1] + b"x"]
)
def test_a_wrong_checksum_is_refused(message):
    with pytest.raises(Malformed) as caught:
        icmpv6.parse(A, B, message)
    assert caught.value.reason is DropReason.ICMP_CHECKSUM
