"""Here is how DER is read and written: tag, length, value, and of all encodings only the one allowed (X.690 10)."""

from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Malformed, Reader

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 1, 2, 3, 4, 5, 6
UTF8_STRING, PRINTABLE_STRING, IA5_STRING = 12, 19, 22
SEQUENCE, SET = 0x30, 0x31
CONSTRUCTED = 0x20
EXPLICIT = 0xA0  # context-specific and constructed; add the number

DEEPEST = 32  # no structure that IKE carries nests half as deep
_LONG_TAG = 0x1F
_LONGEST_LENGTH = 4  # bytes: 4 GiB is beyond every cap


@dataclass(slots=True)
class Element:
    """One value with its tag; `whole` is all of it, tag and length included."""

    tag: int
    value: bytes
    whole: bytes


class DerReader:
    """Takes elements off the front of `data`. Errors name `what` is being read and count as `reason`."""

    def __init__(self, data: bytes, what: str, reason: DropReason) -> None:
        self._data = data
        self._reader = Reader(data, what, reason)
        self._what = what
        self._reason = reason

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self._reader.remaining

    def next(self, tag: int | None = None) -> Element:
        """The next element. Raises Malformed for bad DER, and for another tag than `tag`."""
        start = self._reader.offset
        found = self._reader.u8()
        if found & _LONG_TAG == _LONG_TAG:
            raise self._reader.malformed("a tag of several bytes")
        if tag is not None and found != tag:
            raise self._reader.malformed(f"tag {found:#04x} where {tag:#04x} belongs")
        value = self._reader.take(self._length())
        return Element(found, value, self._data[start : self._reader.offset])

    def inside(self, tag: int) -> "DerReader":
        """The next element, which must have this tag, as a reader of what it holds. Raises Malformed."""
        return DerReader(self.next(tag).value, self._what, self._reason)

    def end(self) -> None:
        """Raise Malformed when bytes are left over."""
        self._reader.end()

    def malformed(self, why: str) -> Malformed:
        """An error about these bytes, ready to raise."""
        return self._reader.malformed(why)

    def _length(self) -> int:
        first = self._reader.u8()
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= _LONGEST_LENGTH:
            raise self._reader.malformed("a length without an end, or of too many bytes")
        length = int.from_bytes(self._reader.take(count), "big")
        if length < 0x80 or length < 1 << (8 * (count - 1)):
            raise self._reader.malformed("a length in more bytes than it needs")
        return length


def check(data: bytes, what: str, reason: DropReason) -> None:
    """Raise Malformed unless `data` is one DER element, down to the last one inside it."""
    reader = DerReader(data, what, reason)
    waiting = [(reader.next(), 0)]
    reader.end()
    while waiting:
        element, depth = waiting.pop()
        if not element.tag & CONSTRUCTED:
            continue
        if depth == DEEPEST:
            raise reader.malformed(f"nested more than {DEEPEST} deep")
        inner = DerReader(element.value, what, reason)
        while inner.remaining:
            waiting.append((inner.next(), depth + 1))


def element(tag: int, *values: bytes) -> bytes:
    """An element that holds `values` one after another."""
    value = b"".join(values)
    length = len(value)
    if length < 0x80:
        return bytes((tag, length)) + value
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + value


def integer(value: int) -> bytes:
    """A whole number from 0 on as an INTEGER."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def identifier(dotted: str) -> bytes:
    """'1.2.840' as an OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    octets = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return element(OBJECT_IDENTIFIER, bytes(octets))
