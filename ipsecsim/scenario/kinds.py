"""The kinds of value a field can take: how each is checked, read, and told to an editor (JSON Schema)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ipsecsim.scenario.not_yet import NOT_COUNTED, NOT_YET
from ipsecsim.scenario.problems import Mistake, Problems, did_you_mean, nearest
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.swanctl.values import items
from ipsecsim.scenario.tree import Entry, Map, Node, Seq, Text

T = TypeVar("T")
Json = dict[str, Any]

NAME = re.compile(r"[a-z][a-z0-9_-]*")
PARAMETER = r"\$[a-z][a-z0-9_]*"
_COLON = "this text has ': ' in it and YAML read it as a key; put it in quotes"


class Kind(Protocol):
    """What a field holds."""

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Note all that is wrong with `node`, which stands at `path`."""
        ...

    def json(self) -> Json:
        """The JSON Schema of it. A `$parameter` is always accepted."""
        ...


def text_of(node: Node, path: str, problems: Problems) -> Text | None:
    """`node` when it is text; else the mistake is noted, with what probably happened."""
    match node:
        case Text():
            if node.value or node.quoted:
                return node
            problems.add(f"{path} has no value", node.place)
        case Map(entries=entries) if len(entries) == 1 and _reads_like_text(next(iter(entries.values()))):
            problems.add(_COLON, next(iter(entries.values())).key.place)
        case Map():
            problems.add(f"{path} takes one value, not a mapping", node.place)
        case Seq():
            problems.add(f"{path} takes one value, not a list", node.place)
    return None


def _reads_like_text(entry: Entry) -> bool:
    return isinstance(entry.node, Text) and (" " in entry.key.value or not entry.key.quoted)


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T]):
    """One value, read by `read`, which raises Mistake. `schema` is its JSON Schema."""

    read: Callable[[str], T]
    schema: Mapping[str, Any]

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """The text must be readable."""
        text = text_of(node, path, problems)
        if text is not None:
            attempt(self.read, text, problems)

    def json(self) -> Json:
        """As given."""
        return dict(self.schema)


def attempt(read: Callable[[str], T], text: Text, problems: Problems) -> T | None:
    """What `read` makes of the text, or None after noting what is wrong with it."""
    try:
        return read(text.value)
    except NotYet as later:
        problems.not_yet(later.message, text.at(later.offset))
    except Mistake as mistake:
        problems.add(mistake.message, text.at(mistake.offset))
    return None


@dataclass(frozen=True, slots=True)
class CommaList(Generic[T]):
    """Text with commas or a YAML list, each member read by `read`.

    Traffic selectors and proposals are counted in one octet (RFC 7296 3.3.1, 3.13), hence `most`.
    """

    read: Callable[[str], T]
    schema: Mapping[str, Any]
    most: int = 255

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Every member must be readable, and there must not be too many."""
        members = node.items if isinstance(node, Seq) else [node]
        found = 0
        for member in members:
            if text_of(member, path, problems) is not None:
                for text in items(member):
                    found += 1
                    attempt(self.read, text, problems)
        if found > self.most:
            problems.add(f"{path} lists {found} values; at most {self.most}", node.place)

    def json(self) -> Json:
        """Text, or a list of text."""
        return {
            "if": {"type": "array"},
            "then": {"type": "array", "items": dict(self.schema)},
            "else": dict(self.schema),
        }

    def values(self, node: Node | None) -> list[T]:
        """The members of a list that has been checked."""
        return [self.read(text.value) for text in items(node)]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A YAML list of one kind. `what` is said when it is none: 'a link is a list of its ends'.

    `least` and `most` are for editors; the reader has better words where it counts.
    """

    kind: Kind
    what: str = ""
    example: str = "[a, b]"
    least: int = 0
    most: int | None = None

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """A list, every member right."""
        if not isinstance(node, Seq):
            what = self.what or f"{path} is a list"
            problems.add(f"{what}; write  {self.example}", node.place)
            return
        for item in node.items:
            self.kind.check(item, path, problems)

    def json(self) -> Json:
        """A list."""
        shape: Json = {"type": "array", "items": self.kind.json(), "minItems": self.least}
        return shape if self.most is None else {**shape, "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """One of a kind, or a list of them."""

    kind: Kind

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Each must be right."""
        for item in node.items if isinstance(node, Seq) else [node]:
            self.kind.check(item, path, problems)

    def json(self) -> Json:
        """One, or a list."""
        one = self.kind.json()
        return {"if": {"type": "array"}, "then": {"type": "array", "items": one}, "else": one}


def name(text: str) -> str:
    """A name of ours. Raises Mistake."""
    if not NAME.fullmatch(text):
        raise Mistake(f"'{text}': a name is small letters, digits, - and _, and begins with a letter")
    return text


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names that people choose, and what each stands for. `hint` says what to write instead of a bare word.

    `by_node`: the names are those of nodes, so that a setting by path may add one.
    """

    kind: Kind
    key: Callable[[str], object] = name
    hint: Callable[[str, Text], str] | None = None
    by_node: bool = False
    example: str = "name: {...}"

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Every name and every value must be right."""
        if not isinstance(node, Map):
            problems.add(f"{path} is a mapping of names; write  {self.example}", node.place)
            return
        for word, entry in node.entries.items():
            attempt(self.key, entry.key, problems)
            if self.hint is not None and isinstance(entry.node, Text):
                place = entry.node.place if entry.node.value else entry.key.place
                problems.add(self.hint(word, entry.node), place)
                continue
            self.kind.check(entry.node, f"{path}.{word}", problems)

    def json(self) -> Json:
        """A mapping with free names."""
        shape: Json = {"type": "object", "additionalProperties": self.kind.json()}
        if self.key is name:
            shape["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
        return shape


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table. `default` is as in a file; None: there is none, or `doc` says what happens."""

    kind: Kind
    doc: str
    default: str | None = None


@dataclass(frozen=True)
class Table:
    """A mapping with known keys. `name` is how NOT_YET calls it; `subject` how messages do ({path}, {last}).

    `families` are keys with a free suffix (`local`, `local-2`); `refused` are keys of other programs, each
    with why it has no meaning here; `elsewhere` are keys people put here that belong elsewhere; `hint` says
    what to write instead of a bare word; `like` names the table whose rows in NOT_YET hold here too.
    """

    name: str
    fields: Mapping[str, Field]
    families: Mapping[str, Field] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    subject: str = "{path}"
    required: tuple[str, ...] = ()
    like: str = ""
    hint: Callable[[Text], str] | None = None

    def field_of(self, key: str) -> tuple[str, Field] | None:
        """The field a key belongs to, with the key's family name; None for an unknown key."""
        known = self.fields.get(key)
        if known is not None:
            return key, known
        for family, member in self.families.items():
            if re.fullmatch(rf"{family}(-[A-Za-z0-9_-]+|\d+[a-z]?)?", key):
                return family, member
        return None

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Keys must be known, values right, and what is required there (unless an unknown key may be it)."""
        if not isinstance(node, Map):
            what = "is empty" if isinstance(node, Text) and not node.value else "is a mapping"
            message = f"{path} {what}; write {path.rpartition('.')[2]}: {{key: value}}"
            if self.hint is not None and isinstance(node, Text):
                message = self.hint(node)
            problems.add(message, node.place)
            return
        unknown = False
        for key, entry in node.entries.items():
            found = self.field_of(key)
            if found is None:
                unknown = True
                problems.add(self.unknown(entry, path, in_braces=node.flow), entry.key.place)
                continue
            family, member = found
            later = NOT_YET.get(f"{self.name}.{family}") or NOT_YET.get(f"{self.like}.{family}")
            if later is not None and not later.runs_with(entry.node):
                place = entry.node.place if isinstance(entry.node, Text) else entry.key.place
                problems.not_yet(later.say(entry.node), place)
            idle = NOT_COUNTED.get(f"{self.name}.{family}") or NOT_COUNTED.get(f"{self.like}.{family}")
            if idle is not None and not idle.runs_with(entry.node):
                problems.remark(idle.say(entry.node), entry.node.place)
            member.kind.check(entry.node, f"{path}.{key}" if path else key, problems)
        if not unknown:
            for key in self.required:
                if node.get(key) is None:
                    problems.add(f"{self._subject(path)} lacks '{key}'", node.place)

    def _subject(self, path: str) -> str:
        return self.subject.format(path=path, last=path.rpartition(".")[2])

    def unknown(self, entry: Entry, path: str, *, in_braces: bool = False) -> str:
        """What to say about a key that is not in the table."""
        key = entry.key.value
        why = self.refused.get(key)
        if why is not None:
            return f"'{key}' has no meaning here: {why}"
        message = f"{self._subject(path)} has no key '{key}'"
        hint = self.elsewhere.get(key)
        if (
            hint is None
            and not path
            and isinstance(entry.node, Map)
            and entry.node.entries.keys() & self.fields
        ):
            hint = "nodes, links and tunnels stand at the left margin here: delete this line and un-indent"
        known = [*self.fields, *self.families]
        empty = isinstance(entry.node, Text) and not entry.node.value and not entry.node.quoted
        if hint is None and empty and in_braces and nearest(key, known) is None:
            hint = "inside { } a comma ends the value: write [a, b] or put it in quotes"
        return message + (f"; {hint}" if hint else did_you_mean(key, known))

    def json(self) -> Json:
        """A closed object."""
        shape: Json = {"type": "object", "additionalProperties": False}
        shape["properties"] = {}
        for key, member in self.fields.items():
            described = {"description": member.doc, **member.kind.json()}
            if member.default is not None:
                described["default"] = member.default
            shape["properties"][key] = described
        if self.families:
            shape["patternProperties"] = {
                rf"^{family}(-[A-Za-z0-9_-]+|\d+[a-z]?)?$": {"description": member.doc, **member.kind.json()}
                for family, member in self.families.items()
            }
        if self.required:
            shape["required"] = list(self.required)
        return shape


@dataclass(frozen=True, slots=True)
class Short:
    """A table that may also be written short: as a word (of a preset) or as a list (of ends)."""

    table: Table
    short: Kind
    is_list: bool

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Whichever way it is written."""
        written_short = isinstance(node, Seq) if self.is_list else isinstance(node, Text)
        (self.short if written_short else self.table).check(node, path, problems)

    def json(self) -> Json:
        """Either way, told apart by its shape."""
        shape = {"type": "array"} if self.is_list else {"type": "string"}
        return {"if": shape, "then": self.short.json(), "else": self.table.json()}


def word(*allowed: str, elsewhere: Mapping[str, str] | None = None) -> Scalar[str]:
    """One of a few words. `elsewhere` holds what others call them, so that the right one can be named."""
    synonyms = elsewhere or {}

    def read(text: str) -> str:
        if text in synonyms:
            raise Mistake(f"'{text}' is called '{synonyms[text]}' here")
        if text not in allowed:
            raise Mistake(f"unknown word '{text}'{did_you_mean(text, allowed)}")
        return text

    return Scalar(read, {"anyOf": [{"enum": list(allowed)}, {"pattern": f"^{PARAMETER}$"}]})
