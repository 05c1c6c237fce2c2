"""What UDP carries on the ports of IKE that has no protocol number: IKE and NAT keepalives. Never raises."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import nat_t, udp
from ipsecsim.wire.headers import carried, first, ports
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol


def ike_of(packet: bytes) -> IkeHeader | None:
    """The header of an IKE message on its ports; None for others and for later fragments."""
    header = first(packet, IpProtocol.UDP)
    return None if header is None else ike_in(carried(packet, header))


def ike_message(packet: bytes) -> bytes:
    """The bytes of the IKE message in a packet, without a marker before them; none where there is no IKE."""
    header = first(packet, IpProtocol.UDP)
    segment = b"" if header is None else carried(packet, header)
    start = ike_start(segment)
    return segment[start:] if start else b""


def is_keepalive(segment: bytes) -> bool:
    """Is a UDP segment a NAT keepalive (RFC 3948 2.3)?"""
    return NAT_T_PORT in ports(segment) and segment[udp.HEADER_LENGTH :] == nat_t.KEEPALIVE


def ike_in(segment: bytes) -> IkeHeader | None:
    """The header of IKE in a UDP segment on its ports, or None."""
    start = ike_start(segment)
    try:
        return IkeHeader.parse(segment[start:]) if start else None
    except RemoteError:
        return None


def ike_start(segment: bytes) -> int:
    """Where IKE begins in a UDP segment on its ports; 0 where there is none."""
    used, marker = ports(segment), nat_t.NON_ESP_MARKER
    if NAT_T_PORT in used and segment[udp.HEADER_LENGTH :].startswith(marker):
        return udp.HEADER_LENGTH + len(marker)
    return udp.HEADER_LENGTH if IKE_PORT in used else 0
