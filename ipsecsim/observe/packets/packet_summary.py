"""One line about a packet: who sends what to whom. Reads only what is in clear.

Never raises: a recording may hold anything.
"""

from collections.abc import Callable
from enum import IntEnum

from ipsecsim.base.address import unpack
from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import ah, esp, icmpv4, icmpv6, ip, ipv6
from ipsecsim.wire.headers import Header, carried, first, headers, ports
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS
from ipsecsim.wire.ike.generic import GENERIC_HEADER
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, PayloadType, name_of
from ipsecsim.wire.in_udp import ike_in, ike_start, is_keepalive
from ipsecsim.wire.numbers import IpProtocol, protocol_name

_ICMP_CODES: dict[int, type[IntEnum]] = {IcmpType.DESTINATION_UNREACHABLE: icmpv4.UnreachableCode}
_ICMPV6_CODES: dict[int, type[IntEnum]] = {
    Icmpv6Type.DESTINATION_UNREACHABLE: icmpv6.UnreachableCode,
    Icmpv6Type.PARAMETER_PROBLEM: icmpv6.ParameterProblemCode,
}

_IP = (IpProtocol.IPV4, IpProtocol.IPV6)

Message = (
    icmpv4.Echo | icmpv4.IcmpError | icmpv4.UnknownIcmp | icmpv6.Echo | icmpv6.IcmpError | icmpv6.UnknownIcmp
)


def summary(packet: bytes) -> str:
    """'10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B'; behind AH 'AH SPI 5e0d77aa sequence 3 | UDP 9 > 9'."""
    found = headers(packet)
    outer = found[0]
    if outer.fault:
        return f"no IP packet ({outer.fault}), {len(packet)} B"
    return f"{_words(packet, found)}, {len(packet)} B"


def details(packet: bytes) -> str:
    """The same without the ends of the outer header and without the size: 'ICMP echo request 1'."""
    found = headers(packet)
    if found[0].fault:
        return f"no IP packet ({found[0].fault})"
    return _words(packet, found).partition(", ")[2]


def esp_of(packet: bytes) -> tuple[int, int] | None:
    """SPI and sequence number of an ESP packet, in UDP or not; None for others and for later fragments.

    Also behind an AH, which hides nothing.
    """
    header = first(packet, IpProtocol.ESP)
    return None if header is None else esp.numbers(packet, header.start)


def ah_of(packet: bytes) -> tuple[int, int] | None:
    """SPI and sequence number of the outermost AH; None for other packets and for later fragments."""
    header = first(packet, IpProtocol.AH)
    return None if header is None else ah.numbers(packet, header.start, header.end)


def message_name(exchange: str, message_id: int, *, is_response: bool) -> str:
    """'IKE_AUTH request 1'."""
    return f"{exchange} {'response' if is_response else 'request'} {message_id}"


def icmp_error_name(kind: int, code: int, mtu: int = 0, *, version: int = 4) -> str:
    """'time exceeded', 'destination unreachable: fragmentation needed, MTU 1400', in ICMPv6 'packet too big'."""
    types, codes = (IcmpType, _ICMP_CODES) if version == 4 else (Icmpv6Type, _ICMPV6_CODES)
    words = _name(types, kind)
    if words is None:
        return f"type {kind} code {code}"
    if kind in codes:
        words += f": {_name(codes[kind], code) or f'code {code}'}"
    return words + (f", MTU {mtu}" if mtu else "")


def _name(numbers: type[IntEnum], value: int) -> str | None:
    try:
        return numbers(value).name.lower().replace("_", " ")
    except ValueError:
        return None


# -- header by header -----------------------------------------------------------------------------


def _words(packet: bytes, found: list[Header]) -> str:
    """All headers. Behind addresses stands a comma, between other headers a bar; ESP is 'in UDP'."""
    text = separator = prefix = suffix = ""
    around = found[0]
    for header, following in zip(found, [*found[1:], None], strict=True):
        words = _HEADERS.get(header.protocol, _only_name)(packet, header)
        if header.protocol in _IP:
            around = header
            prefix = "the first fragment of " if header.offset == 0 else ""
        elif header.protocol == IpProtocol.FRAGMENT and around.offset is not None:
            continue  # it is told where the fragment itself is
        elif header.protocol == IpProtocol.UDP and following is not None:
            suffix = f" in {words}"
            continue
        elif header.protocol not in ipv6.EXTENSIONS:
            words, prefix, suffix = prefix + words + suffix, "", ""
        text += separator + words
        separator = ", " if header.protocol in _IP else " | "
    if around.offset:
        protocol, _ = ip.upper_layer(carried(packet, around))
        text += f"{separator}a fragment from byte {around.offset} of {protocol_name(protocol)}"
    return text


def _only_name(_packet: bytes, header: Header) -> str:
    return protocol_name(header.protocol)


def _ends(packet: bytes, header: Header) -> str:
    if header.fault:
        # what is cut off by a fragment's end is no fault of the sender
        why = "" if header.offset is not None else f" ({header.fault})"
        return f"{protocol_name(header.protocol)}{why}"
    whole = carried(packet, header)
    return f"{unpack(ip.source(whole))} > {unpack(ip.destination(whole))}"


def _fragment(_packet: bytes, _header: Header) -> str:
    return "a lone fragment"


def _ah(packet: bytes, header: Header) -> str:
    if header.fault:
        return f"AH ({header.fault})"
    return f"AH {_security(ah.numbers(packet, header.start, header.end))}"


def _esp(packet: bytes, header: Header) -> str:
    return "ESP, too short" if header.fault else f"ESP {_security(esp.numbers(packet, header.start))}"


def _security(numbers: tuple[int, int]) -> str:
    spi, sequence = numbers
    return f"SPI {spi:08x} sequence {sequence}"


def _icmp(packet: bytes, header: Header) -> str:
    if header.offset is not None:
        return "ICMP"  # the checksum covers what is not here
    try:
        message = icmpv4.parse(carried(packet, header))
    except RemoteError as wrong:
        return f"ICMP ({wrong})"
    return _icmp_message("ICMP", message, 4)


def _icmpv6(packet: bytes, header: Header) -> str:
    around = packet[header.packet : header.end]
    if header.offset is not None or ip.version(around) == 4 or _is_routed(around):
        return "ICMPv6"  # the checksum covers what is not here
    try:
        message = icmpv6.parse(ip.source(around), ip.destination(around), carried(packet, header))
    except RemoteError as wrong:
        return f"ICMPv6 ({wrong})"
    return _icmp_message("ICMPv6", message, 6)


def _is_routed(packet: bytes) -> bool:
    """Has the packet a routing header? Its last address may then not be the destination (RFC 8200 8.1)."""
    return any(each.kind == IpProtocol.ROUTING for each in ipv6.chain(packet).extensions)


def _icmp_message(name: str, message: Message, version: int) -> str:
    if isinstance(message, icmpv4.Echo | icmpv6.Echo):
        return f"{name} echo {'reply' if message.is_reply else 'request'} {message.sequence}"
    if isinstance(message, icmpv4.IcmpError | icmpv6.IcmpError):
        return f"{name} {icmp_error_name(message.type, message.code, message.mtu, version=version)}"
    return f"{name} type {message.type} code {message.code}"


def _udp(packet: bytes, header: Header) -> str:
    segment = carried(packet, header)
    used = ports(segment)
    where = f"UDP {used[0]} > {used[1]}"
    message = ike_in(segment)
    if message is not None:
        exchange = name_of(ExchangeType, message.exchange)
        name = message_name(exchange, message.message_id, is_response=message.is_response)
        return f"{name}{_ike_fragment(segment, message)} on {where}"
    if is_keepalive(segment):
        return f"NAT keepalive on {where}"
    return where


def _ike_fragment(segment: bytes, header: IkeHeader) -> str:
    """', fragment 2 of 3': the numbers are in clear (RFC 7383 2.5). Empty for a message in one piece."""
    fields = segment[ike_start(segment) + HEADER_LENGTH + GENERIC_HEADER.size :]
    if header.next_payload != PayloadType.SKF or len(fields) < FRAGMENT_FIELDS.size:
        return ""
    number, total = FRAGMENT_FIELDS.unpack_from(fields)
    return f", fragment {number} of {total}"


_HEADERS: dict[int, Callable[[bytes, Header], str]] = {
    IpProtocol.IPV4: _ends,
    IpProtocol.IPV6: _ends,
    IpProtocol.FRAGMENT: _fragment,
    IpProtocol.AH: _ah,
    IpProtocol.ESP: _esp,
    IpProtocol.ICMP: _icmp,
    IpProtocol.ICMPV6: _icmpv6,
    IpProtocol.UDP: _udp,
}
