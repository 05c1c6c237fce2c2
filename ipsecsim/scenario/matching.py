"""The words of a selection with their values worked out: bytes and numbers, as `stack.match` compiles them.

Words were checked before (`scenario.selection`). What the name of a node stands for is for the caller to say.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence

from ipsecsim.base.errors import RemoteError
from ipsecsim.scenario import units
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.swanctl.values import PROTOCOLS
from ipsecsim.stack import match
from ipsecsim.stack.match import (
    Addresses,
    AddressRange,
    Match,
    Numbers,
    Range,
    Seen,
    Shown,
    State,
    Words,
    icmp_number,
)
from ipsecsim.wire import ip
from ipsecsim.wire.icmpv4 import IcmpType, UnreachableCode
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.numbers import IpProtocol

AddressesOf = Callable[[str], Iterable[bytes] | None]
"""The addresses that a node's name means; None for what is no node's name."""

EVERYWHERE: tuple[AddressRange, ...] = ((bytes(4), b"\xff" * 4), (bytes(16), b"\xff" * 16))
EVERY_PROTOCOL = (0, 0xFF)
_MOST = 1 << 64  # no number in a packet comes near

_V4, _V6 = int(IpProtocol.ICMP), int(IpProtocol.ICMPV6)
ICMP_KINDS: Mapping[str, tuple[tuple[int, int, int | None], ...]] = {
    "echo": ((_V4, IcmpType.ECHO, None), (_V6, Icmpv6Type.ECHO_REQUEST, None)),
    "echo_reply": ((_V4, IcmpType.ECHO_REPLY, None), (_V6, Icmpv6Type.ECHO_REPLY, None)),
    "unreachable": (
        (_V4, IcmpType.DESTINATION_UNREACHABLE, None),
        (_V6, Icmpv6Type.DESTINATION_UNREACHABLE, None),
    ),
    "too_big": (
        (_V4, IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.FRAGMENTATION_NEEDED),
        (_V6, Icmpv6Type.PACKET_TOO_BIG, None),
    ),
    "time_exceeded": ((_V4, IcmpType.TIME_EXCEEDED, None), (_V6, Icmpv6Type.TIME_EXCEEDED, None)),
    "redirect": ((_V4, IcmpType.REDIRECT, None), (_V6, Icmpv6Type.REDIRECT, None)),
}
"""By word: protocol, type, and the one code that is meant, if it is one. Both IP versions have the message."""


def compiled(conditions: Iterable[Condition], addresses_of: AddressesOf) -> Match:
    """One question to a packet, made of all the words."""
    return Match(tuple(_worked_out(each, addresses_of) for each in conditions))


def of_frames(conditions: Sequence[Condition], addresses_of: AddressesOf) -> Callable[[bytes], bool]:
    """The question to bytes on a link, which need not be a packet: a broken header says nothing at all."""
    match = compiled(conditions, addresses_of)
    fits_nothing = all(each.operator == "!=" for each in conditions)

    def fits(packet: bytes) -> bool:
        try:
            ip.check(packet)
        except RemoteError:
            return fits_nothing
        return match.fits(Seen(packet))

    return fits


def _worked_out(condition: Condition, addresses_of: AddressesOf) -> match.Condition:
    key, is_not = condition.key, condition.operator == "!="
    if key in ("src", "dst"):
        return Addresses(key, tuple(address_ranges(condition.values, addresses_of)), is_not)
    if key in ("in", "out"):
        return Words(key, condition.values, is_not)
    if key == "state":
        return Words(key, tuple(State(text) for text in condition.values), is_not)
    if key == "layer":
        return Shown(key, condition.values, is_not)
    if key == "spi":
        return Shown(key, tuple(int(text, 16) for text in condition.values), is_not)
    ranges = tuple(each for text in condition.values for each in number_ranges(key, text))
    return Numbers(key, tuple(_compared(condition.operator, each) for each in ranges), is_not)


def address_ranges(values: Iterable[str], addresses_of: AddressesOf) -> list[AddressRange]:
    """What 'any', the name of a node, an address and a network stand for."""
    found: list[AddressRange] = []
    for text in values:
        if text == "any":
            found += EVERYWHERE
            continue
        own = addresses_of(text)
        found += [_network(text)] if own is None else [(address, address) for address in own]
    return found


def _network(text: str) -> AddressRange:
    net = ipaddress.ip_network(text, strict=False)
    return net.network_address.packed, net.broadcast_address.packed


def number_ranges(key: str, text: str) -> list[Range]:
    """What one value of a key that counts something stands for; of both IP versions where they differ."""
    if key == "icmp":
        return _icmp(text)
    if key == "proto":
        if text == "any":
            return [EVERY_PROTOCOL]
        number = PROTOCOLS[text] if text in PROTOCOLS else int(text)
        return [(number, number)]
    read = _READERS[key]
    first, _, last = text.partition("-")
    return [(read(first), read(last or first))]


_READERS: Mapping[str, Callable[[str], int]] = {
    "sport": int,
    "dport": int,
    "port": int,
    "size": units.size,
    "dscp": units.dscp,
}


def _icmp(text: str) -> list[Range]:
    """A kind of message by its word, or type, or type/code; without a code, all codes of the type."""
    kinds = ICMP_KINDS.get(text)
    if kinds is None:
        kind, _, code = text.partition("/")
        kinds = tuple((protocol, int(kind), int(code) if code else None) for protocol in (_V4, _V6))
    return [
        (icmp_number(protocol, kind, code or 0), icmp_number(protocol, kind, 0xFF if code is None else code))
        for protocol, kind, code in kinds
    ]


def _compared(operator: str, value: Range) -> Range:
    """The range that satisfies a comparison. A number that is not shown satisfies none."""
    first, _ = value
    return {
        "=": value,
        "!=": value,
        "<": (0, first - 1),
        "<=": (0, first),
        ">": (first + 1, _MOST),
        ">=": (first, _MOST),
    }[operator]
