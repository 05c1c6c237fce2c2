"""Here is ICMP for IPv6: echoes, and errors that quote the packet they are about (RFC 4443).

Its checksum covers a pseudo header, so both addresses are needed to emit and to parse a message.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import ipv6
from ipsecsim.wire.checksum import finish, pseudo_header_sum, transport_is_valid, word_sum
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed

HEADER_LENGTH = 8
MOST_QUOTED = ipv6.MINIMUM_MTU - ipv6.HEADER_LENGTH - HEADER_LENGTH
"""Bytes of the packet in question that fit into an error of the smallest MTU (RFC 4443 2.4 (c))."""

FIRST_INFORMATIONAL = 128  # below it are errors (RFC 4443 2.1)

_START = Struct("!BBH")  # type, code, checksum
_ECHO = Struct("!HH")  # identifier, sequence number
_REST = Struct("!I")
_PROTOCOL = int(IpProtocol.ICMPV6)


class Icmpv6Type(IntEnum):
    """Kinds of message (RFC 4443 2.1; neighbour discovery's redirect, RFC 4443 2.4 (e.2)). Open."""

    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    PARAMETER_PROBLEM = 4
    ECHO_REQUEST = 128
    ECHO_REPLY = 129
    REDIRECT = 137


class UnreachableCode(IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 4443 3.1)."""

    NO_ROUTE = 0
    ADMINISTRATIVELY_PROHIBITED = 1
    BEYOND_SCOPE = 2
    ADDRESS = 3
    PORT = 4
    SOURCE_POLICY = 5
    REJECT_ROUTE = 6


class TimeExceededCode(IntEnum):
    """Codes of TIME_EXCEEDED (RFC 4443 3.3)."""

    IN_TRANSIT = 0
    REASSEMBLY = 1


class ParameterProblemCode(IntEnum):
    """Codes of PARAMETER_PROBLEM (RFC 4443 3.4; the last one RFC 8200 4.5)."""

    ERRONEOUS_FIELD = 0
    UNKNOWN_NEXT_HEADER = 1
    UNKNOWN_OPTION = 2
    INCOMPLETE_CHAIN = 3


@dataclass(slots=True)
class Echo:
    """A ping or its answer."""

    is_reply: bool
    identifier: int
    sequence: int
    data: bytes = b""

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The message, checksum included."""
        kind = Icmpv6Type.ECHO_REPLY if self.is_reply else Icmpv6Type.ECHO_REQUEST
        return _with_checksum(
            source, destination, kind, 0, _ECHO.pack(self.identifier, self.sequence) + self.data
        )


@dataclass(slots=True)
class IcmpError:
    """Bad news about the packet whose first bytes are `quoted`.

    `rest` is the word after the checksum: the MTU of the next hop, a parameter problem's pointer, mostly 0.
    """

    type: int
    code: int
    quoted: bytes
    rest: int = 0

    @property
    def mtu(self) -> int:
        """MTU of the next hop, with PACKET_TOO_BIG only."""
        return self.rest

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The message, checksum included."""
        return _with_checksum(source, destination, self.type, self.code, _REST.pack(self.rest) + self.quoted)


@dataclass(slots=True)
class UnknownIcmp:
    """Any other message: `body` is all that follows the checksum."""

    type: int
    code: int
    body: bytes = b""

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The message, checksum included."""
        return _with_checksum(source, destination, self.type, self.code, self.body)


def parse(source: bytes, destination: bytes, message: bytes) -> Echo | IcmpError | UnknownIcmp:
    """The message behind an IPv6 header. Raises Malformed (ICMP_CHECKSUM); one cut too short is UnknownIcmp.

    Every type below 128 is an error, known or not (RFC 4443 2.4 (a)).
    """
    if len(message) < _START.size or not transport_is_valid(source, destination, _PROTOCOL, message):
        raise Malformed("ICMPv6 checksum is wrong", DropReason.ICMP_CHECKSUM)
    kind, code, _checksum = _START.unpack_from(message)
    body = message[_START.size :]
    if len(message) < HEADER_LENGTH:
        return UnknownIcmp(kind, code, body)
    if code == 0 and kind in (Icmpv6Type.ECHO_REQUEST, Icmpv6Type.ECHO_REPLY):
        identifier, sequence = _ECHO.unpack_from(body)
        return Echo(kind == Icmpv6Type.ECHO_REPLY, identifier, sequence, body[_ECHO.size :])
    if kind < FIRST_INFORMATIONAL:
        (rest,) = _REST.unpack_from(body)
        return IcmpError(kind, code, body[_REST.size :], rest)
    return UnknownIcmp(kind, code, body)


def _with_checksum(source: bytes, destination: bytes, kind: int, code: int, body: bytes) -> bytes:
    length = _START.size + len(body)
    total = pseudo_header_sum(source, destination, _PROTOCOL, length) + (kind << 8 | code) + word_sum(body)
    return _START.pack(kind, code, finish(total)) + body
