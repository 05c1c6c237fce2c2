"""Here are the options of an IPv4 header taken apart for people (RFC 791 3.1)."""

from ipsecsim.wire import ipv4
from ipsecsim.wire.layout import Field, Layer, address_text, hex_number
from ipsecsim.wire.reader import Malformed

_END_OF_OPTIONS = 0
_NO_OPERATION = 1
_NAMES = {
    7: "Record Route",
    68: "Timestamp",
    82: "Traceroute",
    130: "Security",
    131: "Loose Source Route",
    133: "Extended Security",
    134: "Commercial Security",
    136: "Stream ID",
    137: "Strict Source Route",
    148: "Router Alert",
    149: "Sender Directed Multi-Destination Delivery",
}
_ROUTES = (7, 131, 137)


def read_options(layer: Layer, size: int) -> list[Field]:
    """The next `size` bytes as options. Returns those that AH counts as zeros (RFC 4302 appendix A1)."""
    below = layer.inner("Options", size)
    unsigned: list[Field] = []
    names: list[str] = []
    with below.reading():
        while below.remaining:
            (kind,) = below.peek(1)
            if kind == _END_OF_OPTIONS:
                below.number("End of Option List", 1, hex_number(2))
                below.rest("Padding")
                break
            name = "No Operation" if kind == _NO_OPERATION else _NAMES.get(kind, f"Option {kind}")
            names.append(name)
            if kind == _NO_OPERATION:
                below.number(name, 1, hex_number(2))
                continue
            _, length = below.peek(2)
            if length < 2:
                raise Malformed(f"{name}: length {length}")
            option = below.inner(name, length)
            _option(option, kind)
            if kind not in ipv4.IMMUTABLE_OPTIONS:
                unsigned.append(option.field)
    below.field.value = ", ".join(names)
    return unsigned


def _option(option: Layer, kind: int) -> None:
    with option.reading():
        option.bits(("Copied", 1, str), ("Option Class", 2, str), ("Option Number", 5, str))
        option.number("Length", 1)
        if kind not in _ROUTES:
            option.rest("Data")
            return
        pointer = option.number("Pointer", 1)
        while option.remaining >= 4:
            # RFC 791 3.1: the pointer counts from the option's first byte, which is 1
            is_next = option.at + 1 - option.field.start == pointer
            option.octets("Next Address" if is_next else "Address", 4, address_text)
        option.rest("Data")
