"""Here are the extension headers of an IPv6 packet taken apart for people (RFC 8200 4)."""

from dataclasses import dataclass, field

from ipsecsim.wire import ipv6
from ipsecsim.wire.dissect_place import protocol_text
from ipsecsim.wire.layout import Field, Layer, address_text, hex_number, size_text
from ipsecsim.wire.numbers import IpProtocol, protocol_name
from ipsecsim.wire.reader import Malformed

_TITLES = {
    IpProtocol.HOP_BY_HOP: ("Hop-by-Hop Options", "RFC 8200 4.3"),
    IpProtocol.ROUTING: ("Routing Header", "RFC 8200 4.4"),
    IpProtocol.FRAGMENT: ("Fragment Header", "RFC 8200 4.5"),
    IpProtocol.DESTINATION_OPTIONS: ("Destination Options", "RFC 8200 4.6"),
}
_PAD1 = 0
_OPTIONS = {1: "PadN", 0x05: "Router Alert", 0xC2: "Jumbo Payload"}
_ACTIONS = ("skip it", "discard", "discard and tell", "discard and tell unless multicast")  # RFC 8200 4.2


@dataclass(slots=True)
class Chain:
    """What came to light on the way to the upper layer, in IPv4 too.

    `protocol` is what comes next. `destination` is where a routing header leads in the end. `is_piece`: what comes
    is a fragment, no header. `unsigned` are fields that AH counts as zeros.
    """

    protocol: int
    source: bytes
    destination: bytes
    is_piece: bool = False
    unsigned: list[Field] = field(default_factory=list)


def read_extensions(layer: Layer, chain: Chain, end: int) -> None:
    """Read the headers from where `layer` stands, not beyond `end`, and note in `chain` what they say.

    Raises Malformed.
    """
    for _ in range(ipv6.MOST_EXTENSIONS):
        kind = chain.protocol
        if kind not in ipv6.EXTENSIONS or chain.is_piece:
            break
        title, rfc = _TITLES[IpProtocol(kind)]
        size = _size(layer, kind, end)
        if layer.at + size > end:
            raise Malformed(f"{protocol_name(kind)}: {size} bytes wanted, {end - layer.at} left")
        below = layer.inner(title, size)
        below.field.rfc = rfc
        with below.reading():
            chain.protocol = below.number("Next Header", 1, protocol_text)
            if kind == IpProtocol.FRAGMENT:
                _fragment(below, chain)
                continue
            below.number("Hdr Ext Len", 1, lambda words: size_text(8 * (words + 1)))
            if kind == IpProtocol.ROUTING:
                _routing(below, chain)
            else:
                _options(below, chain)


def _size(layer: Layer, kind: int, end: int) -> int:
    if kind == IpProtocol.FRAGMENT:
        return ipv6.FRAGMENT_HEADER_LENGTH
    if layer.at + 2 > end:
        raise Malformed(f"{protocol_name(kind)}: 2 bytes wanted, {end - layer.at} left")
    _, words = layer.peek(2)
    return 8 * (words + 1)


def _fragment(below: Layer, chain: Chain) -> None:
    below.number("Reserved", 1)
    words, _reserved, more = below.bits(
        ("Fragment Offset", 13, lambda count: size_text(8 * count)), ("Res", 2, str), ("M Flag", 1, str)
    )
    identification = below.number("Identification", 4, hex_number(8))
    chain.is_piece = bool(words or more)
    what = (
        f"from byte {8 * words}, {'more follow' if more else 'the last'}" if chain.is_piece else "the whole"
    )
    below.field.value = f"{what}, identification 0x{identification:08x}"


def _routing(below: Layer, chain: Chain) -> None:
    kind = below.number("Routing Type", 1)
    left = below.number("Segments Left", 1)
    below.field.value = f"type {kind}, segments left {left}"
    if kind:
        below.rest("type-specific data")
        return
    below.octets("Reserved", 4)
    while below.remaining >= 16:
        address = below.octets("Address", 16, address_text)
        if left:
            chain.destination = address


def _options(below: Layer, chain: Chain) -> None:
    names: list[str] = []
    while below.remaining:
        (kind,) = below.peek(1)
        if kind == _PAD1:
            below.number("Pad1", 1, hex_number(2))
            continue
        name = _OPTIONS.get(kind, f"Option 0x{kind:02x}")
        names.append(name)
        _, length = below.peek(2)
        option = below.inner(name, 2 + length)
        with option.reading():
            _action, changes, _number = option.bits(
                ("Action if unknown", 2, _ACTIONS.__getitem__),
                ("May change", 1, lambda bit: "yes" if bit else "no"),
                ("Option Number", 5, str),
            )
            option.number("Opt Data Len", 1)
            if length:
                option.octets("Option Data", length)
                if changes:
                    chain.unsigned.append(option.field.children[-1])
        below.field.value = ", ".join(names)
