"""The headers of a packet that are in clear: what `layer=` in a selection means. Never raises."""

from ipsecsim.wire import ipv6
from ipsecsim.wire.headers import carried, headers
from ipsecsim.wire.in_udp import ike_of, is_keepalive
from ipsecsim.wire.numbers import IpProtocol, protocol_name

FRAGMENT = "fragment"


def kind(packet: bytes) -> str:
    """One word for a packet: what protects it, else what it carries: 'esp', 'ah', 'ike', 'icmp', 'fragment'."""
    found = layers(packet)
    if FRAGMENT in found:
        return FRAGMENT
    protection = next((each for each in found if each in ("esp", "ah")), None)
    return protection or (found[-1] if found else "malformed")


def layers(packet: bytes) -> tuple[str, ...]:
    """Outermost first: ('ipv4', 'udp', 'esp'), ('ipv6', 'ah', 'icmpv6').

    Inside UDP and behind AH too, unlike `proto=`, the field of the outermost IP header.
    """
    found: list[str] = []
    for header in headers(packet):
        if header.fault:
            break
        if header.protocol not in ipv6.EXTENSIONS:
            found.append(protocol_name(header.protocol).lower())
        is_ipv4_piece = header.protocol == IpProtocol.IPV4 and header.offset is not None
        if header.protocol == IpProtocol.FRAGMENT or is_ipv4_piece:
            found.append(FRAGMENT)
        elif header.protocol == IpProtocol.UDP:
            if ike_of(packet) is not None:
                found.append("ike")
            elif is_keepalive(carried(packet, header)):
                found.append("keepalive")
    return tuple(found)
