"""Here is ICMP for IPv4: echoes, and errors that quote the packet they are about (RFC 792)."""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.checksum import internet_checksum, is_valid
from ipsecsim.wire.reader import Malformed

HEADER_LENGTH = 8

_START = Struct("!BBH")  # type, code, checksum
_ECHO = Struct("!HH")  # identifier, sequence number
_REST = Struct("!I")


class IcmpType(IntEnum):
    """Kinds of message (RFC 792). Open: a field may hold any byte."""

    ECHO_REPLY = 0
    DESTINATION_UNREACHABLE = 3
    SOURCE_QUENCH = 4
    REDIRECT = 5
    ECHO = 8
    TIME_EXCEEDED = 11
    PARAMETER_PROBLEM = 12


class UnreachableCode(IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 792; the last one came later)."""

    NET = 0
    HOST = 1
    PROTOCOL = 2
    PORT = 3
    FRAGMENTATION_NEEDED = 4
    SOURCE_ROUTE_FAILED = 5
    ADMINISTRATIVELY_PROHIBITED = 13


class TimeExceededCode(IntEnum):
    """Codes of TIME_EXCEEDED (RFC 792)."""

    IN_TRANSIT = 0
    REASSEMBLY = 1


ERROR_TYPES = frozenset(
    (
        IcmpType.DESTINATION_UNREACHABLE,
        IcmpType.SOURCE_QUENCH,
        IcmpType.REDIRECT,
        IcmpType.TIME_EXCEEDED,
        IcmpType.PARAMETER_PROBLEM,
    )
)


@dataclass(slots=True)
class Echo:
    """A ping or its answer."""

    is_reply: bool
    identifier: int
    sequence: int
    data: bytes = b""

    def emit(self) -> bytes:
        """The message, checksum included."""
        kind = IcmpType.ECHO_REPLY if self.is_reply else IcmpType.ECHO
        return _with_checksum(kind, 0, _ECHO.pack(self.identifier, self.sequence) + self.data)


@dataclass(slots=True)
class IcmpError:
    """Bad news about the packet whose header and first bytes are `quoted`.

    `rest` is the word after the checksum: the MTU of the next hop (RFC 1191 4), a redirect's
    gateway, a parameter problem's pointer, mostly 0.
    """

    type: int
    code: int
    quoted: bytes
    rest: int = 0

    @property
    def mtu(self) -> int:
        """MTU of the next hop, with FRAGMENTATION_NEEDED only. 0 from routers older than RFC 1191."""
        return self.rest & 0xFFFF

    def emit(self) -> bytes:
        """The message, checksum included."""
        return _with_checksum(self.type, self.code, _REST.pack(self.rest) + self.quoted)


@dataclass(slots=True)
class UnknownIcmp:
    """Any other message: `body` is all that follows the checksum."""

    type: int
    code: int
    body: bytes = b""

    def emit(self) -> bytes:
        """The message, checksum included."""
        return _with_checksum(self.type, self.code, self.body)


def parse(message: bytes) -> Echo | IcmpError | UnknownIcmp:
    """The message in an IPv4 payload. Raises Malformed (ICMP_CHECKSUM); one cut too short is UnknownIcmp."""
    if len(message) < _START.size or not is_valid(message):
        raise Malformed("ICMP checksum is wrong", DropReason.ICMP_CHECKSUM)
    kind, code, _checksum = _START.unpack_from(message)
    body = message[_START.size :]
    if len(message) < HEADER_LENGTH:
        return UnknownIcmp(kind, code, body)
    if code == 0 and kind in (IcmpType.ECHO, IcmpType.ECHO_REPLY):
        identifier, sequence = _ECHO.unpack_from(body)
        return Echo(kind == IcmpType.ECHO_REPLY, identifier, sequence, body[_ECHO.size :])
    if kind in ERROR_TYPES:
        (rest,) = _REST.unpack_from(body)
        return IcmpError(kind, code, body[_REST.size :], rest)
    return UnknownIcmp(kind, code, body)


def _with_checksum(kind: int, code: int, body: bytes) -> bytes:
    start = kind << 8 | code
    checksum = internet_checksum(_REST.pack(start << 16) + body)
    return _START.pack(kind, code, checksum) + body
