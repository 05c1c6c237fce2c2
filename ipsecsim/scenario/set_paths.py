"""Settings by path, `nodes.east.ipsec.secrets.ike-net.secret: tpyo`: in `set:`, `matrix:` and from outside.

A setting changes what exists. It may add a key that the schema knows, never a named thing.
"""

import re
from dataclasses import dataclass

from ipsecsim.base.errors import Place
from ipsecsim.scenario.kinds import Kind, MapOf, OneOrMany, Scalar, Short, Table
from ipsecsim.scenario.problems import Mistake, Problems, did_you_mean
from ipsecsim.scenario.schema import TOP
from ipsecsim.scenario.sentence import Word
from ipsecsim.scenario.short_forms import lengthened
from ipsecsim.scenario.tree import Entry, Map, Node, Text


@dataclass(frozen=True, slots=True)
class Setting:
    """A path, its new value, and where that was asked for."""

    path: str
    node: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a path leads nowhere. `wait`: the thing may yet come, when counts or tunnels are expanded."""

    message: str
    wait: bool = False


def apply(
    root: Map, settings: list[Setting], problems: Problems, *, last: bool, check: bool
) -> list[Setting]:
    """Make the settings, in order; those that must wait for an expansion are given back.

    At the `last` time nothing waits. With `check` each value is checked now; else the whole tree is, later.
    """
    waiting: list[Setting] = []
    for setting in settings:
        failure = put(root, setting, problems if check else None)
        if failure is None:
            continue
        if failure.wait and not last:
            waiting.append(setting)
        else:
            problems.add(failure.message, setting.place)
    return waiting


def put(root: Map, setting: Setting, problems: Problems | None) -> Failure | None:
    """Make one setting; with `problems` its value is checked. None when it was made."""
    path = setting.path
    if path.partition(".")[0] == "params":
        return Failure(
            "parameters have their values before anything is set; write  --param nat=hotel, or params:"
        )
    found = _holder(root, path, setting.place, make=True)
    if isinstance(found, Failure):
        return found
    holder, kind = found
    key = path.rpartition(".")[2]
    node = lengthened(path, setting.node)
    if problems is not None:
        kind.check(node, path, problems)
    known = holder.entries.get(key)
    if known is None:
        holder.entries[key] = Entry(Text(key, setting.place, ()), node)
    else:
        known.node = node
    return None


def leads_somewhere(root: Map, path: str, place: Place) -> Failure | None:
    """None when the path could be set."""
    found = _holder(root, path, place, make=False)
    return found if isinstance(found, Failure) else None


class TreePaths:
    """What may be set while the run goes on, in a tree whose counts are worked out."""

    def __init__(self, root: Map) -> None:
        self._root = root

    def read(self, path: Word, value: Word) -> object:
        """The value, as the field reads it to which the path leads. Raises Mistake, with an offset."""
        found = _holder(self._root, path.text, Place(""), make=False)
        if isinstance(found, Failure):
            raise Mistake(found.message, path.offset)
        _, kind = found
        if isinstance(kind, OneOrMany):
            kind = kind.kind
        if not isinstance(kind, Scalar):
            raise Mistake(f"'{path.text}' holds more than one value; set what is below it", path.offset)
        try:
            return kind.read(value.text)
        except Mistake as mistake:
            raise Mistake(mistake.message, value.offset + mistake.offset) from mistake


def _holder(root: Map, path: str, place: Place, *, make: bool) -> tuple[Map, Kind] | Failure:
    """The mapping that holds the last key of a path, and the kind of that key's value."""
    holder, kind = root, _table(TOP)
    parts = path.split(".")
    for position, part in enumerate(parts):
        walked = ".".join(parts[: position + 1])
        step = _step(holder, kind, part, walked, path)
        if isinstance(step, Failure):
            return step
        kind = step
        if position == len(parts) - 1:
            break
        below = holder.get(part)
        if below is None or (isinstance(below, Text) and not below.value):
            below = Map(place)
            if make:
                holder.entries[part] = Entry(Text(part, place, ()), below)
        if not isinstance(below, Map):
            return Failure(f"'{path}': {walked} is no mapping, so there is nothing to set in it")
        holder = below
    return holder, kind


def _step(holder: Map, kind: Kind, part: str, walked: str, path: str) -> Kind | Failure:
    above = walked.rpartition(".")[0]
    match kind:
        case MapOf():
            if part not in holder.entries and not kind.by_node:
                wait = bool(re.match(r"nodes\.[^.]+\.ipsec\.", path)) or _numbered(holder, part)
                return Failure(f"'{path}': there is no {walked}{did_you_mean(part, holder.entries)}", wait)
            return _table(kind.kind)
        case Table():
            found = kind.field_of(part)
            if found is None:
                entry = Entry(Text(part, holder.place, ()), Text("x", holder.place, ()))
                return Failure(f"'{path}': {kind.unknown(entry, above)}")
            return _table(found[1].kind)
        case _:
            return Failure(f"'{path}': there is nothing below {above}")


def _numbered(holder: Map, part: str) -> bool:
    match = re.fullmatch(r"(.+?)\d+(-\d+)?", part)
    return match is not None and match[1] in holder.entries


def _table(kind: Kind) -> Kind:
    return kind.table if isinstance(kind, Short) else kind
