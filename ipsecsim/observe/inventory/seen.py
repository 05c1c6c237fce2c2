"""One section of one node as it was seen last, and what another look finds changed."""

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from ipsecsim.net.node import Node
from ipsecsim.observe.inventory.section import Row, Section, Value

Path = tuple[str, ...]
"""Node, section, and the way inside it: ('east', 'sas', 'in 5e0d77aa', 'window')."""


class Change(NamedTuple):
    """What one turn made of one value. None: it was not there before, or is no more."""

    path: Path
    old: Value | None
    new: Value | None


class _SeenRow:
    """A live thing, held so that no other one can be taken for it, and what was seen of it."""

    __slots__ = ("facts", "handle", "paths", "still", "thing", "values")

    def __init__(self, section: Section, where: Path, thing: Any) -> None:
        self.thing = thing
        self.handle = section.handle(thing)
        self.still = section.still(thing)
        self.facts: dict[Path, Value] = {where + way: value for way, value in section.facts(thing)}
        self.paths = tuple(where + way for way in section.paths(thing))
        self.values = section.moving(thing)

    def all(self) -> dict[Path, Value | None]:
        return {**dict(zip(self.paths, self.values, strict=True)), **self.facts}


class SeenSection:
    """Looks again, at all of it or at the rows with one handle, and adds to a list what is other than before."""

    __slots__ = ("_by_handle", "_node", "_rows", "_section", "_where")

    def __init__(self, section: Section, node: str, name: str) -> None:
        self._section = section
        self._where = (node, name)
        self._rows: dict[Hashable, _SeenRow] = {}
        self._by_handle: dict[Hashable, dict[Hashable, None]] = {}

    def look(self, node: Node, changed: list[Change]) -> None:
        """At all of it."""
        self._compare(dict.fromkeys(self._rows), self._section.rows(node), changed)

    def look_at(self, node: Node, handle: Hashable, changed: list[Change]) -> None:
        """At the rows with this handle; a row that was not known is a reason to look at all of them."""
        known = self._by_handle.get(handle)
        if self._section.find is not None:
            gone = dict(known) if known else {}
            self._compare(gone, self._section.find(node, handle), changed)
        elif known:
            for key in known:
                self._again(self._rows[key], self._rows[key].thing, changed)
        else:
            self.look(node, changed)

    def _compare(self, gone: dict[Hashable, None], rows: Iterable[Row], changed: list[Change]) -> None:
        """`gone` are the rows that are no more, unless they are among `rows`."""
        fresh: dict[Hashable, Any] = {}
        for key, thing in rows:
            seen = self._rows.get(key)
            if seen is None:
                fresh[key] = thing
            else:
                gone.pop(key, None)
                self._again(seen, thing, changed)
        if not gone and not fresh:
            return
        before: dict[Path, Value | None] = {}
        for key in gone:
            before |= self._forget(key).all()
        after: dict[Path, Value | None] = {}
        for key, thing in fresh.items():
            after |= self._add(key, thing).all()
        _tell(before, after, changed)

    def _again(self, seen: _SeenRow, thing: Any, changed: list[Change]) -> None:
        """What has become of a row."""
        section = self._section
        if section.still(thing) != seen.still:
            now = _SeenRow(section, self._where, thing)
            before = seen.all()
            for name in _SeenRow.__slots__:
                if name != "handle":  # by which it is known
                    setattr(seen, name, getattr(now, name))
            _tell(before, seen.all(), changed)
            return
        values = section.moving(thing)
        if values != seen.values:
            changed += [
                Change(path, old, new)
                for path, old, new in zip(seen.paths, seen.values, values, strict=True)
                if old != new
            ]
            seen.values = values

    def _add(self, key: Hashable, thing: Any) -> _SeenRow:
        row = self._rows[key] = _SeenRow(self._section, self._where, thing)
        self._by_handle.setdefault(row.handle, {})[key] = None
        return row

    def _forget(self, key: Hashable) -> _SeenRow:
        row = self._rows.pop(key)
        of_handle = self._by_handle[row.handle]
        del of_handle[key]
        if not of_handle:
            del self._by_handle[row.handle]
        return row


def _tell(before: dict[Path, Value | None], after: dict[Path, Value | None], changed: list[Change]) -> None:
    for path in before | after:
        old, new = before.get(path), after.get(path)
        if old != new:
            changed.append(Change(path, old, new))
