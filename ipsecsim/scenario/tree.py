"""A topology file as a tree in which every value is text and knows where it stands.

YAML gives structure only. What a value means (a number, a time, a sentence) is decided by the field
that reads it, so `secret: 0123`, `secret: no` and `id: 22:22` all mean what is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.problems import Mistake


@dataclass(slots=True, eq=False)
class Text:
    """One value as it is written.

    `marks` maps offsets in `value` to offsets in the source line, for a caret under one word: each pair
    holds from there on. Empty: only the beginning of the value is known (folded text, escapes).
    """

    value: str
    place: Place
    marks: tuple[tuple[int, int], ...] = ((0, 0),)
    quoted: bool = False

    def at(self, offset: int) -> Place:
        """The place of one character of the value."""
        shift = None
        for mark, source in self.marks:
            if mark <= offset:
                shift = source + (offset - mark)
        if not shift or not self.place.column:
            return self.place
        return replace(self.place, column=self.place.column + shift)

    def wrong(self, mistake: Mistake) -> ConfigError:
        """The mistake with its place."""
        return ConfigError(mistake.message, self.at(mistake.offset))


@dataclass(slots=True, eq=False)
class Entry:
    """A key and its value."""

    key: Text
    node: "Node"


@dataclass(slots=True, eq=False)
class Map:
    """Names and values, in the file's order. `flow` is True for the one written in { }."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)
    flow: bool = False

    def get(self, key: str) -> "Node | None":
        """The value of `key`, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.node

    def map(self, key: str) -> "Map | None":
        """The value of `key` when it is a mapping."""
        node = self.get(key)
        return node if isinstance(node, Map) else None

    def text(self, key: str) -> Text | None:
        """The value of `key` when it is text."""
        node = self.get(key)
        return node if isinstance(node, Text) else None

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Keys and values."""
        for key, entry in self.entries.items():
            yield key, entry.node

    def maps(self) -> Iterator[tuple[str, "Map"]]:
        """The keys whose values are mappings."""
        for key, entry in self.entries.items():
            if isinstance(entry.node, Map):
                yield key, entry.node

    def put(self, key: str, node: "Node", place: Place | None = None) -> None:
        """Set `key`; a key that is there keeps its position and place."""
        known = self.entries.get(key)
        if known is not None:
            known.node = node
        else:
            self.entries[key] = Entry(Text(key, place or node.place, ()), node)


@dataclass(slots=True, eq=False)
class Seq:
    """A list. `flow` is True for the one written in [ ]."""

    place: Place
    items: list["Node"] = field(default_factory=list)
    flow: bool = False


Node = Text | Map | Seq


def one_or_many(node: Node | None) -> list[Text]:
    """The texts of a list, one text, or nothing."""
    found = node.items if isinstance(node, Seq) else [node]
    return [text for text in found if isinstance(text, Text)]


def copy(node: Node) -> Node:
    """A tree of its own with the same values and places."""
    match node:
        case Text():
            return node  # nobody changes a Text in place
        case Seq():
            return Seq(node.place, [copy(item) for item in node.items], node.flow)
        case Map():
            return copy_map(node)


def copy_map(node: Map) -> Map:
    """A mapping of its own with the same values and places."""
    entries = {key: Entry(entry.key, copy(entry.node)) for key, entry in node.entries.items()}
    return Map(node.place, entries, node.flow)


def overlay(under: Map, over: Map) -> Map:
    """`under` with what `over` says on top: mappings merge, all else replaces. Keeps `under`'s order."""
    merged = copy_map(under)
    for key, entry in over.entries.items():
        below = merged.get(key)
        node = entry.node
        if isinstance(below, Map) and isinstance(node, Map):
            merged.entries[key] = Entry(entry.key, overlay(below, node))
        else:
            merged.entries[key] = Entry(entry.key, copy(node))
    return merged


def plain(value: str, place: Place) -> Text:
    """A value nobody wrote: its place is that of what caused it, and the caret stays at its beginning."""
    return Text(value, place, ())


def build(value: object, place: Place) -> Node:
    """Dicts, lists and text of ours as a tree, all standing at `place`."""
    if isinstance(value, dict):
        made = Map(place)
        for key, item in value.items():
            made.put(key, build(item, place), place)
        return made
    if isinstance(value, list | tuple):
        return Seq(place, [build(item, place) for item in value])
    if isinstance(value, Text | Map | Seq):
        return value
    return plain(str(value), place)
