import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Malformed, Reader, Truncated


def test_fields_come_off_the_front_in_order():
    reader = Reader(bytes.fromhex("01 0203 04050607 08 09 0a"), "sample")
    assert (reader.u8(), reader.u16(), reader.u32()) == (1, 0x0203, 0x04050607)
    assert reader.take(1) == b"\x08"
    assert (reader.offset, reader.remaining) == (8, 2)
    assert reader.rest() == b"\x09\x0a"
    reader.end()


def test_reading_past_the_end_is_truncated_and_names_the_format():
    reader = Reader(b"\x01", "sample", DropReason.INVALID_SYNTAX)
    with pytest.raises(Truncated, match="sample: 2 bytes wanted at 0, 1 left") as caught:
        reader.u16()
    assert caught.value.reason is DropReason.INVALID_SYNTAX


def test_a_length_below_zero_is_malformed_not_a_step_back():
    reader = Reader(b"abcdef", "sample")
    reader.take(4)
    with pytest.raises(Malformed, match="2 bytes too small"):
        reader.take(-2)


def test_leftover_bytes_are_malformed():
    reader = Reader(b"abc", "sample")
    reader.u8()
    with pytest.raises(Malformed, match="2 bytes too many") as caught:
        reader.end()
    assert caught.value.reason is DropReason.IP_MALFORMED
