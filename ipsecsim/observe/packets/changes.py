"""What differs between two forms of a packet, field by field: before and after a hop, say."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.observe.packets.xray import Xray, xray
from ipsecsim.wire.layout import Field
from ipsecsim.wire.opening import Opener

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is another one now. `path` leads to it by the names of what it is in, outermost first.

    `start` and `end` are its bytes afterwards, before where it is gone; `old` is empty where it is new, and `new`
    where it is gone.
    """

    path: Path
    start: int
    end: int
    old: str
    new: str


def differences(before: bytes, after: bytes, keys: Opener | None = None) -> list[FieldChange]:
    """The fields that changed, in the order in which they stand; of what is sealed, as far as `keys` open it."""
    old, new = (dict(_leaves(xray(packet, keys))) for packet in (before, after))
    found = []
    for path in {**old, **new}:
        was, now = old.get(path), new.get(path)
        shown = now or was
        if shown is not None and (was is None or now is None or was.content != now.content):
            words = ("" if each is None else each.field.value for each in (was, now))
            found.append(FieldChange(path, shown.field.start, shown.field.end, *words))
    return sorted(found, key=lambda change: change.start)


@dataclass(frozen=True, slots=True)
class _Leaf:
    field: Field
    content: tuple[str, bytes]


def _leaves(seen: Xray) -> Iterator[tuple[Path, _Leaf]]:
    yield from _below(seen, seen.root, (seen.root.name,))


def _below(seen: Xray, field: Field, path: Path) -> Iterator[tuple[Path, _Leaf]]:
    if not field.children:
        # bits share their byte with others: there the value alone says what they are
        data = b"" if field.bits else seen.plain[field.start : field.end]
        yield path, _Leaf(field, (field.value, data))
    count: Counter[str] = Counter()
    for child in field.children:
        count[child.name] += 1
        name = child.name if count[child.name] == 1 else f"{child.name} {count[child.name]}"
        yield from _below(seen, child, (*path, name))
