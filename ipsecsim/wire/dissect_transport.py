"""Here are UDP and TCP taken apart for people, and what is known by its UDP port: IKE, ESP and keepalives."""

from ipsecsim.wire import checksum, nat_t
from ipsecsim.wire.dissect_place import Place, cannot_be_checked, verdict
from ipsecsim.wire.ike.dissect import dissect_ike_opened
from ipsecsim.wire.layout import Field, Layer, size_text
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from ipsecsim.wire.reader import Malformed

_UDP_HEADER_LENGTH = 8
_TCP_HEADER_LENGTH = 20
_TCP_FLAGS = ("CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN")  # RFC 9293 3.1, highest bit first


def read_udp(place: Place) -> Field:
    """A UDP segment (RFC 768)."""
    layer = place.layer("UDP", "RFC 768")
    with layer.reading():
        ports = _ports(layer)
        length = layer.number("Length", 2, size_text)
        layer.number("Checksum", 2, lambda value: _udp_verdict(value, place, length))
        if length < _UDP_HEADER_LENGTH:
            raise Malformed(f"length {length} is shorter than the header")
        payload_end = min(place.start + length, place.end)
        if NAT_T_PORT in ports:
            _nat_t(layer, place.within(layer.at, payload_end))
        elif IKE_PORT in ports:
            layer.add(_ike(place.within(layer.at, payload_end)))
        elif payload_end > layer.at:
            layer.octets("Data", payload_end - layer.at)
        layer.rest("Bytes after the segment")
    return layer.field


def _udp_verdict(value: int, place: Place, length: int) -> str:
    if not value:
        return "none"
    segment = place.data[place.start : place.end][:length]
    if len(segment) < length:
        return cannot_be_checked(value)
    ends = (place.source, place.destination)
    return verdict(is_right=checksum.transport_is_valid(*ends, IpProtocol.UDP, segment))(value)


def _nat_t(layer: Layer, place: Place) -> None:
    kind = nat_t.classify(place.data[place.start : place.end])
    if kind is nat_t.Encapsulated.KEEPALIVE:
        layer.octets("NAT-keepalive", 1)
    elif kind is nat_t.Encapsulated.IKE:
        layer.octets("Non-ESP Marker", len(nat_t.NON_ESP_MARKER))
        layer.add(_ike(place.within(layer.at, place.end)))
    else:
        layer.add(place.of(IpProtocol.ESP))


def _ike(place: Place) -> Field:
    message = place.data[place.start : place.end]
    found, plain = dissect_ike_opened(message, place.start, place.opener)
    place.plain[place.start : place.end] = plain
    return found


def read_tcp(place: Place) -> Field:
    """A TCP segment (RFC 9293 3.1)."""
    layer = place.layer("TCP", "RFC 9293 3.1")
    with layer.reading():
        _ports(layer)
        layer.number("Sequence Number", 4)
        layer.number("Acknowledgment Number", 4)
        words, _reserved = layer.bits(
            ("Data Offset", 4, lambda count: size_text(4 * count)), ("Rsrvd", 4, str)
        )
        flags = layer.number("Control Bits", 1, _tcp_flags_text)
        layer.field.value += f", {_tcp_flags_text(flags)}"
        layer.number("Window", 2)
        layer.number("Checksum", 2, place.transport_verdict(IpProtocol.TCP))
        layer.number("Urgent Pointer", 2)
        options_length = 4 * words - _TCP_HEADER_LENGTH
        if options_length:
            layer.octets("Options", options_length)
        layer.rest("Data")
    return layer.field


def _tcp_flags_text(flags: int) -> str:
    names = [name for bit, name in enumerate(_TCP_FLAGS) if flags & 0x80 >> bit]
    return ", ".join(names) or "none"


def _ports(layer: Layer) -> tuple[int, int]:
    source = layer.number("Source Port", 2)
    destination = layer.number("Destination Port", 2)
    layer.field.value = f"{source} > {destination}"
    return source, destination
