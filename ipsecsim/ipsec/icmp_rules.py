"""ICMP errors at the IPsec boundary: which are believed, and whose traffic they speak of (RFC 4301 6)."""

from typing import NamedTuple

from ipsecsim.base.errors import RemoteError
from ipsecsim.ipsec.policy import Decision
from ipsecsim.ipsec.selector import Flow, flow_of
from ipsecsim.ipsec.settings import Settings
from ipsecsim.wire import icmpv4, icmpv6, ip, udp
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.numbers import IpProtocol

_ERRORS: dict[tuple[int, int], frozenset[int]] = {
    (4, IpProtocol.ICMP): frozenset(icmpv4.ERROR_TYPES),
    (6, IpProtocol.ICMPV6): frozenset(kind for kind in Icmpv6Type if kind < icmpv6.FIRST_INFORMATIONAL),
}
_QUOTED = 8  # both versions have type, code, checksum and four bytes more in front of what they quote
_NUMBERS = 8  # bytes of ESP, AH or UDP that every error quotes (RFC 792)
_AH_SPI = 4  # where it stands in the header (RFC 4302 2)


class ErrorMessage(NamedTuple):
    """An ICMP error of either version in a packet. `protocol` is ICMP or ICMPv6."""

    protocol: int
    type: int
    code: int
    quoted: bytes


class Quoted(NamedTuple):
    """The IPsec packet that an error quotes. What cannot be seen is None."""

    source: bytes
    destination: bytes
    protocol: int
    spi: int | None
    udp_ports: tuple[int, int] | None


def error_in(packet: bytes) -> ErrorMessage | None:
    """The ICMP error that a packet carries, or None when it is anything else."""
    protocol, at = ip.upper_layer(packet)
    types = _ERRORS.get((ip.version(packet), protocol))
    if types is None or ip.fragment_offset(packet):
        return None
    message = packet[at : ip.total_length(packet)]
    if len(message) < _QUOTED:
        return None
    kind = message[0]
    return ErrorMessage(protocol, kind, message[1], message[_QUOTED:]) if kind in types else None


def is_believed(error: ErrorMessage, settings: Settings) -> bool:
    """Does the administrator let in what nobody authenticated?"""
    kind = (error.protocol, error.type)
    return kind not in settings.refused_icmp and (*kind, error.code) not in settings.refused_icmp


def is_forbidden(decision: Decision) -> bool:
    """Is there a rule that keeps in ICMP by name? One for any protocol, the last of the SPD perhaps, does not."""
    policy = decision.policy
    icmp = (IpProtocol.ICMP, IpProtocol.ICMPV6)
    return policy is not None and any(row.protocol in icmp for row in policy.selectors)


def answering_flow(error: ErrorMessage) -> Flow | None:
    """The flow of those packets that answer the quoted one; None when too little of that is there.

    An error belongs to this traffic where no rule speaks of the error itself (RFC 4301 6.2).
    """
    try:
        return flow_of(ip.shortened(error.quoted)).backwards()
    except RemoteError:
        return None


def quoted_protection(quoted: bytes) -> Quoted | None:
    """What tells the SA of a quoted ESP, AH or UDP packet; None for anything else."""
    try:
        packet = ip.shortened(quoted)
        protocol, at = ip.upper_layer(packet)
    except RemoteError:
        return None
    if ip.fragment_offset(packet) or len(packet) < at + _NUMBERS:
        return None
    ends = ip.source(packet), ip.destination(packet)
    if protocol == IpProtocol.UDP:
        source_port, destination_port = (int.from_bytes(packet[n : n + 2], "big") for n in (at, at + 2))
        start = at + udp.HEADER_LENGTH
        spi = int.from_bytes(packet[start : start + 4], "big") if len(packet) >= start + 4 else None
        return Quoted(*ends, IpProtocol.ESP, spi, (source_port, destination_port))
    if protocol == IpProtocol.ESP:
        return Quoted(*ends, protocol, int.from_bytes(packet[at : at + 4], "big"), None)
    if protocol == IpProtocol.AH:
        start = at + _AH_SPI
        return Quoted(*ends, protocol, int.from_bytes(packet[start : start + 4], "big"), None)
    return None
