"""Here is ICMP of both IP versions taken apart for people, down to the packet that an error quotes."""

from collections.abc import Callable
from enum import IntEnum

from ipsecsim.wire import checksum, icmpv4, icmpv6
from ipsecsim.wire.dissect_place import Place, cannot_be_checked, verdict
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.icmpv6 import FIRST_INFORMATIONAL, Icmpv6Type
from ipsecsim.wire.ike.numbers import name_of
from ipsecsim.wire.layout import Field, Layer
from ipsecsim.wire.numbers import IpProtocol

_CODES: dict[int, type[IntEnum]] = {
    IcmpType.DESTINATION_UNREACHABLE: icmpv4.UnreachableCode,
    IcmpType.TIME_EXCEEDED: icmpv4.TimeExceededCode,
}
_CODES_6: dict[int, type[IntEnum]] = {
    Icmpv6Type.DESTINATION_UNREACHABLE: icmpv6.UnreachableCode,
    Icmpv6Type.TIME_EXCEEDED: icmpv6.TimeExceededCode,
    Icmpv6Type.PARAMETER_PROBLEM: icmpv6.ParameterProblemCode,
}
_FRAGMENTATION_NEEDED = (IcmpType.DESTINATION_UNREACHABLE, icmpv4.UnreachableCode.FRAGMENTATION_NEEDED)


def read_icmp(place: Place) -> Field:
    """A message of ICMP for IPv4 (RFC 792)."""
    layer = place.layer("ICMP", "RFC 792")
    is_right = checksum.is_valid(place.data[place.start : place.end])
    with layer.reading():
        show = cannot_be_checked if place.is_cut else verdict(is_right=is_right)
        kind, code = _start(layer, IcmpType, _CODES, show)
        if kind in (IcmpType.ECHO, IcmpType.ECHO_REPLY):
            _echo(layer)
        elif kind in icmpv4.ERROR_TYPES:
            if (kind, code) == _FRAGMENTATION_NEEDED:
                layer.number("unused", 2)
                layer.number("Next-Hop MTU", 2)
            else:
                layer.octets("Rest of Header", 4)
            _quoted(layer, place, IpProtocol.IPV4, "Original datagram")
        else:
            layer.rest("Message")
    return layer.field


def read_icmpv6(place: Place) -> Field:
    """A message of ICMPv6 (RFC 4443). Every type below 128 is an error, known or not (RFC 4443 2.1)."""
    layer = place.layer("ICMPv6", "RFC 4443 2.1")
    with layer.reading():
        show = place.transport_verdict(IpProtocol.ICMPV6)
        kind, _code = _start(layer, Icmpv6Type, _CODES_6, show)
        if kind in (Icmpv6Type.ECHO_REQUEST, Icmpv6Type.ECHO_REPLY):
            _echo(layer)
        elif kind < FIRST_INFORMATIONAL:
            if kind == Icmpv6Type.PACKET_TOO_BIG:
                layer.number("MTU", 4)
            elif kind == Icmpv6Type.PARAMETER_PROBLEM:
                layer.number("Pointer", 4)
            else:
                layer.octets("Unused", 4)
            _quoted(layer, place, IpProtocol.IPV6, "Invoking packet")
        else:
            layer.rest("Message Body")
    return layer.field


def _start(
    layer: Layer, types: type[IntEnum], codes: dict[int, type[IntEnum]], show_checksum: Callable[[int], str]
) -> tuple[int, int]:
    kind = layer.number("Type", 1, lambda number: f"{_type_name(types, number)} ({number})")
    names = codes.get(kind)
    code = layer.number("Code", 1, lambda number: _code_text(names, number))
    layer.number("Checksum", 2, show_checksum)
    layer.field.value = _type_name(types, kind)
    if names is not None:
        layer.field.value += f", {name_of(names, code)}"
    return kind, code


def _type_name(types: type[IntEnum], kind: int) -> str:
    return name_of(types, kind) if kind in list(types) else f"type {kind}"


def _code_text(names: type[IntEnum] | None, code: int) -> str:
    return str(code) if names is None else f"{name_of(names, code)} ({code})"


def _echo(layer: Layer) -> None:
    layer.number("Identifier", 2)
    sequence = layer.number("Sequence Number", 2)
    layer.field.value += f", sequence {sequence}"
    layer.rest("Data")


def _quoted(layer: Layer, place: Place, protocol: IpProtocol, name: str) -> None:
    if layer.remaining:
        quoted = place.within(layer.at, place.end).of(protocol)
        quoted.name = name
        layer.add(quoted)
