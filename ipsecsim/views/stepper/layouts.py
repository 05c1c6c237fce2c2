"""The layout of a packet, apart from its bytes: which fields stand where in which layer, and how to print them.

A handful of layouts serves a whole run. What a layout does not say of one packet, its titles and values that are
not what the bytes alone would show, is told with the packet.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.observe.packets.meanings import meaning
from ipsecsim.observe.packets.xray import Xray
from ipsecsim.views.stepper.strings import Interned
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.layout import Field, hex_text

_PAYLOAD = re.compile(r"\((\d+)\)$")
_KINDS = {
    "IPv4": ("ipv4", "IP"),
    "IPv6": ("ipv6", "IPv6"),
    "UDP": ("udp", "UDP"),
    "TCP": ("tcp", "TCP"),
    "ICMP": ("icmp", "ICMP"),
    "ICMPv6": ("icmp", "ICMPv6"),
    "AH": ("ah", "AH"),
    "ESP": ("esp", "ESP"),
    "IKE": ("ike", "IKEv2"),
}
_HIDING = {"esp": "ESP", "sk": "SK"}
_GIVEN = "given"


@dataclass(slots=True)
class _Layer:
    field: Field
    kind: str
    name: str
    depth: int
    sealed_by: str


def layout(seen: Xray, strings: Interned[str], layouts: Interned[Any]) -> dict[str, Any]:
    """The parts of a packet's entry that say what it looks like: `layout`, `titles` and `values`.

    A value is the text behind a field; `show` says how to make it of the bytes: 'dec', 'hex', 'ip4', 'ip6',
    'bytes', with a text after a bar that is put behind it, or 'given'.
    """
    layers: list[Any] = []
    titles: list[tuple[int, int]] = []
    given: list[str] = []
    values: list[tuple[int, int]] = []
    for number, layer in enumerate(_layers(seen.root, 0, "", "")):
        field = layer.field
        fields = []
        for name, around, leaf in _fields(field, layer.kind):
            first = leaf.start * 8 + (leaf.bits[0] if leaf.bits else 0)
            width = leaf.bits[1] if leaf.bits else (leaf.end - leaf.start) * 8
            show = _show(leaf, seen.plain)
            means = meaning(around, leaf.name)
            given.append(leaf.value)
            if show == _GIVEN:
                values.append((len(given) - 1, strings(leaf.value)))
            fields.append(
                [
                    strings(name),
                    first,
                    width,
                    leaf.protection or "clear",
                    show,
                    strings(means.sentence),
                    strings(leaf.rfc or means.clause),
                ]
            )
        titles.append((number, strings(field.value)))
        layers.append(
            {
                "kind": layer.kind,
                "name": layer.name,
                "title": strings(""),
                "start": field.start,
                "end": field.end,
                "depth": layer.depth,
                "sealed_by": strings(layer.sealed_by),
                "rfc": strings(field.rfc),
                "fields": fields,
            }
        )
    return {
        "layout": layouts({"layers": layers}),
        "titles": [list(each) for each in titles],
        "values": [list(each) for each in values],
    }


def _layers(field: Field, depth: int, sealed_by: str, around: str) -> Iterator[_Layer]:
    """The layers, outermost first. `sealed_by` is what has to be opened to see one: AH hides nothing."""
    kind, name = _kind(field, around)
    yield _Layer(field, kind, name, depth, sealed_by)
    below = _HIDING.get(kind) or sealed_by
    for child in field.children:
        if _is_layer(child, kind):
            yield from _layers(child, depth + 1, below, kind)


def _is_layer(field: Field, around: str) -> bool:
    if field.name in _KINDS:
        return True
    return bool(field.children) and around in ("ike", "sk", "ipv4", "ipv6", "esp", "ah", "udp", "icmp")


def _kind(field: Field, around: str) -> tuple[str, str]:
    known = _KINDS.get(field.name)
    if known is not None:
        return known
    number = _PAYLOAD.search(field.name)
    if around in ("ike", "sk") and number is not None:
        return _payload(int(number[1]), field)
    return "other", field.name


def _payload(number: int, field: Field) -> tuple[str, str]:
    try:
        kind = PayloadType(number)
    except ValueError:
        return "payload", field.name
    if kind in (PayloadType.SK, PayloadType.SKF):
        return "sk", kind.notation
    return "payload", f"N({field.value})" if kind is PayloadType.NOTIFY else kind.notation


def _fields(field: Field, kind: str) -> Iterator[tuple[str, str, Field]]:
    """The fields of a layer itself, with their names there, and the name of what each stands in.

    Parts of parts have the names of what they are in before them.
    """
    if not field.children:
        yield field.name, field.name, field
    for child in field.children:
        if not _is_layer(child, kind):
            yield from _leaves(child, "", field.name)


def _leaves(field: Field, prefix: str, around: str) -> Iterator[tuple[str, str, Field]]:
    if not field.children:
        yield prefix + field.name, around, field
    for child in field.children:
        yield from _leaves(child, f"{prefix}{field.name}: ", field.name)


def _show(leaf: Field, plain: bytes) -> str:
    """How a reader can make the value of the bytes."""
    data = plain[leaf.start : leaf.end]
    number = int.from_bytes(data, "big")
    if leaf.bits:
        first, width = leaf.bits
        number = number >> (len(data) * 8 - first - width) & ((1 << width) - 1)
    digits = len(data) * 2
    for show, text in (
        ("bytes", hex_text(data) if not leaf.bits else None),
        ("ip4", unpack(data) if len(data) == 4 else None),
        ("ip6", unpack(data) if len(data) == 16 else None),
        ("hex", f"0x{number:0{digits}x}" if not leaf.bits and len(data) <= 8 else None),
        ("dec", str(number) if len(data) <= 8 else None),
    ):
        if text and leaf.value.startswith(text):
            rest = leaf.value[len(text) :]
            if not rest:
                return show
            if not rest[0].isalnum() and len(rest) < 24:
                return f"{show}|{rest}"
    return _GIVEN
