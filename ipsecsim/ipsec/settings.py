"""What the administrator of an IPsec node decides beside the rules of the SPD."""

from dataclasses import dataclass

from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.numbers import IpProtocol

IcmpKind = tuple[int, int] | tuple[int, int, int]
"""Protocol (ICMP or ICMPv6) and type, perhaps with the code."""

ROUTING_ADVICE: frozenset[IcmpKind] = frozenset(
    ((IpProtocol.ICMP, IcmpType.REDIRECT), (IpProtocol.ICMP, IcmpType.SOURCE_QUENCH))
)
"""Errors that would change this node's ways for all traffic, not tell about one packet."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`refused_icmp`: errors that nobody authenticated and that are not believed (RFC 4301 6.1.1).

    `path_mtu_lifetime`: after it a larger path MTU is tried again (RFC 4301 8.2.2; ten minutes in RFC 1191 6.3).
    `answers_discards`: the sender of a packet that policy does not let out is told so by ICMP (RFC 4301 5.1.1).
    It is off by default: to tell strangers what a boundary forbids helps those who probe it.
    `reports_wayward`: a peer is told by IKE of a packet that has no SA here, or does not fit its SA (RFC 4301 5.2).
    It is off for the same reason.
    `refuses_conflicts`: of two peers behind NATs that ask for the same traffic the second gets no SA (RFC 3948 5);
    else the newer SA takes what leaves, and either may send.
    """

    refused_icmp: frozenset[IcmpKind] = ROUTING_ADVICE
    path_mtu_lifetime: Duration = 600 * SECOND
    answers_discards: bool = False
    reports_wayward: bool = False
    refuses_conflicts: bool = True
