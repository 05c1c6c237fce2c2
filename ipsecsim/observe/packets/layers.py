"""The layers of a packet with their lengths: what was carried, and what each protection added to it."""

from dataclasses import dataclass

from ipsecsim.observe.packets.xray import Xray
from ipsecsim.wire.layout import Field

_OWN = {
    "IV": "IV",
    "Integrity Check Value (ICV)": "ICV",
    "Padding": "padding",
    "IV, Payload Data and ICV": "sealed",
    "Payload Data, sealed": "sealed",
}
_TRAILER = ("Pad Length", "Next Header")
_LAYERS = ("IPv4", "IPv6", "UDP", "ESP", "AH", "IKE", "ICMP", "ICMPv6")
_DATA = ("Data", "Payload", "Payload Data")


@dataclass(slots=True)
class Part:
    """Bytes that belong together: a header, the payload, the padding, the ICV.

    `depth` counts the layers around it; `title` is what its layer says of itself, with the first part of each.
    """

    name: str
    length: int
    protection: str
    depth: int = 0
    title: str = ""


def parts(seen: Xray) -> tuple[Part, ...]:
    """A packet cut into its layers, every byte in one part. A header is one part for each class in it."""
    found: dict[tuple[int, str, str], Part] = {}
    _cut(seen.root, 0, found)
    return tuple(found.values())


def _cut(layer: Field, depth: int, found: dict[tuple[int, str, str], Part]) -> None:
    """The bytes of one layer: its own fields together, what is in it in its place."""

    def count(name: str, length: int, protection: str) -> None:
        if length > 0:
            title = "" if any(start == layer.start for start, *_ in found) else layer.value
            part = found.setdefault((layer.start, name, protection), Part(name, 0, protection, depth, title))
            part.length += length

    at = layer.start
    for child in layer.children:
        length = child.end - max(child.start, at)  # parts of a byte share it
        if child.children and child.name in _LAYERS:
            _cut(child, depth + 1, found)
        else:
            count(_part(layer.name, child.name), length, child.protection)
        at = max(at, child.end)
    count(layer.name, layer.end - at, layer.protection)


def _part(layer: str, name: str) -> str:
    """What a field is counted as: itself, or its layer's header."""
    if name in _DATA:
        return "payload"
    if layer == "ESP" and name in _TRAILER:
        return "trailer"
    return _OWN.get(name, layer)
