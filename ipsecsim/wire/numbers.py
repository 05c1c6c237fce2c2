"""Here are the numbers that IP and UDP headers carry."""

from enum import IntEnum


class IpProtocol(IntEnum):
    """Protocol field of IPv4, Next Header of IPv6, AH and ESP. Open: a field may hold any byte."""

    HOP_BY_HOP = 0
    ICMP = 1
    IPV4 = 4
    TCP = 6
    UDP = 17
    DCCP = 33
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    ESP = 50
    AH = 51
    ICMPV6 = 58
    NO_NEXT = 59
    DESTINATION_OPTIONS = 60
    SCTP = 132
    MOBILITY = 135
    UDP_LITE = 136


WITH_PORTS = frozenset(
    int(each)
    for each in (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.DCCP, IpProtocol.SCTP, IpProtocol.UDP_LITE)
)
"""Protocols whose header begins with a source and a destination port."""

IKE_PORT = 500
NAT_T_PORT = 4500

_PROTOCOL_NAMES = {
    IpProtocol.HOP_BY_HOP: "hop-by-hop options",
    IpProtocol.ICMP: "ICMP",
    IpProtocol.IPV4: "IPv4",
    IpProtocol.TCP: "TCP",
    IpProtocol.UDP: "UDP",
    IpProtocol.DCCP: "DCCP",
    IpProtocol.IPV6: "IPv6",
    IpProtocol.ROUTING: "routing header",
    IpProtocol.FRAGMENT: "fragment header",
    IpProtocol.ESP: "ESP",
    IpProtocol.AH: "AH",
    IpProtocol.ICMPV6: "ICMPv6",
    IpProtocol.NO_NEXT: "no next header",
    IpProtocol.DESTINATION_OPTIONS: "destination options",
    IpProtocol.SCTP: "SCTP",
    IpProtocol.MOBILITY: "mobility header",
    IpProtocol.UDP_LITE: "UDP-Lite",
}


def protocol_name(protocol: int) -> str:
    """'UDP', or 'protocol 99' when it has no row here."""
    try:
        return _PROTOCOL_NAMES[IpProtocol(protocol)]
    except ValueError:
        return f"protocol {protocol}"
