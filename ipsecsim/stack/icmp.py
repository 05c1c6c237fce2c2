"""ICMP of a node: answers to pings, and errors about packets that got no further.

RFC 792 and RFC 1122 3.2.2 for IPv4, RFC 4443 for IPv6. What went wrong is a `Problem` of both versions; here is
what each of them calls it.
"""

from enum import Enum

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import icmpv4, icmpv6, ip, ipv4, ipv6
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.numbers import IpProtocol

_MULTICAST = 0xFF  # the first byte of an IPv6 address that many share
QUOTED_DATA = 8  # RFC 792: the header and the first 64 bits of data

IcmpError = icmpv4.IcmpError | icmpv6.IcmpError
IcmpMessage = icmpv4.Echo | icmpv4.UnknownIcmp | icmpv6.Echo | icmpv6.UnknownIcmp | IcmpError


class Problem(Enum):
    """What the sender of a packet is told: type and code in ICMP, then in ICMPv6.

    ICMP has one word for the last three; only IPv6 packets raise them.
    """

    def __init__(self, v4: tuple[int, int], v6: tuple[int, int]) -> None:
        self.v4 = v4
        self.v6 = v6

    NO_ROUTE = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.NET),
        (Icmpv6Type.DESTINATION_UNREACHABLE, icmpv6.UnreachableCode.NO_ROUTE),
    )
    UNREACHABLE = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.HOST),
        (Icmpv6Type.DESTINATION_UNREACHABLE, icmpv6.UnreachableCode.ADDRESS),
    )
    PROHIBITED = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.ADMINISTRATIVELY_PROHIBITED),
        (Icmpv6Type.DESTINATION_UNREACHABLE, icmpv6.UnreachableCode.ADMINISTRATIVELY_PROHIBITED),
    )
    PORT = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.PORT),
        (Icmpv6Type.DESTINATION_UNREACHABLE, icmpv6.UnreachableCode.PORT),
    )
    PROTOCOL = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.PROTOCOL),
        (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblemCode.UNKNOWN_NEXT_HEADER),
    )
    TOO_BIG = (
        (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.FRAGMENTATION_NEEDED),
        (Icmpv6Type.PACKET_TOO_BIG, 0),
    )
    HOPS = (
        (IcmpType.TIME_EXCEEDED, icmpv4.TimeExceededCode.IN_TRANSIT),
        (Icmpv6Type.TIME_EXCEEDED, icmpv6.TimeExceededCode.IN_TRANSIT),
    )
    REASSEMBLY = (
        (IcmpType.TIME_EXCEEDED, icmpv4.TimeExceededCode.REASSEMBLY),
        (Icmpv6Type.TIME_EXCEEDED, icmpv6.TimeExceededCode.REASSEMBLY),
    )
    FIELD = (
        (IcmpType.PARAMETER_PROBLEM, 0),
        (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblemCode.ERRONEOUS_FIELD),
    )
    OPTION = (
        (IcmpType.PARAMETER_PROBLEM, 0),
        (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblemCode.UNKNOWN_OPTION),
    )
    HEADERS_CUT_OFF = (
        (IcmpType.PARAMETER_PROBLEM, 0),
        (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblemCode.INCOMPLETE_CHAIN),
    )


class Refused(RemoteError):
    """A packet for this node failed a check. `problem`, if any, is for its sender; `pointer` says where it is."""

    def __init__(
        self, reason: DropReason, detail: str, problem: Problem | None = None, pointer: int = 0
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.problem = problem
        self.pointer = pointer


def answer(request: icmpv4.Echo | icmpv6.Echo, source: bytes, destination: bytes) -> bytes:
    """The message that answers a ping: same identifier, sequence number and data."""
    return echo(source, destination, request.identifier, request.sequence, request.data, is_reply=True)


def echo(
    source: bytes, destination: bytes, identifier: int, sequence: int, data: bytes, *, is_reply: bool = False
) -> bytes:
    """A ping or its answer, in the version of the addresses."""
    if len(destination) == 4:
        return icmpv4.Echo(is_reply, identifier, sequence, data).emit()
    return icmpv6.Echo(is_reply, identifier, sequence, data).emit(source, destination)


def parse(packet: bytes, offset: int) -> IcmpMessage:
    """The ICMP message of either version that begins at `offset`. Raises Malformed (ICMP_CHECKSUM)."""
    message = packet[offset : ip.total_length(packet)]
    if ip.version(packet) == 4:
        return icmpv4.parse(message)
    return icmpv6.parse(ip.source(packet), ip.destination(packet), message)


def protocol_for(destination: bytes) -> IpProtocol:
    """The protocol number of ICMP towards an address."""
    return IpProtocol.ICMP if len(destination) == 4 else IpProtocol.ICMPV6


def may_complain_about(packet: bytes, problem: Problem) -> bool:
    """No error about an error, a later fragment, or a packet for many (RFC 1122 3.2.2, RFC 4443 2.4 (e))."""
    if ip.version(packet) == 6:
        return _may_complain_about_ipv6(packet, problem)
    if ip.fragment_offset(packet):
        return False
    if packet[12:16] == bytes(4) or packet[16] >= 224 or packet[12] >= 224:
        return False
    header_length = ipv4.header_length(packet)
    if packet[ipv4.PROTOCOL] != IpProtocol.ICMP:
        return True
    return len(packet) > header_length and packet[header_length] not in icmpv4.ERROR_TYPES


def _may_complain_about_ipv6(packet: bytes, problem: Problem) -> bool:
    source, destination = packet[ipv6.SOURCE], packet[ipv6.DESTINATION]
    if source == bytes(16) or source[0] == _MULTICAST:
        return False
    if destination[0] == _MULTICAST and problem not in (Problem.TOO_BIG, Problem.OPTION):
        return False
    protocol, offset = ipv6.upper_layer(packet)
    if protocol != IpProtocol.ICMPV6:
        return True
    if ip.fragment_offset(packet) or offset >= len(packet):
        return False  # it may be of an error message: its type is not here to look at
    kind = packet[offset]
    return kind >= icmpv6.FIRST_INFORMATIONAL and kind != Icmpv6Type.REDIRECT


def error_about(packet: bytes, problem: Problem, rest: int = 0) -> IcmpError:
    """An error that quotes `packet`: of IPv4 the header and 8 data bytes, of IPv6 as much as fits.

    `rest` is the MTU of the next hop with TOO_BIG, and where in the packet the fault is with IPv6's
    parameter problems.
    """
    if ip.version(packet) == 4:
        kind, code = problem.v4
        return icmpv4.IcmpError(kind, code, bytes(packet[: ipv4.header_length(packet) + QUOTED_DATA]), rest)
    kind, code = problem.v6
    return icmpv6.IcmpError(kind, code, bytes(packet[: icmpv6.MOST_QUOTED]), rest)


def emit(error: IcmpError, source: bytes, destination: bytes) -> bytes:
    """The error as a message from `source` to `destination`."""
    return error.emit() if isinstance(error, icmpv4.IcmpError) else error.emit(source, destination)


def is_too_big(error: IcmpError) -> bool:
    """Does the error tell a path MTU?"""
    return (
        (error.type, error.code) == Problem.TOO_BIG.v4
        if isinstance(error, icmpv4.IcmpError)
        else (
            error.type == Icmpv6Type.PACKET_TOO_BIG  # the code is ignored (RFC 4443 3.2)
        )
    )


def is_unreachable(error: IcmpError) -> bool:
    """Does the error say that its packet did not get to where it was sent, whatever its size?"""
    if isinstance(error, icmpv4.IcmpError):
        lost = (IcmpType.DESTINATION_UNREACHABLE, IcmpType.TIME_EXCEEDED)
        return error.type in lost and not is_too_big(error)
    return error.type in (Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Type.TIME_EXCEEDED)
