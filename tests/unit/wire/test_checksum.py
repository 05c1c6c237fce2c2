import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.wire import checksum
from ipsecsim.wire.numbers import IpProtocol


def by_the_book(data: bytes) -> int:
    """RFC 1071 word for word: add up, carry around, complement."""
    if len(data) % 2:
        data += b"\0"
    total = 0
    for index in range(0, len(data), 2):
        total += data[index] << 8 | data[index + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_published_example():
    # RFC 1071 3: these words sum up to ddf2.
    assert checksum.internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0xFFFF),
        (b"\0\0", 0xFFFF),
        (bytes(2000), 0xFFFF),
        (b"\xff\xff", 0),
        (b"\xff" * 2000, 0),
        (b"\xff\xfe\x00\x01", 0),
        (b"\x80", 0x7FFF),
        (b"\x00\x00\x80", 0x7FFF),
    ],
)
def test_zero_and_all_ones_and_odd_lengths(data, expected):
    assert checksum.internet_checksum(data) == expected == by_the_book(data)


@given(st.binary(max_size=80))
def test_any_bytes_by_the_book(data):
    assert checksum.internet_checksum(data) == by_the_book(data)


@pytest.mark.parametrize(
    "length", [599, 600, 601, 768, 1500, 1535, 1536, 1537, 3072, 3073, 9000, 65535, 400001]
)
def test_long_data_is_folded_rightly(length):
    data = bytes((index * 37 + index // 256) & 0xFF for index in range(length))
    assert checksum.internet_checksum(data) == by_the_book(data)


@given(st.binary(min_size=2, max_size=64))
def test_data_with_its_checksum_is_valid_and_one_flipped_bit_is_not(data):
    data = data[: len(data) & ~1]
    assume(any(data))
    whole = data + checksum.internet_checksum(data).to_bytes(2, "big")
    assert checksum.is_valid(whole)
    assert not checksum.is_valid(bytes((whole[0] ^ 1,)) + whole[1:])


def test_all_zeros_are_not_valid():
    assert not checksum.is_valid(bytes(20))
    assert checksum.is_valid(b"\xff\xff")


@given(st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=8), st.integers(0, 0xFFFF))
def test_update_equals_full_recomputation(words, new_word):
    def whole(numbers):
        return b"".join(number.to_bytes(2, "big") for number in numbers)

    words[1] |= 1  # a real header never is all zeros
    before = checksum.internet_checksum(whole(words))
    after = checksum.internet_checksum(whole([new_word, *words[1:]]))
    assert checksum.update(before, words[0], new_word) == after


def test_update_gives_zero_where_the_older_equation_gave_all_ones():
    # RFC 1624 3 and 4: HC = dd2f, m = 5555, m' = 3285 must give 0000, not ffff.
    assert checksum.update(0xDD2F, 0x5555, 0x3285) == 0x0000


@pytest.mark.parametrize("pair", [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8::2")])
def test_transport_checksum_covers_the_pseudo_header(pair):
    source, destination = (pack(text) for text in pair)
    segment = bytes.fromhex("11941194000b0000") + b"abc"
    if len(source) == 4:
        pseudo = source + destination + bytes((0, IpProtocol.UDP)) + len(segment).to_bytes(2, "big")
    else:
        pseudo = source + destination + len(segment).to_bytes(4, "big") + bytes((0, 0, 0, IpProtocol.UDP))
    field = checksum.transport_checksum(source, destination, IpProtocol.UDP, segment)
    assert field == by_the_book(pseudo + segment)
    sealed = segment[:6] + field.to_bytes(2, "big") + segment[8:]
    assert checksum.transport_is_valid(source, destination, IpProtocol.UDP, sealed)
    assert not checksum.transport_is_valid(source, destination, IpProtocol.TCP, sealed)
