import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import esp
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed, Truncated


def test_an_esp_packet_begins_with_spi_and_sequence():
    assert esp.numbers(bytes.fromhex("cf349d07 00000001 aabb")) == (0xCF349D07, 1)
    assert esp.HEADER.pack(0xCF349D07, 1) == bytes.fromhex("cf349d0700000001")


@pytest.mark.parametrize("length", range(8))
def test_shorter_than_the_header_is_refused(length):
    with pytest.raises(Truncated) as caught:
        esp.numbers(bytes(length))
    assert caught.value.reason is DropReason.ESP_SHORT


@pytest.mark.parametrize("alignment", [4, 8, 16, 64, 256])
def test_padding_counts_up_and_reaches_the_alignment(alignment):
    for length in range(301):
        padding = esp.pad(length, alignment)
        assert padding == bytes(range(1, len(padding) + 1))
        assert len(padding) < alignment
        assert (length + len(padding) + esp.TRAILER_LENGTH) % alignment == 0
        trailer = esp.trailer(length, alignment, IpProtocol.IPV4)
        assert trailer == padding + bytes((len(padding), IpProtocol.IPV4))
        assert esp.strip_trailer(bytes(length) + trailer) == (bytes(length), IpProtocol.IPV4)


def test_more_padding_than_needed_is_accepted():
    padding = bytes(range(1, 256))
    assert esp.strip_trailer(b"payload" + padding + b"\xff\x06") == (b"payload", 6)


@pytest.mark.parametrize("plaintext", [b"", b"\0"])
def test_no_room_for_the_trailer_is_refused(plaintext):
    with pytest.raises(Truncated) as caught:
        esp.strip_trailer(plaintext)
    assert caught.value.reason is DropReason.ESP_SHORT


@pytest.mark.parametrize(
    "plaintext",
    [
        bytes(18) + b"\xff\x04",
        b"\x01\x02\x04\x04",
        b"data\x00\x01\x02\x03\x04",
        b"data\x01\x03\x02\x04",
        b"data\x01\x02\x00\x03\x04",
    ],
)
def test_bad_padding_is_refused(plaintext):
    with pytest.raises(Malformed) as caught:
        esp.strip_trailer(plaintext)
    assert caught.value.reason is DropReason.ESP_BAD_PAD
