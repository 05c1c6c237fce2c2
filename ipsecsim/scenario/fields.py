"""One value out of a checked tree: as written, or the default of its table."""

from typing import Any, TypeVar

from ipsecsim.scenario.kinds import Scalar, Table
from ipsecsim.scenario.tree import Map

T = TypeVar("T")

_WORD = Scalar(str, {})


def value(kind: Scalar[T], node: Map, table: Table, key: str) -> T:
    """A field that has a default, or is there."""
    text = node.text(key)
    return kind.read((table.fields[key].default or "") if text is None else text.value)


def optional(kind: Scalar[T], node: Map, key: str) -> T | None:
    """A field that may be absent."""
    text = node.text(key)
    return None if text is None else kind.read(text.value)


def word_of(node: Map, table: Table, key: str) -> Any:
    """A word whose choice the schema has checked: its type is one of the model's Literals."""
    return value(_WORD, node, table, key)
