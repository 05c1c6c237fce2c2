"""What a node does about the extension headers of an IPv6 packet for itself (RFC 8200 4.2, 4.4).

No option but padding and no kind of routing is known here, so a header is either skipped or ends the packet.
"""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.wire import ipv6
from ipsecsim.wire.ipv6 import Extension
from ipsecsim.wire.numbers import IpProtocol

_PAD1, _PADN = 0, 1
_SKIP, _DISCARD_SILENTLY = 0, 1  # an option's two highest bits; else its sender is told (RFC 8200 4.2)
_ROUTING_TYPE, _SEGMENTS_LEFT = 2, 3  # where they stand in a routing header


def process(packet: bytes) -> bool:
    """Process the headers in order, up to a fragment header; is there one? Raises Refused (IP_MALFORMED)."""
    for each in ipv6.chain(packet).extensions:
        if each.kind == IpProtocol.FRAGMENT:
            return True
        if each.kind == IpProtocol.ROUTING:
            _check_routing(packet, each)
        else:
            _check_options(packet, each)
    return False


def where_protocol_stands(packet: bytes) -> int:
    """Where in an IPv6 packet its upper layer is named: what an error about that points at."""
    headers = ipv6.chain(packet).extensions
    return headers[-1].start if headers else ipv6.NEXT_HEADER


def _check_routing(packet: bytes, header: Extension) -> None:
    left = packet[header.start + _SEGMENTS_LEFT]
    if left:
        detail = f"a routing header with {left} segments left"
        raise Refused(DropReason.IP_MALFORMED, detail, Problem.FIELD, header.start + _ROUTING_TYPE)


def _check_options(packet: bytes, header: Extension) -> None:
    at, end = header.start + 2, header.start + header.length
    while at < end:
        kind = packet[at]
        if kind == _PAD1:
            at += 1
            continue
        following = at + 2 + packet[at + 1] if at + 1 < end else end + 1
        if following > end:
            detail = f"an IPv6 option {kind} at {at} past the end of its header"
            raise Refused(DropReason.IP_MALFORMED, detail, Problem.FIELD, at)
        action = kind >> 6
        if kind != _PADN and action != _SKIP:
            told = None if action == _DISCARD_SILENTLY else Problem.OPTION
            raise Refused(DropReason.IP_MALFORMED, f"an unknown IPv6 option {kind}", told, at)
        at = following
