"""What packets are called: as the object of a sentence ('ping 1'), and in a ladder ('echo request 1')."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.observe.packets.packet_summary import ah_of, esp_of, icmp_error_name
from ipsecsim.wire import icmpv4, icmpv6, ip
from ipsecsim.wire.headers import Header, carried, headers, ports
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS
from ipsecsim.wire.ike.generic import GENERIC_HEADER
from ipsecsim.wire.ike.header import HEADER_LENGTH
from ipsecsim.wire.ike.numbers import ExchangeType, PayloadType, name_of
from ipsecsim.wire.in_udp import ike_in, ike_start, is_keepalive
from ipsecsim.wire.numbers import IpProtocol, protocol_name


def name(packet: bytes) -> str:
    """'IKE_AUTH request', 'ESP seq 1', 'echo request 1', 'UDP to port 9'."""
    return _names(packet)[0]


def noun(packet: bytes) -> str:
    """'the IKE_AUTH request', 'ESP packet 1', 'ping 1', 'the datagram'."""
    return _names(packet)[1]


def layer(packet: bytes) -> str:
    """What it is to whoever looks at it on the way: 'ike', 'esp', 'ah' or 'plain'."""
    if esp_of(packet) is not None:
        return "esp" if ah_of(packet) is None else "ah"
    if ah_of(packet) is not None:
        return "ah"
    last = headers(packet)[-1]
    is_ike = last.protocol == IpProtocol.UDP and not last.fault and ike_in(carried(packet, last)) is not None
    return "ike" if is_ike else "plain"


def _names(packet: bytes) -> tuple[str, str]:
    found = headers(packet)
    last = found[-1]
    if found[0].fault:
        return "no IP packet", "what is no IP packet"
    if last.offset:
        return f"fragment at {last.offset}", "the fragment"
    sealed, signed = esp_of(packet), ah_of(packet)
    if signed is not None:
        return f"AH seq {signed[1]}", f"AH packet {signed[1]}"
    if sealed is not None:
        return f"ESP seq {sealed[1]}", f"ESP packet {sealed[1]}"
    if last.offset == 0:
        return "fragment at 0", "the first fragment"
    if last.protocol == IpProtocol.UDP:
        return _udp(packet, last)
    if last.protocol in (IpProtocol.ICMP, IpProtocol.ICMPV6):
        return _icmp(packet, last)
    word = protocol_name(last.protocol)
    return word, f"the {word} packet"


def _udp(packet: bytes, header: Header) -> tuple[str, str]:
    segment = carried(packet, header)
    message = ike_in(segment)
    if message is not None:
        words = name_of(ExchangeType, message.exchange)
        words += " response" if message.is_response else " request"
        fields = segment[ike_start(segment) + HEADER_LENGTH + GENERIC_HEADER.size :]
        if message.next_payload == PayloadType.SKF and len(fields) >= FRAGMENT_FIELDS.size:
            number, total = FRAGMENT_FIELDS.unpack_from(fields)
            return f"{words}, {number} of {total}", f"fragment {number} of the {words}"
        return words, f"the {words}"
    if is_keepalive(segment):
        return "NAT keepalive", "the NAT keepalive"
    return f"UDP to port {ports(segment)[1]}", "the datagram"


def _icmp(packet: bytes, header: Header) -> tuple[str, str]:
    around = packet[header.packet : header.end]
    version = ip.version(around)
    try:
        message = (
            icmpv4.parse(carried(packet, header))
            if version == 4
            else icmpv6.parse(ip.source(around), ip.destination(around), carried(packet, header))
        )
    except RemoteError:
        return "ICMP", "the ICMP message"
    if isinstance(message, icmpv4.Echo | icmpv6.Echo):
        if message.is_reply:
            return f"echo reply {message.sequence}", f"the answer to ping {message.sequence}"
        return f"echo request {message.sequence}", f"ping {message.sequence}"
    if isinstance(message, icmpv4.IcmpError | icmpv6.IcmpError):
        return icmp_error_name(message.type, message.code, message.mtu, version=version), "the ICMP error"
    return "ICMP", "the ICMP message"
