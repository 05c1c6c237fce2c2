"""A packet looked through, in plain text: a line a field, and what differs between two forms of one."""

from collections.abc import Iterator, Sequence

from ipsecsim.observe.changes import FieldChange
from ipsecsim.observe.meanings import meaning
from ipsecsim.observe.xray import Xray
from ipsecsim.views.columns import columns
from ipsecsim.views.palette import PROTECTION
from ipsecsim.wire.layout import Field


def fields(seen: Xray, *, explain: bool = False) -> list[str]:
    """Bytes from-to, the name, how it is protected, what it says, and the clause where a layer begins.

    With `explain` what each field is for, with its own clause.
    """
    return columns(list(_rows(seen.root, "", 0, explain=explain)))


def _rows(field: Field, around: str, depth: int, *, explain: bool) -> Iterator[list[str]]:
    style = PROTECTION.get(field.protection)
    words = field.value + (f"   [{field.rfc}]" if field.rfc else "")
    means = meaning(around, field.name)
    if explain and means.sentence:
        words += f"   {means.sentence}   [{means.clause}]"
    yield [_range(field), "  " * depth + field.name, "" if style is None else style.word, words]
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
