"""Here are the Traffic Selector payloads, TSi and TSr (RFC 7296 3.13)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType, TsType

_FIXED = Struct("!B3x")  # Number of TSs, RESERVED
_SELECTOR = Struct("!BBH")  # TS Type, IP Protocol ID, Selector Length
_PORTS = Struct("!HH")  # Start Port, End Port

ADDRESS_LENGTHS = {int(TsType.IPV4_ADDR_RANGE): 4, int(TsType.IPV6_ADDR_RANGE): 16}

OPAQUE_PORTS = (0xFFFF, 0)
"""Start and end that mean packets whose ports cannot be seen; the only range that ends before it starts."""


@dataclass(slots=True)
class TrafficSelector:
    """Both ends of a port range and of an address range, inclusive (RFC 7296 3.13.1).

    Protocol 0 is any; ports 65535 to 0 mean OPAQUE. Of a type other than the two address ranges only
    `protocol` (its second byte) and `unknown` (all that follows the length) are filled.
    """

    ts_type: int
    protocol: int
    start_port: int
    end_port: int
    start: bytes
    end: bytes
    unknown: bytes = b""

    @property
    def is_known(self) -> bool:
        """Whether ports and addresses mean anything."""
        return self.ts_type in ADDRESS_LENGTHS

    @classmethod
    def parse(cls, ts_type: int, protocol: int, body: bytes) -> Self:
        """The selector whose bytes after its length are `body`. Raises Malformed."""
        size = ADDRESS_LENGTHS.get(ts_type)
        if size is None:
            return cls(ts_type, protocol, 0, 0, b"", b"", body)
        reader = body_reader(body, "traffic selector")
        start_port, end_port = reader.unpack(_PORTS)
        start, end = reader.take(size), reader.take(size)
        reader.end()
        if start > end:
            raise reader.malformed("the address range ends before it starts")
        if start_port > end_port and (start_port, end_port) != OPAQUE_PORTS:
            raise reader.malformed("the port range ends before it starts")
        return cls(ts_type, protocol, start_port, end_port, start, end)

    def emit(self) -> bytes:
        """The selector with its type and length."""
        if self.is_known:
            body = _PORTS.pack(self.start_port, self.end_port) + self.start + self.end
        else:
            body = self.unknown
        return _SELECTOR.pack(self.ts_type, self.protocol, _SELECTOR.size + len(body)) + body


@dataclass(slots=True)
class TrafficSelectors(Payload):
    """A list of selectors: a packet matches when it matches one of them."""

    selectors: list[TrafficSelector]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed, also when Number of TSs does not count right."""
        reader = body_reader(body, "TS payload")
        (count,) = reader.unpack(_FIXED)
        selectors = []
        for _ in range(count):
            ts_type, protocol, length = reader.unpack(_SELECTOR)
            rest = reader.take(length - _SELECTOR.size)
            selectors.append(TrafficSelector.parse(ts_type, protocol, rest))
        reader.end()
        return cls(selectors)

    def emit(self) -> bytes:
        """The body."""
        return _FIXED.pack(len(self.selectors)) + b"".join(each.emit() for each in self.selectors)


@dataclass(slots=True)
class TsInitiator(TrafficSelectors):
    """TSi: addresses at the initiator's end."""

    type: ClassVar[int] = PayloadType.TSi


@dataclass(slots=True)
class TsResponder(TrafficSelectors):
    """TSr: addresses at the responder's end."""

    type: ClassVar[int] = PayloadType.TSr
