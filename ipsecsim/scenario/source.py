"""YAML text into a tree of located text: no tags, aliases or duplicate keys, and nothing without a bound."""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Entry, Map, Node, Seq, Text
from ipsecsim.scenario.yaml_errors import explain, locate

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 100_000
LONGEST_LINE = 400
"""Characters of a line that errors still show."""

_NO_ALIASES = "YAML aliases are not used here; say it once under 'defaults:' or 'groups:'"


def load_file(path: Path, problems: Problems, shown: str = "") -> Map:
    """The tree of a file, which errors call `shown`. Raises ConfigError when it is no YAML of our kind."""
    name = shown or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", Place(name)) from error
    if len(data) > MAX_BYTES:
        raise ConfigError("is larger than 1 MiB; a topology is written by hand", Place(name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("this line is no UTF-8 text; save the file as UTF-8", Place(name, line)) from error
    return load_text(text, name, problems)


def load_text(text: str, name: str, problems: Problems) -> Map:
    """The tree of YAML text, which errors call `name`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError("is larger than 1 MiB; a topology is written by hand", Place(name))
    root = _Builder(text, name, problems).build()
    if not isinstance(root, Map):
        raise ConfigError("a topology begins with  name: some_name", root.place)
    return root


def load_value(text: str, place: Place) -> Node:
    """The value of a setting given outside a file: text, or a list or mapping in [ ] or { }."""
    if (text[:1], text[-1:]) not in (("[", "]"), ("{", "}")):
        return Text(text, place, ())
    builder = _Builder(text, place.file, Problems())
    builder.only_place = place
    return builder.build()


class _Builder:
    """Turns the parser's events into a tree, counting depth and nodes as they come."""

    def __init__(self, text: str, name: str, problems: Problems) -> None:
        self.text = text
        self.lines = text.splitlines()
        self.name = name
        self.problems = problems
        self.only_place: Place | None = None
        self.nodes = 0

    def build(self) -> Node:
        """The root of the one document. Raises ConfigError."""
        yaml = YAML(typ="rt", pure=True)
        try:
            return self._document(yaml.parse(self.text))
        except MarkedYAMLError as error:
            message, line, column = explain(error, self.lines)
            raise ConfigError(message, self._at(line, column)) from error
        except YAMLError as error:
            message, line = locate(error, self.text)
            raise ConfigError(message, self._at(line, 0)) from error

    def _document(self, events: "object") -> Node:
        root: Node | None = None
        open_nodes: list[Map | Seq] = []
        keys: list[Text | None] = []  # for each open mapping: the key whose value comes next
        for event in events:  # type: ignore[attr-defined]  # ruamel.yaml leaves its iterator untyped
            if isinstance(event, DocumentStartEvent):
                self._check_document(event, root)
                continue
            if isinstance(event, MappingEndEvent | SequenceEndEvent):
                open_nodes.pop()
                keys.pop()
                continue
            if not isinstance(event, NodeEvent):
                continue
            node = self._node(event, len(open_nodes))
            if not open_nodes:
                root = node
            else:
                keys[-1] = self._attach(open_nodes[-1], keys[-1], node)
            if isinstance(node, Map | Seq):
                open_nodes.append(node)
                keys.append(None)
        if root is None:
            raise ConfigError("the file is empty; a topology begins with  name: some_name", Place(self.name))
        return root

    def _check_document(self, event: DocumentStartEvent, root: Node | None) -> None:
        place = self._mark(event.start_mark)
        if root is not None:
            raise ConfigError("one file holds one topology; remove all from this '---' on", place)
        if event.version or event.tags:
            raise ConfigError("directives such as %YAML and %TAG are not used here; remove them", place)

    def _node(self, event: NodeEvent, depth: int) -> Node:
        place = self._mark(event.start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ConfigError(f"more than {MAX_NODES} values; use count: for many of a kind", place)
        if depth >= MAX_DEPTH:
            raise ConfigError(f"nested deeper than {MAX_DEPTH} levels", place)
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise ConfigError(_NO_ALIASES, place)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise ConfigError(f"YAML tags such as {tag} are not used here; remove it", place)
        if isinstance(event, MappingStartEvent):
            return Map(place, flow=bool(event.flow_style))
        if isinstance(event, SequenceStartEvent):
            return Seq(place, flow=bool(event.flow_style))
        assert isinstance(event, ScalarEvent)  # noqa: S101  # no other node event exists
        return self._scalar(event, place)

    def _scalar(self, event: ScalarEvent, place: Place) -> Text:
        # ruamel.yaml marks where folded text was folded, so that it could write it so again.
        value: str = event.value.replace("\a", "") if event.style == ">" else event.value
        start, end = event.start_mark, event.end_mark
        if self.only_place is not None or start.line != end.line:
            return Text(value, place, (), bool(event.style))
        raw = self.lines[start.line][start.column : end.column] if start.line < len(self.lines) else ""
        if raw == value:
            return Text(value, place)
        if raw[1:-1] == value:
            return Text(value, place, ((0, 1),), quoted=True)
        return Text(value, place, (), bool(event.style))

    def _attach(self, parent: Map | Seq, key: Text | None, node: Node) -> Text | None:
        """Hang `node` under `parent`; for a mapping, the key that now waits for its value."""
        if isinstance(parent, Seq):
            parent.items.append(node)
            return None
        if key is not None:
            if isinstance(node, Text) and not node.value and not node.quoted:
                node.place = key.place  # YAML has an absent value stand where the next line begins
            parent.entries[key.value] = Entry(key, node)
            self._look_for_comment(key, node)
            return None
        if not isinstance(node, Text):
            raise ConfigError("a key is one word; put quotes around text that is meant", node.place)
        if node.value == "<<":
            raise ConfigError(_NO_ALIASES, node.place)
        if node.value == "":
            raise ConfigError("a key is missing before this ':'", node.place)
        known = parent.entries.get(node.value)
        if known is not None:
            line = known.key.place.line
            first = f" (first in line {line})" if line else ""
            raise ConfigError(f"'{node.value}' stands here twice{first}; keep one", node.place)
        return node

    def _look_for_comment(self, key: Text, node: Node) -> None:
        """`secret: tpyo #1` is silently cut by YAML: say so."""
        if key.value.rpartition(".")[2] != "secret" or not isinstance(node, Text) or node.quoted:
            return
        place = node.place
        after = place.source[place.column - 1 + len(node.value) :]
        if node.marks and after.lstrip().startswith("#"):
            end = Place(place.file, place.line, place.column + len(node.value), place.source)
            comment = after.strip()
            self.problems.remark(
                f"the secret ends at '{node.value}'; if '{comment}' belongs to it, put it in quotes", end
            )

    def _mark(self, mark: StringMark) -> Place:
        return self._at(mark.line + 1, mark.column + 1)

    def _at(self, line: int, column: int) -> Place:
        if self.only_place is not None:
            return self.only_place
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Place(self.name, line, column, source if len(source) <= LONGEST_LINE else "")
