"""Parameters: `params: {nat: none}` fills in `$nat`, wherever it stands as a whole word."""

import re
from collections.abc import Mapping

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.problems import Problems, did_you_mean, nearest
from ipsecsim.scenario.tree import Map, Node, Seq, Text

MOST = 4 << 20
"""Characters that parameters may add up to."""

# A word begins at the start, after a blank, after an operator or after '|', and ends likewise.
_USE = re.compile(r"(?:(?<=[\s=<>|])|^)(\$\$?)([a-z][a-z0-9_]*)(?=[\s|,]|$)")


def apply(root: Map, overrides: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """Fill in every parameter of the tree, in place; the values used.

    `overrides` come from outside the file, and must name parameters that are there.
    """
    values: dict[str, Text] = {}
    declared = root.map("params")
    for name, entry in [] if declared is None else declared.entries.items():
        if isinstance(entry.node, Text):
            values[name] = entry.node
    for name, value in overrides.items():
        place = Place(f"{name}={value!r}")
        if name not in values:
            hint = did_you_mean(name, values) or "; the topology has no params"
            raise ConfigError(f"there is no parameter '{name}'{hint}", place)
        values[name] = Text(value, place, ())
    filler = _Filler(values, problems)
    for key, entry in root.entries.items():
        if key != "params":
            entry.node = filler.fill(entry.node)
    return {name: text.value for name, text in values.items()}


def fill(node: Node, values: Mapping[str, str], problems: Problems) -> Node:
    """A value given outside the file, with its parameters filled in."""
    return _Filler({name: Text(value, node.place, ()) for name, value in values.items()}, problems).fill(node)


class _Filler:
    """Fills in parameters, and keeps count of how much they make the text grow."""

    def __init__(self, values: Mapping[str, Text], problems: Problems) -> None:
        self.values = values
        self.problems = problems
        self.made = 0

    def fill(self, node: Node) -> Node:
        """The node with every `$word` replaced; lists and mappings in place."""
        match node:
            case Text():
                return self._text(node) if "$" in node.value else node
            case Seq():
                node.items = [self.fill(item) for item in node.items]
            case Map():
                for entry in node.entries.values():
                    entry.node = self.fill(entry.node)
        return node

    def _text(self, text: Text) -> Text:
        """The text with each `$word` replaced. Marks keep carets under what was written."""
        parts: list[str] = []
        marks: list[tuple[int, int]] = []
        length = position = 0
        for use in _USE.finditer(text.value):
            dollars, name = use[1], use[2]
            meant = f"${name}" if dollars == "$$" else use[0]
            if dollars == "$" and name in self.values:
                meant = self.values[name].value
            elif dollars == "$":
                self.problems.add(_unknown(name, self.values), text.at(use.start()))
            for part, source in ((text.value[position : use.start()], position), (meant, use.start())):
                marks.append((length, text.at(source).column - text.place.column))
                parts.append(part)
                length += len(part)
            position = use.end()
            if self.made + length > MOST:
                raise ConfigError(f"parameters make the text longer than {MOST} characters", text.place)
        self.made += length
        marks.append((length, text.at(position).column - text.place.column))
        parts.append(text.value[position:])
        return Text("".join(parts), text.place, tuple(marks) if text.marks else (), text.quoted)


def _unknown(name: str, values: Mapping[str, Text]) -> str:
    best = nearest(name, values)
    if best is not None:
        return f"'${name}' is not in params; did you mean '${best}'?"
    return f"'${name}' is not in params; add  params: {{{name}: ...}}, or write $${name} for the text itself"


def escape(text: str) -> str:
    """`text` written so that nothing in it is taken for a parameter."""
    return _USE.sub(lambda use: f"${use[0]}" if use[1] == "$" else use[0], text)
