"""Parameters: `params: {nat: none}` fills in `$nat`, wherever it stands as a whole word."""

import re
from collections.abc import Mapping

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.problems import Problems, did_you_mean, nearest
from ipsecsim.scenario.tree import Map, Node, Seq, Text

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
    for key, entry in root.entries.items():
        if key == "params":
            continue
        entry.node = _filled(entry.node, values, problems)
    return {name: text.value for name, text in values.items()}


def fill(node: Node, values: Mapping[str, str], problems: Problems) -> Node:
    """A value given outside the file, with its parameters filled in."""
    return _filled(node, {name: Text(value, node.place, ()) for name, value in values.items()}, problems)


def _filled(node: Node, values: Mapping[str, Text], problems: Problems) -> Node:
    match node:
        case Text():
            return _fill_text(node, values, problems) if "$" in node.value else node
        case Seq():
            node.items = [_filled(item, values, problems) for item in node.items]
        case Map():
            for entry in node.entries.values():
                entry.node = _filled(entry.node, values, problems)
    return node


def _fill_text(text: Text, values: Mapping[str, Text], problems: Problems) -> Text:
    """The text with each `$word` replaced. Marks keep carets under what was written."""
    out = ""
    marks: list[tuple[int, int]] = []
    position = 0
    for use in _USE.finditer(text.value):
        out, position = _keep(text, position, use.start(), out, marks)
        dollars, name = use[1], use[2]
        marks.append((len(out), _source(text, use.start())))
        if dollars == "$$":
            out += f"${name}"
        elif name in values:
            out += values[name].value
        else:
            out += use[0]
            problems.add(_unknown(name, values), text.at(use.start()))
        position = use.end()
    out, _ = _keep(text, position, len(text.value), out, marks)
    return Text(out, text.place, tuple(marks) if text.marks else (), text.quoted)


def _keep(text: Text, start: int, end: int, out: str, marks: list[tuple[int, int]]) -> tuple[str, int]:
    if end > start:
        marks.append((len(out), _source(text, start)))
    return out + text.value[start:end], end


def _source(text: Text, offset: int) -> int:
    return text.at(offset).column - text.place.column


def _unknown(name: str, values: Mapping[str, Text]) -> str:
    best = nearest(name, values)
    if best is not None:
        return f"'${name}' is not in params; did you mean '${best}'?"
    return f"'${name}' is not in params; add  params: {{{name}: ...}}, or write $${name} for the text itself"


def escape(text: str) -> str:
    """`text` written so that nothing in it is taken for a parameter."""
    return _USE.sub(lambda use: f"${use[0]}" if use[1] == "$" else use[0], text)
