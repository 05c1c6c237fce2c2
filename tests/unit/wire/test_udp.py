import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.wire import udp
from ipsecsim.wire.reader import Malformed
from tests.unit.wire.samples import IKE_SA_INIT, IKE_SA_INIT_PACKET

A = pack("10.1.0.10")
B = pack("10.2.0.10")


def test_a_recorded_segment_is_read_and_built_byte_for_byte():
    # The recording's checksum was left to the network card, so ports, length and payload are compared.
    segment = IKE_SA_INIT_PACKET[20:]
    assert udp.parse(segment) == (500, 500, IKE_SA_INIT)
    built = udp.build(A, B, 500, 500, IKE_SA_INIT)
    assert built[:6] == segment[:6]
    udp.check(A, B, built)


def test_no_checksum_is_sent_as_zero_and_accepted():
    segment = udp.build(A, B, 4500, 4500, b"abc", checksum=False)
    assert segment[6:8] == b"\0\0"
    udp.check(A, B, segment)


def test_a_checksum_that_comes_out_as_zero_is_sent_as_all_ones():
    for word in range(0x10000):
        segment = udp.build(A, B, 1, 2, word.to_bytes(2, "big"))
        assert segment[6:8] != b"\0\0"
        if segment[6:8] == b"\xff\xff":
            udp.check(A, B, segment)
            break
    else:
        pytest.fail("one of the 65536 payloads sums up to all ones")


@pytest.mark.parametrize("payload", [b"", b"a", b"ab", bytes(range(251)), bytes(1473)])
def test_the_checksum_covers_ports_payload_and_addresses(payload):
    segment = udp.build(A, B, 1024, 53, payload)
    udp.check(A, B, segment)
    for source, destination, wrong in (
        (B, B, segment),
        (A, A, segment),
        (A, B, b"\x05" + segment[1:]),
        (A, B, segment[:-1] + bytes((segment[-1] ^ 1,))),
    ):
        with pytest.raises(Malformed) as caught:
            udp.check(source, destination, wrong)
        assert caught.value.reason is DropReason.UDP_CHECKSUM


def test_bytes_behind_the_length_field_are_ignored():
    segment = udp.build(A, B, 1, 2, b"abc") + b"link padding"
    udp.check(A, B, segment)
    assert udp.parse(segment) == (1, 2, b"abc")


@pytest.mark.parametrize(
    "segment", [b"", bytes(7), bytes(8), bytes.fromhex("0001000200070000"), bytes.fromhex("0001000200090000")]
)
def test_a_wrong_length_is_refused(segment):
    for refuse in (udp.parse, lambda data: udp.check(A, B, data)):
        with pytest.raises(Malformed) as caught:
            refuse(segment)
        assert caught.value.reason is DropReason.UDP_SHORT


def test_a_payload_too_long_for_the_length_field_is_the_callers_mistake():
    with pytest.raises(LocalError):
        udp.build(A, B, 1, 2, bytes(65528))
