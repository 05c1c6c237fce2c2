"""Here is the tree of named fields that a dissected packet becomes, and the pen that draws it.

The parsers refuse what is wrong. A picture must not: what cannot be read becomes a field too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ipsecsim.base import address
from ipsecsim.base.visible import visible
from ipsecsim.wire.reader import Malformed, Truncated

# How a field travels: who may read it, and whose change would be noticed.
CLEAR = "clear"
ENCRYPTED = "encrypted"
AUTHENTICATED = "auth"
SEALED = "both"  # encrypted and authenticated
MUTABLE = "mutable"  # in front of AH, and left out of its seal (RFC 4302 3.3.3.1)

_SHOWN_BYTES = 20
MOST_FIELDS = 5000  # of one layer and all below it: nobody reads more, and 64 KiB can be made into as many


@dataclass(slots=True)
class Field:
    """Some bytes of a packet, from `start` up to but not including `end`, and what they say.

    Parts of a byte have `bits`: how many bits after `start` they begin, and how many they are.
    """

    name: str
    start: int
    end: int
    value: str = ""
    children: list["Field"] = field(default_factory=list)
    protection: str = ""
    bits: tuple[int, int] | None = None
    rfc: str = ""

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Field"]]:
        """This field and all below it, outermost first, with their depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def find(self, *names: str) -> "Field | None":
        """The field reached by following the first child of each name in turn, or None."""
        found = self
        for name in names:
            below = next((child for child in found.children if child.name == name), None)
            if below is None:
                return None
            found = below
        return found

    def protect(self, *, encrypts: bool, authenticates: bool) -> None:
        """Add what a seal around this field and all below it does to what they have already."""
        for _, each in self.walk():
            is_secret = encrypts or each.protection in (ENCRYPTED, SEALED)
            is_sealed = authenticates or each.protection in (AUTHENTICATED, SEALED)
            if is_secret:
                each.protection = SEALED if is_sealed else ENCRYPTED
            elif is_sealed:
                each.protection = AUTHENTICATED

    def shift(self, offset: int) -> None:
        """Move this field and all below it by `offset` bytes."""
        for _, each in self.walk():
            each.start += offset
            each.end += offset


class TooManyFields(Malformed):
    """What follows is left out."""


class Layer:
    """Reads `data` forward from `start` to `end`, and notes every field it reads under one parent."""

    __slots__ = ("_data", "_noted", "at", "end", "field", "protection")

    def __init__(
        self, data: bytes, name: str, start: int, end: int, *, protection: str = CLEAR, rfc: str = ""
    ) -> None:
        self._data = data
        self._noted = [0]  # how many fields, shared with the layers below
        self.field = Field(name, start, end, protection=protection, rfc=rfc)
        self.protection = protection
        self.at = start
        self.end = end

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self.end - self.at

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read inside this: what cannot be read, or is left over, becomes the field 'malformed'."""
        try:
            yield
            if self.remaining:
                raise Malformed(f"{self.remaining} bytes too many")
        except Malformed as error:
            name = "not shown" if isinstance(error, TooManyFields) else "malformed"
            rest = Field(name, self.at, self.end, str(error), protection=self.protection)
            self.field.children.append(rest)
            self.at = self.end

    def number(self, name: str, size: int = 1, show: Callable[[int], str] = str) -> int:
        """A number of `size` bytes."""
        value = int.from_bytes(self._take(size), "big")
        self._note(Field(name, self.at - size, self.at, show(value), protection=self.protection))
        return value

    def octets(self, name: str, size: int, show: Callable[[bytes], str] | None = None) -> bytes:
        """`size` bytes as they are."""
        value = self._take(size)
        text = hex_text(value) if show is None else show(value)
        self._note(Field(name, self.at - size, self.at, text, protection=self.protection))
        return value

    def rest(self, name: str, show: Callable[[bytes], str] | None = None) -> bytes:
        """All bytes that are left. No field when there are none."""
        return self.octets(name, self.remaining, show) if self.remaining else b""

    def bits(self, *parts: tuple[str, int, Callable[[int], str]]) -> list[int]:
        """Whole bytes made of parts, each a name, a number of bits, and how to show it."""
        total = sum(width for _, width, _ in parts)
        start = self.at
        whole = int.from_bytes(self._take(total // 8), "big")
        values = []
        position = 0
        for name, width, show in parts:
            value = whole >> (total - position - width) & ((1 << width) - 1)
            first, last = start + position // 8, start + (position + width + 7) // 8
            part = Field(name, first, last, show(value), protection=self.protection)
            part.bits = (position % 8, width)
            self._note(part)
            values.append(value)
            position += width
        return values

    def peek(self, size: int) -> bytes:
        """The next bytes, without going on. Raises Truncated."""
        value = self._take(size)
        self.at -= size
        return value

    def inner(self, name: str, size: int) -> "Layer":
        """The next `size` bytes as a layer below this one."""
        self._take(size)
        below = Layer(self._data, name, self.at - size, self.at, protection=self.protection)
        below._noted = self._noted
        self._note(below.field)
        return below

    def add(self, below: Field) -> None:
        """A field that somebody else read, from where this layer stands. Goes on behind it."""
        self._note(below)
        self.at = below.end

    def _take(self, size: int) -> bytes:
        if size < 0:
            raise Malformed(f"a length is {-size} bytes too small for its own header")
        if size > self.remaining:
            raise Truncated(f"{size} bytes wanted, {self.remaining} left")
        if self._noted[0] >= MOST_FIELDS:
            raise TooManyFields(f"more than {MOST_FIELDS} fields")
        self.at += size
        return self._data[self.at - size : self.at]

    def _note(self, below: Field) -> None:
        self._noted[0] += 1
        self.field.children.append(below)


def hex_text(data: bytes) -> str:
    """Bytes as hex; of a long string the beginning and the length."""
    if len(data) <= _SHOWN_BYTES:
        return data.hex()
    return f"{data[:_SHOWN_BYTES].hex()}... ({len(data)} bytes)"


def hex_number(digits: int) -> Callable[[int], str]:
    """Shows a number as 0x and so many digits."""
    return lambda value: f"0x{value:0{digits}x}"


def size_text(count: int) -> str:
    """A length in words."""
    return f"{count} byte" if count == 1 else f"{count} bytes"


def printable_text(data: bytes) -> str:
    """What a peer wrote, with everything that is no visible character escaped."""
    return visible(data.decode("utf-8", "backslashreplace"))


def address_text(data: bytes) -> str:
    """A packed address, or hex when it is none."""
    return address.unpack(data) if len(data) in (4, 16) else hex_text(data)
