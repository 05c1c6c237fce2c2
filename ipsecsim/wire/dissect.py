"""Here is a packet taken apart for people: IPv4, then ICMP, UDP, ESP, and IKE down to its payloads.

Never raises: bytes that make no sense are shown as such. Ranges count from the start of the packet.
"""

from collections.abc import Callable

from ipsecsim.wire import checksum, icmpv4, ipv4, nat_t
from ipsecsim.wire.ike.dissect import dissect_ike, dissect_payloads
from ipsecsim.wire.ike.numbers import name_of
from ipsecsim.wire.layout import (
    AUTHENTICATED,
    SEALED,
    Field,
    Layer,
    address_text,
    hex_number,
    size_text,
)
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol, protocol_name
from ipsecsim.wire.reader import Malformed

__all__ = ["dissect", "dissect_ike", "dissect_payloads"]

_DEEPEST = 8  # packets within packets; what lies deeper is shown as bytes
_ECN = ("Not-ECT", "ECT(1)", "ECT(0)", "CE")  # RFC 3168 5


def dissect(packet: bytes) -> Field:
    """The fields of an IPv4 packet as a tree. The root covers the packet."""
    return _ipv4(packet, 0, len(packet), 0)


def _ipv4(data: bytes, start: int, end: int, depth: int) -> Field:
    layer = Layer(data, "IPv4", start, end, rfc="RFC 791 3.1")
    with layer.reading():
        version, words = layer.bits(("Version", 4, str), ("IHL", 4, lambda count: size_text(4 * count)))
        if version != 4:
            raise Malformed(f"IP version {version}, not 4")
        layer.bits(("DSCP", 6, str), ("ECN", 2, _ECN.__getitem__))
        total_length = layer.number("Total Length", 2, size_text)
        layer.number("Identification", 2, hex_number(4))
        flags, offset = layer.bits(
            ("Flags", 3, _flags_text), ("Fragment Offset", 13, lambda count: size_text(8 * count))
        )
        layer.number("Time to Live")
        protocol = layer.number("Protocol", 1, lambda number: f"{protocol_name(number)} ({number})")
        header = data[start : start + 4 * words]
        layer.number("Header Checksum", 2, _verdict(is_right=checksum.is_valid(header)))
        source = layer.octets("Source Address", 4, address_text)
        destination = layer.octets("Destination Address", 4, address_text)
        layer.field.value = f"{address_text(source)} > {address_text(destination)}"
        options_length = 4 * words - ipv4.HEADER_LENGTH
        if options_length:
            layer.octets("Options", options_length)
        if total_length < 4 * words:
            raise Malformed(f"total length {total_length} is shorter than the header")
        # A quoted packet is cut off, a padded one goes on: the payload is what is really there.
        payload_end = min(start + total_length, end)
        if flags & 1 or offset:
            layer.octets(f"Fragment of a {protocol_name(protocol)} packet", payload_end - layer.at)
        elif payload_end > layer.at:
            ends = source + destination
            layer.add(_ip_payload(data, layer.at, payload_end, protocol, ends, depth))
        layer.rest("Bytes after the packet")
    return layer.field


def _flags_text(flags: int) -> str:
    names = [name for bit, name in ((2, "Don't Fragment"), (1, "More Fragments")) if flags & bit]
    return ", ".join(names) or "none"


def _verdict(*, is_right: bool) -> Callable[[int], str]:
    return lambda value: f"0x{value:04x} ({'correct' if is_right else 'wrong'})"


def _ip_payload(data: bytes, start: int, end: int, protocol: int, ends: bytes, depth: int) -> Field:
    if protocol == IpProtocol.UDP:
        return _udp(data, start, end, ends)
    if protocol == IpProtocol.ESP:
        return _esp(data, start, end)
    if protocol == IpProtocol.ICMP:
        return _icmp(data, start, end, depth)
    if protocol == IpProtocol.IPV4 and depth < _DEEPEST:
        return _ipv4(data, start, end, depth + 1)
    layer = Layer(data, protocol_name(protocol), start, end)
    layer.field.value = size_text(end - start)
    return layer.field


def _icmp(data: bytes, start: int, end: int, depth: int) -> Field:
    layer = Layer(data, "ICMP", start, end, rfc="RFC 792")
    with layer.reading():
        kind = layer.number("Type", 1, lambda number: f"{name_of(icmpv4.IcmpType, number)} ({number})")
        code = layer.number("Code")
        layer.number("Checksum", 2, _verdict(is_right=checksum.is_valid(data[start:end])))
        layer.field.value = name_of(icmpv4.IcmpType, kind)
        if kind in (icmpv4.IcmpType.ECHO, icmpv4.IcmpType.ECHO_REPLY):
            layer.number("Identifier", 2)
            sequence = layer.number("Sequence Number", 2)
            layer.field.value += f", sequence {sequence}"
            layer.rest("Data")
        elif kind in icmpv4.ERROR_TYPES:
            _icmp_error(data, layer, kind, code, depth)
        else:
            layer.rest("Message")
    return layer.field


def _icmp_error(data: bytes, layer: Layer, kind: int, code: int, depth: int) -> None:
    if kind == icmpv4.IcmpType.DESTINATION_UNREACHABLE:
        layer.field.value += f", {name_of(icmpv4.UnreachableCode, code)}"
    if (kind, code) == (
        icmpv4.IcmpType.DESTINATION_UNREACHABLE,
        icmpv4.UnreachableCode.FRAGMENTATION_NEEDED,
    ):
        layer.number("unused", 2)
        layer.number("Next-Hop MTU", 2)
    else:
        layer.octets("Rest of Header", 4)
    if layer.remaining and depth < _DEEPEST:
        quoted = _ipv4(data, layer.at, layer.end, depth + 1)
        quoted.name = "Original datagram"
        layer.add(quoted)
    else:
        layer.rest("Original datagram")


def _udp(data: bytes, start: int, end: int, ends: bytes) -> Field:
    layer = Layer(data, "UDP", start, end, rfc="RFC 768")
    with layer.reading():
        source = layer.number("Source Port", 2)
        destination = layer.number("Destination Port", 2)
        layer.field.value = f"{source} > {destination}"
        length = layer.number("Length", 2, size_text)
        segment = data[start : start + length]
        layer.number("Checksum", 2, lambda value: _udp_verdict(value, segment, ends, length))
        if length < 8:
            raise Malformed(f"length {length} is shorter than the header")
        payload_end = min(start + length, end)
        ports = (source, destination)
        if NAT_T_PORT in ports:
            _nat_t(data, layer, payload_end)
        elif IKE_PORT in ports:
            layer.add(_ike(data, layer.at, payload_end))
        elif payload_end > layer.at:
            layer.octets("Data", payload_end - layer.at)
        layer.rest("Bytes after the segment")
    return layer.field


def _udp_verdict(value: int, segment: bytes, ends: bytes, length: int) -> str:
    if not value:
        return "none"
    if len(segment) < length:
        return f"0x{value:04x} (cannot be checked: cut off)"
    is_right = checksum.transport_is_valid(ends[:4], ends[4:], IpProtocol.UDP, segment)
    return _verdict(is_right=is_right)(value)


def _nat_t(data: bytes, layer: Layer, end: int) -> None:
    kind = nat_t.classify(data[layer.at : end])
    if kind is nat_t.Encapsulated.KEEPALIVE:
        layer.octets("NAT-keepalive", 1)
    elif kind is nat_t.Encapsulated.IKE:
        layer.octets("Non-ESP Marker", len(nat_t.NON_ESP_MARKER))
        layer.add(_ike(data, layer.at, end))
    else:
        layer.add(_esp(data, layer.at, end))


def _ike(data: bytes, start: int, end: int) -> Field:
    return dissect_ike(data[start:end], start)


def _esp(data: bytes, start: int, end: int) -> Field:
    layer = Layer(data, "ESP", start, end, protection=AUTHENTICATED, rfc="RFC 4303 2")
    with layer.reading():
        spi = layer.number("Security Parameters Index (SPI)", 4, hex_number(8))
        sequence = layer.number("Sequence Number", 4)
        layer.field.value = f"SPI 0x{spi:08x}, sequence {sequence}"
        layer.protection = SEALED
        layer.rest("IV, Payload Data and ICV")
    return layer.field
