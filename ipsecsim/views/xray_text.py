"""A packet looked through, in plain text: a line a field, and what differs between two forms of one."""

from collections.abc import Iterator, Sequence

from ipsecsim.observe.packets.changes import FieldChange
from ipsecsim.observe.packets.layers import parts
from ipsecsim.observe.packets.meanings import meaning
from ipsecsim.observe.packets.xray import Xray
from ipsecsim.views.columns import columns
from ipsecsim.views.palette import PROTECTION
from ipsecsim.wire.layout import CLEAR, Field

_MARKS = {"clear": "..", "encrypted": "--", "auth": "__", "both": "==", "mutable": "~~"}
_A_ROW = 16


def layers(seen: Xray) -> list[str]:
    """A line a layer: its length, how it is protected, what it says of itself; those inside stand further in."""
    return columns(
        [
            ["  " * part.depth + part.name, f"{part.length} B".rjust(6), _word(part.protection), part.title]
            for part in parts(seen)
        ]
    )


def octets(seen: Xray) -> list[str]:
    """The bytes as they were on the wire, 16 in a row, each underlined by the mark of its class."""
    classes = _classes(seen)
    lines = []
    for start in range(0, len(seen.packet), _A_ROW):
        end = min(start + _A_ROW, len(seen.packet))
        lines.append(f"{start:4}  {seen.packet[start:end].hex(' ')}")
        lines.append(f"      {' '.join(_MARKS[each] for each in classes[start:end])}")
    there = [each for each in PROTECTION if each in classes]
    return [*lines, "      " + ", ".join(f"{_MARKS[each]} {_word(each)}" for each in there)]


def _classes(seen: Xray) -> list[str]:
    """The class of each byte; of one that several fields share that of the first."""
    found = ["" for _ in seen.packet]
    for _, field in seen.root.walk():
        if not field.children:
            for at in range(field.start, field.end):
                found[at] = found[at] or field.protection
    return [each or CLEAR for each in found]


def _word(protection: str) -> str:
    style = PROTECTION.get(protection)
    return "" if style is None else style.word


def fields(seen: Xray, *, explain: bool = False) -> list[str]:
    """Bytes from-to, the name, how it is protected, what it says, and the clause where a layer begins.

    With `explain` what each field is for, with its own clause.
    """
    return columns(list(_rows(seen.root, "", 0, explain=explain)))


def _rows(field: Field, around: str, depth: int, *, explain: bool) -> Iterator[list[str]]:
    words = field.value + (f"   [{field.rfc}]" if field.rfc else "")
    means = meaning(around, field.name)
    if explain and means.sentence:
        words += f"   {means.sentence}   [{means.clause}]"
    yield [_range(field), "  " * depth + field.name, _word(field.protection), words]
    for child in field.children:
        yield from _rows(child, field.name, depth + 1, explain=explain)


def changes(found: Sequence[FieldChange]) -> list[str]:
    """A line a field that is another one now."""
    rows = [[" / ".join(each.path), f"{each.old or 'not there'} > {each.new or 'gone'}"] for each in found]
    return columns(rows) or ["nothing changed"]


def _range(field: Field) -> str:
    if field.bits:
        first, width = field.bits
        return f"{field.start}.{first % 8}+{width}"
    return f"{field.start}-{field.end - 1}" if field.end - field.start > 1 else f"{field.start}"
