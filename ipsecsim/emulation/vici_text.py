"""What `swanctl --raw` prints, as nested tables: `name {key=value list=[a b] inner {...}}`.

Values stand without quotes and may hold anything but the characters that end them.
"""

from dataclasses import dataclass

from ipsecsim.base.errors import LocalError

Value = str | list[str] | dict[str, "Value"]
Table = dict[str, Value]


def parse(line: str) -> Table:
    """One line of output. Raises LocalError when its brackets do not fit."""
    cursor = _Cursor(line.strip())
    table = _table(cursor)
    if cursor.rest:
        raise LocalError(f"swanctl printed what we cannot read: {cursor.rest[:60]!r}")
    return table


def events(text: str, name: str) -> list[Table]:
    """The tables that lines such as `list-sa event {...}` bring, in order; other lines are passed over."""
    start = f"{name} event "
    found = []
    for line in text.splitlines():
        if line.startswith(start):
            inner = parse(line[len(start) :].strip().removeprefix("{").removesuffix("}"))
            found.append(inner)
    return found


def inner(table: Table, *path: str) -> Table:
    """The table inside a table, by the names on the way; an empty one when it is not there."""
    for name in path:
        found = table.get(name)
        if not isinstance(found, dict):
            return {}
        table = found
    return table


@dataclass(slots=True)
class _Cursor:
    rest: str

    def take(self, until: str) -> str:
        """Everything before the first of the characters `until`, which stays; all of it when there is none."""
        end = min((at for mark in until if (at := self.rest.find(mark)) >= 0), default=len(self.rest))
        taken, self.rest = self.rest[:end], self.rest[end:]
        return taken

    def skip(self, mark: str) -> bool:
        """Is `mark` next? Then it is passed."""
        self.rest = self.rest.lstrip(" ")
        if not self.rest.startswith(mark):
            return False
        self.rest = self.rest[len(mark) :]
        return True


def _table(cursor: _Cursor) -> Table:
    """Entries up to a closing bracket, which stays, or the end."""
    table: Table = {}
    while cursor.rest.strip() and not cursor.rest.lstrip().startswith("}"):
        cursor.rest = cursor.rest.lstrip()
        name = cursor.take("={ ").strip()
        if cursor.skip("="):
            table[name] = _list(cursor) if cursor.skip("[") else cursor.take(" }")
        elif cursor.skip("{"):
            table[name] = _table(cursor)
            if not cursor.skip("}"):
                raise LocalError(f"swanctl printed a table {name!r} that never ends")
        else:
            raise LocalError(f"swanctl printed {name!r} without a value")
    return table


def _list(cursor: _Cursor) -> list[str]:
    """Members up to the bracket that closes the list; a member may hold brackets: `10.1.0.0/24[icmp]`."""
    depth = 1
    for at, character in enumerate(cursor.rest):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if not depth:
            members, cursor.rest = cursor.rest[:at].split(), cursor.rest[at + 1 :]
            return members
    raise LocalError("swanctl printed a list that never ends")
