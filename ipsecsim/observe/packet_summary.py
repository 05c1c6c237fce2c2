"""One line about a packet: who sends what to whom. Reads only what is in clear.

Never raises: a recording may hold anything.
"""

from collections.abc import Callable

from ipsecsim.base.address import unpack
from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import esp, icmpv4, ipv4, nat_t, udp
from ipsecsim.wire.icmpv4 import Echo, IcmpError, IcmpType, UnreachableCode
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, name_of
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol, protocol_name


def summary(packet: bytes) -> str:
    """'10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B'."""
    try:
        ipv4.check(packet)
    except RemoteError as wrong:
        return f"no IPv4 packet ({wrong}), {len(packet)} B"
    ends = f"{unpack(bytes(packet[ipv4.SOURCE]))} > {unpack(bytes(packet[ipv4.DESTINATION]))}"
    return f"{ends}, {contents(packet)}, {len(packet)} B"


def contents(packet: bytes) -> str:
    """What a packet with a sound IP header holds: 'ESP SPI 5e0d77aa sequence 3', 'IKE_AUTH request 1'."""
    offset = (int.from_bytes(packet[6:8], "big") & 0x1FFF) * 8
    if offset:
        return f"a fragment from byte {offset} of {protocol_name(packet[ipv4.PROTOCOL])}"
    read = _READERS.get(packet[ipv4.PROTOCOL])
    words = protocol_name(packet[ipv4.PROTOCOL]) if read is None else read(packet)
    return f"the first fragment of {words}" if ipv4.is_fragment(packet) else words


def esp_of(packet: bytes) -> tuple[int, int] | None:
    """SPI and sequence number of an ESP packet, in UDP or not; None for others and for later fragments."""
    payload = _payload_if_first(packet, IpProtocol.ESP)
    if payload is None:
        segment = _payload_if_first(packet, IpProtocol.UDP)
        if segment is None or NAT_T_PORT not in _ports(segment):
            return None
        payload = segment[udp.HEADER_LENGTH :]
        if payload[:4] == nat_t.NON_ESP_MARKER:
            return None
    if len(payload) < esp.HEADER_LENGTH:
        return None
    spi, sequence = esp.HEADER.unpack_from(payload)
    return spi, sequence


def ike_of(packet: bytes) -> IkeHeader | None:
    """The header of an IKE message on its ports; None for others and for later fragments."""
    segment = _payload_if_first(packet, IpProtocol.UDP)
    if segment is None:
        return None
    ports, message = _ports(segment), segment[udp.HEADER_LENGTH :]
    if NAT_T_PORT in ports and message[:4] == nat_t.NON_ESP_MARKER:
        message = message[len(nat_t.NON_ESP_MARKER) :]
    elif IKE_PORT not in ports:
        return None
    try:
        return IkeHeader.parse(message)
    except RemoteError:
        return None


def message_name(exchange: str, message_id: int, *, is_response: bool) -> str:
    """'IKE_AUTH request 1'."""
    return f"{exchange} {'response' if is_response else 'request'} {message_id}"


def icmp_error_name(kind: int, code: int, mtu: int = 0) -> str:
    """'time exceeded', 'destination unreachable: fragmentation needed, MTU 1400'."""
    try:
        words = IcmpType(kind).name.lower().replace("_", " ")
    except ValueError:
        return f"type {kind} code {code}"
    if kind != IcmpType.DESTINATION_UNREACHABLE:
        return words
    try:
        why = UnreachableCode(code).name.lower().replace("_", " ")
    except ValueError:
        why = f"code {code}"
    return f"{words}: {why}" + (f", MTU {mtu}" if mtu else "")


def _payload_if_first(packet: bytes, protocol: int) -> bytes | None:
    """What the IP header carries, if it is of `protocol` and starts here and not in an earlier fragment."""
    if len(packet) < ipv4.HEADER_LENGTH or packet[ipv4.PROTOCOL] != protocol:
        return None
    return None if packet[6] & 0x1F or packet[7] else ipv4.payload(packet)


def _icmp(packet: bytes) -> str:
    if ipv4.is_fragment(packet):
        return "ICMP"  # the checksum covers what is not here
    try:
        message = icmpv4.parse(ipv4.payload(packet))
    except RemoteError as wrong:
        return f"ICMP ({wrong})"
    if isinstance(message, Echo):
        return f"ICMP echo {'reply' if message.is_reply else 'request'} {message.sequence}"
    if isinstance(message, IcmpError):
        return f"ICMP {icmp_error_name(message.type, message.code, message.mtu)}"
    return f"ICMP type {message.type} code {message.code}"


def _udp(packet: bytes) -> str:
    segment = ipv4.payload(packet)
    ports = _ports(segment)
    where = f"UDP {ports[0]} > {ports[1]}"
    sealed = esp_of(packet)
    if sealed is not None:
        return f"ESP SPI {sealed[0]:08x} sequence {sealed[1]} in {where}"
    header = ike_of(packet)
    if header is not None:
        exchange = name_of(ExchangeType, header.exchange)
        name = message_name(exchange, header.message_id, is_response=header.is_response)
        return f"{name} on {where}"
    if NAT_T_PORT in ports and segment[udp.HEADER_LENGTH :] == nat_t.KEEPALIVE:
        return f"NAT keepalive on {where}"
    return where


def _esp(packet: bytes) -> str:
    sealed = esp_of(packet)
    return "ESP, too short" if sealed is None else f"ESP SPI {sealed[0]:08x} sequence {sealed[1]}"


def _ports(segment: bytes) -> tuple[int, int]:
    """Source and destination port; zeros where they are cut off."""
    return int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big")


_READERS: dict[int, Callable[[bytes], str]] = {
    IpProtocol.ICMP: _icmp,
    IpProtocol.UDP: _udp,
    IpProtocol.ESP: _esp,
}
