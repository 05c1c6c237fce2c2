"""Here are the IP headers of both versions taken apart for people, and what AH in a packet signs of them."""

from collections.abc import Callable

from ipsecsim.wire import checksum, ipv4, ipv6
from ipsecsim.wire.dissect_extensions import Chain, read_extensions
from ipsecsim.wire.dissect_ipv4_options import read_options
from ipsecsim.wire.dissect_place import Place, protocol_text, verdict
from ipsecsim.wire.layout import AUTHENTICATED, MUTABLE, Field, Layer, address_text, hex_number, size_text
from ipsecsim.wire.numbers import IpProtocol, protocol_name
from ipsecsim.wire.reader import Malformed

_ECN = ("Not-ECT", "ECT(1)", "ECT(0)", "CE")  # RFC 3168 5

# RFC 4302 3.3.3.1: fields that routers may change, which AH counts as zeros.
_UNSIGNED = {
    "DSCP",
    "ECN",
    "Flow Label",
    "Flags",
    "Fragment Offset",
    "Time to Live",
    "Hop Limit",
    "Header Checksum",
}


def read_ip(place: Place) -> Field:
    """An IP packet of the version that it says; what says neither is read as IPv4, and found wrong."""
    first = place.data[place.start : place.start + 1]
    return place.of(IpProtocol.IPV6 if first and first[0] >> 4 == 6 else IpProtocol.IPV4)


def read_ipv4(place: Place) -> Field:
    """An IPv4 packet (RFC 791 3.1)."""
    layer = place.layer("IPv4", "RFC 791 3.1")
    with layer.reading():
        words = _version(layer, 4, ("IHL", 4, lambda count: size_text(4 * count)))
        layer.bits(("DSCP", 6, str), ("ECN", 2, _ECN.__getitem__))
        total_length = layer.number("Total Length", 2, size_text)
        layer.number("Identification", 2, hex_number(4))
        flags, offset = layer.bits(
            ("Flags", 3, _flags_text), ("Fragment Offset", 13, lambda count: size_text(8 * count))
        )
        layer.number("Time to Live")
        protocol = layer.number("Protocol", 1, protocol_text)
        header = place.data[place.start : place.start + 4 * words]
        layer.number("Header Checksum", 2, verdict(is_right=checksum.is_valid(header)))
        source, destination = _addresses(layer, 4)
        options_length = 4 * words - ipv4.HEADER_LENGTH
        unsigned = read_options(layer, options_length) if options_length else []
        if total_length < 4 * words:
            raise Malformed(f"total length {total_length} is shorter than the header")
        chain = Chain(protocol, source, destination, bool(flags & 1 or offset), unsigned)
        _carried(layer, place, total_length, chain)
    return layer.field


def read_ipv6(place: Place) -> Field:
    """An IPv6 packet (RFC 8200 3) with its extension headers."""
    layer = place.layer("IPv6", "RFC 8200 3")
    with layer.reading():
        _version(layer, 6, ("DSCP", 6, str), ("ECN", 2, _ECN.__getitem__), ("Flow Label", 20, hex_number(5)))
        payload_length = layer.number("Payload Length", 2, size_text)
        next_header = layer.number("Next Header", 1, protocol_text)
        layer.number("Hop Limit")
        source, destination = _addresses(layer, 16)
        total_length = ipv6.HEADER_LENGTH + payload_length
        chain = Chain(next_header, source, destination)
        read_extensions(layer, chain, min(place.start + total_length, place.end))
        _carried(layer, place, total_length, chain)
    return layer.field


def _version(layer: Layer, wanted: int, *others: tuple[str, int, Callable[[int], str]]) -> int:
    """The version, and the parts of fields that share its bytes; the first of these is returned."""
    if layer.remaining:
        (first,) = layer.peek(1)
        if first >> 4 != wanted:
            raise Malformed(f"IP version {first >> 4}, not {wanted}")
    return layer.bits(("Version", 4, str), *others)[1]


def _addresses(layer: Layer, size: int) -> tuple[bytes, bytes]:
    source = layer.octets("Source Address", size, address_text)
    destination = layer.octets("Destination Address", size, address_text)
    layer.field.value = f"{address_text(source)} > {address_text(destination)}"
    return source, destination


def _flags_text(flags: int) -> str:
    names = [name for bit, name in ((2, "Don't Fragment"), (1, "More Fragments")) if flags & bit]
    return ", ".join(names) or "none"


def _carried(layer: Layer, place: Place, total_length: int, chain: Chain) -> None:
    """What the headers carry; and bytes behind it, which a link has added."""
    # A quoted packet is cut off, a padded one goes on: the payload is what is really there.
    end = min(place.start + total_length, place.end)
    if chain.is_piece:
        layer.octets(f"Fragment of {protocol_name(chain.protocol)}", end - layer.at)
    elif end > layer.at:
        is_cut = place.is_cut or place.start + total_length > place.end
        below = place.within(layer.at, end).between(
            chain.source, chain.destination, place.start, is_cut=is_cut
        )
        if chain.protocol == IpProtocol.AH:
            _mark_signed(layer.field, chain.unsigned)
        layer.add(below.of(chain.protocol))
    layer.rest("Bytes after the packet")


def _mark_signed(header: Field, unsigned: list[Field]) -> None:
    """Colour what AH covers of the headers in front of it, and what it counts as zeros."""
    spared = {id(each) for field in unsigned for _, each in field.walk()}
    for depth, each in header.walk():
        if depth:
            is_spared = each.name in _UNSIGNED or id(each) in spared
            each.protection = MUTABLE if is_spared else AUTHENTICATED
