"""The headers of a packet that are in clear: what `layer=` in a selection means. Never raises."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.observe.packet_summary import esp_of, ike_of
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol, protocol_name


def layers(packet: bytes) -> tuple[str, ...]:
    """Outermost first: ('ipv4', 'udp', 'esp'). Inside UDP too, unlike `proto=`, the IP header's field."""
    try:
        ipv4.check(packet)
    except RemoteError:
        return ()
    found = ["ipv4", protocol_name(packet[ipv4.PROTOCOL]).lower()]
    if packet[ipv4.PROTOCOL] == IpProtocol.UDP:
        if ike_of(packet) is not None:
            found.append("ike")
        elif esp_of(packet) is not None:
            found.append("esp")
    return tuple(found)
