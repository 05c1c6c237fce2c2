import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import icmpv4
from ipsecsim.wire.icmpv4 import Echo, IcmpError, IcmpType, UnknownIcmp, UnreachableCode
from ipsecsim.wire.reader import Malformed


def test_echo_bytes():
    assert Echo(False, 0x1234, 1, b"ab").emit() == bytes.fromhex("0800 8468 1234 0001") + b"ab"
    assert Echo(True, 0x1234, 1, b"ab").emit()[0] == 0
    assert icmpv4.parse(Echo(True, 7, 9, b"abc").emit()) == Echo(True, 7, 9, b"abc")


def test_fragmentation_needed_carries_the_mtu_of_the_next_hop():
    error = IcmpError(
        IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.FRAGMENTATION_NEEDED, b"quoted", rest=1400
    )
    message = error.emit()
    assert message[6:8] == (1400).to_bytes(2, "big")
    parsed = icmpv4.parse(message)
    assert isinstance(parsed, IcmpError)
    assert parsed.mtu == 1400
    assert parsed == error


def test_other_types_survive_as_they_are():
    unknown = UnknownIcmp(13, 0, bytes(16))
    assert icmpv4.parse(unknown.emit()) == unknown


def test_an_echo_with_a_code_is_not_taken_for_an_echo():
    odd = UnknownIcmp(8, 3, bytes(4))
    assert icmpv4.parse(odd.emit()) == odd


def test_an_error_cut_before_its_fifth_byte_is_unknown():
    stub = UnknownIcmp(3, 4, b"ab")
    assert icmpv4.parse(stub.emit()) == stub


@pytest.mark.parametrize(
    "message", [b"", b"\xff\xff", b"\x08\0\0\0\0\0\0\0", Echo(False, 1, 1).emit()[:-1] + b"x"]
)
def test_a_wrong_checksum_is_refused(message):
    with pytest.raises(Malformed) as caught:
        icmpv4.parse(message)
    assert caught.value.reason is DropReason.ICMP_CHECKSUM
