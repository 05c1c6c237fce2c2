"""Here is where one header stands in a packet that is taken apart, and how its reader hands on what follows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ipsecsim.wire import checksum
from ipsecsim.wire.layout import Field, Layer, size_text
from ipsecsim.wire.numbers import protocol_name
from ipsecsim.wire.opening import Opener

DEEPEST = 10  # headers within headers; what lies deeper is shown as bytes


@dataclass(frozen=True, slots=True)
class Place:
    """The bytes from `start` up to `end` of `data` belong to one header and all that it carries.

    `packet` is where the IP header in front of it begins, None where something else stands between them.
    `source` and `destination` are the addresses that a pseudo header counts. `is_cut`: the packet goes on behind
    `end`, as quoted ones mostly do. `readers` know the header of a protocol number. `opener` may have keys; what
    it makes of sealed bytes goes into `plain`, a copy of `data`, in their place.
    """

    data: bytes
    start: int
    end: int
    readers: Mapping[int, "Reader"] = field(repr=False)
    source: bytes = b""
    destination: bytes = b""
    is_cut: bool = False
    packet: int | None = None
    depth: int = 0
    opener: Opener | None = None
    plain: bytearray = field(default_factory=bytearray, repr=False)

    def layer(self, name: str, rfc: str) -> Layer:
        """A pen for this place."""
        return Layer(self.data, name, self.start, self.end, rfc=rfc)

    def within(self, start: int, end: int) -> "Place":
        """What this header carries."""
        return replace(self, start=start, end=end, packet=None, depth=self.depth + 1)

    def opened(self, start: int, end: int) -> "Place":
        """What was sealed, now that it is in `plain`."""
        return replace(self.within(start, end), data=bytes(self.plain))

    def between(self, source: bytes, destination: bytes, packet: int, *, is_cut: bool) -> "Place":
        """This place in a packet with these addresses that begins at `packet`."""
        return replace(self, source=source, destination=destination, packet=packet, is_cut=is_cut)

    def of(self, protocol: int) -> Field:
        """The field of this place, which holds a header of `protocol`; only bytes when nobody can read it."""
        read = self.readers.get(protocol)
        if read is not None and self.depth < DEEPEST:
            return read(self)
        below = Layer(self.data, protocol_name(protocol), self.start, self.end)
        below.field.value = size_text(self.end - self.start)
        return below.field

    def transport_verdict(self, protocol: int) -> Callable[[int], str]:
        """Shows the checksum of a TCP or ICMPv6 segment that fills this place."""
        if self.is_cut:
            return cannot_be_checked
        segment = self.data[self.start : self.end]
        return verdict(is_right=checksum.transport_is_valid(self.source, self.destination, protocol, segment))


Reader = Callable[[Place], Field]


def verdict(*, is_right: bool) -> Callable[[int], str]:
    """Shows a checksum, and whether it is right."""
    return lambda value: f"0x{value:04x} ({'correct' if is_right else 'wrong'})"


def cannot_be_checked(value: int) -> str:
    """Shows a checksum over bytes that are not all here."""
    return f"0x{value:04x} (cannot be checked: cut off)"


def protocol_text(number: int) -> str:
    """A protocol by name and number."""
    return f"{protocol_name(number)} ({number})"
