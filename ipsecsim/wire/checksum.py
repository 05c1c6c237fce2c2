"""Here is the Internet checksum: ones' complement sums of words (RFC 1071), and its mending (RFC 1624).

2^16 leaves the remainder 1 when divided by 65535, so a whole buffer, read as one big number and
divided by 65535, leaves the ones' complement sum of its words. Only the two zeros need care: a sum
of words that are not all zero is 0xffff where the remainder is 0, so its checksum is 0, never 0xffff.
"""

# A long number is folded in half a few times before it is divided: 1.9 us instead of 2.5 for 1400 bytes.
# Row n holds the folds for up to 1536 * 2^n bytes; the last row serves all that is longer.
_LONG = 600
_PACKET = 1536
_FOLDS = [[(1536 << i, (1 << (1536 << i)) - 1) for i in range(n + 2, -1, -1)] for n in range(7)]


def word_sum(data: bytes) -> int:
    """A number whose remainder by 65535 is the ones' complement sum of `data`; 0 only if all bytes are 0.

    Several such numbers may be added up before dividing. An odd byte counts as the high half of a word.
    """
    length = len(data)
    total = int.from_bytes(data, "big")
    if length & 1:
        total <<= 8
    if length > _LONG:
        row = (length - 1) // _PACKET
        for bits, mask in _FOLDS[min(row.bit_length(), 6)]:
            total = (total >> bits) + (total & mask)
    return total


def finish(total: int) -> int:
    """The checksum that belongs to a sum: its ones' complement."""
    return -total % 0xFFFF if total else 0xFFFF


def internet_checksum(data: bytes) -> int:
    """The checksum of `data`, in which the checksum field is zero (RFC 1071)."""
    return finish(word_sum(data))


def is_valid(data: bytes) -> bool:
    """Whether `data`, with its checksum in it, sums up to 0xffff as it must."""
    total = word_sum(data)
    return total != 0 and total % 0xFFFF == 0


def update(checksum: int, old_word: int, new_word: int) -> int:
    """The checksum after one 16-bit word changed (RFC 1624 3, equation 3).

    Equal to the checksum of the changed data as a whole, unless that is all zeros.
    """
    return finish((0xFFFF - checksum) + (0xFFFF - old_word) + new_word)


def replaced(checksum: int, old: bytes, new: bytes) -> int:
    """The checksum after whole words, anywhere in the data, gave way to others (RFC 1624 3, equation 3)."""
    return finish((0xFFFF - checksum) + (0xFFFF - word_sum(old) % 0xFFFF) + word_sum(new))


def pseudo_header_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """The sum of the pseudo header that TCP, UDP and ICMPv6 checksums begin with (RFC 768, RFC 8200 8.1).

    Serves both IP versions: the words are the same but for zeros.
    """
    return int.from_bytes(source + destination, "big") + protocol + length


def transport_checksum(source: bytes, destination: bytes, protocol: int, segment: bytes) -> int:
    """The checksum of a TCP, UDP or ICMPv6 segment in which the checksum field is zero."""
    return finish(pseudo_header_sum(source, destination, protocol, len(segment)) + word_sum(segment))


def transport_is_valid(source: bytes, destination: bytes, protocol: int, segment: bytes) -> bool:
    """Whether a segment, with its checksum in it, and its pseudo header sum up to 0xffff."""
    total = pseudo_header_sum(source, destination, protocol, len(segment)) + word_sum(segment)
    return total % 0xFFFF == 0
