import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import ah
from ipsecsim.wire.reader import Malformed, Truncated

SIGNED = bytes.fromhex("0406 0000 cf349d07 00000003") + bytes(
    20
)  # 32 bytes in all: 6 words and the two left out


def test_the_length_counts_words_and_leaves_out_two():
    assert ah.length(SIGNED) == 32
    assert ah.length(bytes((0, 0))) == 8
    assert ah.length(bytes((0, 255))) == 1028


@pytest.mark.parametrize(
    ("icv", "alignment", "padding"),
    [
        (12, 4, 0),
        (12, 8, 0),
        (16, 4, 0),
        (16, 8, 4),
        (24, 8, 4),
        (32, 8, 4),
        (16, ah.LINUX_IPV4_ALIGNMENT, 4),
    ],
)
def test_padding_aligns_the_header_and_no_more(icv, alignment, padding):
    assert ah.padding(icv, alignment) == padding
    assert (ah.FIXED_LENGTH + icv + padding) % alignment == 0


def test_spi_and_sequence_are_read_where_the_header_stands():
    packet = bytes(20) + SIGNED + b"payload"
    assert ah.numbers(packet, 20, len(packet)) == (0xCF349D07, 3)
    assert ah.numbers(packet, 20, 52) == (0xCF349D07, 3)  # nothing behind it


def test_a_header_that_is_not_all_there_is_refused():
    for end in range(20, 32):
        with pytest.raises(Truncated, match=f"AH of {end - 20} bytes") as caught:
            ah.numbers(bytes(20) + SIGNED, 20, end)
        assert caught.value.reason is DropReason.AH_SHORT


@pytest.mark.parametrize("words", range(256))
def test_only_lengths_between_the_fixed_part_and_the_packet_are_taken(words):
    packet = bytes((4, words)) + SIGNED[2:]
    if words in range(1, 7):
        assert ah.numbers(packet, 0, len(packet)) == (0xCF349D07, 3)
        return
    with pytest.raises(Malformed, match=f"AH length {4 * words + 8} in 32 bytes") as caught:
        ah.numbers(packet, 0, len(packet))
    assert caught.value.reason is DropReason.AH_BAD_LEN
