from itertools import product

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.nat_t import KEEPALIVE, NON_ESP_MARKER, Encapsulated, classify
from ipsecsim.wire.reader import Truncated


@pytest.mark.conf("UDP-01")
def test_four_zero_bytes_mean_ike_because_an_spi_is_never_zero():
    assert classify(NON_ESP_MARKER + b"message") is Encapsulated.IKE
    assert classify(NON_ESP_MARKER) is Encapsulated.IKE


@pytest.mark.parametrize("position", range(4))
def test_any_other_first_four_bytes_mean_esp(position):
    start = bytearray(4)
    start[position] = 1
    assert classify(bytes(start)) is Encapsulated.ENCAPSULATED_ESP
    assert classify(bytes(start) + bytes(40)) is Encapsulated.ENCAPSULATED_ESP


def test_a_lone_ff_is_a_keepalive_and_four_of_them_are_esp():
    assert classify(KEEPALIVE) is Encapsulated.KEEPALIVE
    assert classify(KEEPALIVE * 4) is Encapsulated.ENCAPSULATED_ESP


@pytest.mark.conf("UDP-12")
@pytest.mark.parametrize("datagram", [b"", b"\0", b"\xfe", b"\xff\xff", b"\0\0\0", b"\xff\xff\xff"])
def test_anything_shorter_than_a_marker_is_dropped_with_a_reason(datagram):
    with pytest.raises(Truncated) as caught:
        classify(datagram)
    assert caught.value.reason is DropReason.UDP_SHORT


@pytest.mark.conf("UDP-01", "UDP-02", "UDP-12")
@pytest.mark.parametrize("length", range(9))
def test_every_start_and_length_is_one_thing_only(length):
    """All patterns of 0, 1 and ff in the first four bytes, cut to lengths from 0 to 8."""
    for pattern in product((0, 1, 0xFF), repeat=4):
        datagram = (bytes(pattern) + bytes(4))[:length]
        if length >= 4:
            expected = Encapsulated.IKE if not any(pattern) else Encapsulated.ENCAPSULATED_ESP
            assert classify(datagram) is expected
        elif datagram == KEEPALIVE:
            assert classify(datagram) is Encapsulated.KEEPALIVE
        else:
            with pytest.raises(Truncated) as caught:
                classify(datagram)
            assert caught.value.reason is DropReason.UDP_SHORT
