"""What a run keeps of what it is told: all, packets down to their headers, or nothing.

All that is kept later answers questions; what was not kept answers them with how to keep it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import NoReturn

from ipsecsim.base.errors import LocalError
from ipsecsim.base.trace import Tap, Told, TraceEvent
from ipsecsim.observe.inventory import Change, Inventory, Path
from ipsecsim.observe.inventory.inventory import Tree
from ipsecsim.observe.inventory.section import Value
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Event, Recorder

HEADERS = 64
"""Bytes of a packet that are kept: IPv6, UDP, and what ESP, AH or IKE say before anything secret."""

_PACKETS = frozenset(("packet", "inner"))  # fields of events


class Keep(Enum):
    """`ALL`: packets, and the state of nodes. `HEADERS`: all rows, of packets the first 64 bytes, and no state."""

    ALL = "all"
    HEADERS = "headers"
    NONE = "none"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise LocalError(f"record={value!r}: a run keeps all, headers or none")


class NotRecorded(LocalError):
    """Somebody asks a run for what it was told not to keep."""

    def __init__(self, what: str, keep: Keep) -> None:
        super().__init__(
            f'{what} is not known of a run that keeps {_KEPT[keep]}: record it with record="all" (--record all)'
        )


_KEPT = {
    Keep.ALL: "all",
    Keep.HEADERS: f"no more of a packet than {HEADERS} bytes",
    Keep.NONE: "no recording",
}


class NoRecorder(Recorder):
    """Stands where a recorder would be, and says to whoever asks why there is nothing."""

    def __init__(self, keep: Keep) -> None:
        super().__init__()
        self._keep = keep

    @property
    def rows(self) -> list[Record]:
        """Raises NotRecorded."""
        self._refuse()

    @property
    def turns(self) -> int:
        """Raises NotRecorded."""
        self._refuse()

    def turn(self, number: int) -> list[Record]:
        """Raises NotRecorded."""
        self._refuse()

    def all_turns(self) -> Iterator[list[Record]]:
        """Raises NotRecorded."""
        self._refuse()

    def of(self, kind: type[Event]) -> list[tuple[Record, Event]]:
        """Raises NotRecorded."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotRecorded("What became of its packets", self._keep)


def no_lives(keep: Keep) -> Lives:
    """What stands where the lives of packets would be."""
    lives = Lives(Recorder())
    lives.recorder = NoRecorder(keep)
    return lives


class NoInventory(Inventory):
    """Stands where an inventory would be."""

    def __init__(self, keep: Keep) -> None:
        super().__init__()
        self._keep = keep

    @property
    def turns(self) -> int:
        """Raises NotRecorded."""
        self._refuse()

    def changes(self, turn: int) -> tuple[Change, ...]:
        """Raises NotRecorded."""
        self._refuse()

    def at(self, turn: int) -> Mapping[Path, Value]:
        """Raises NotRecorded."""
        self._refuse()

    def tree(self, turn: int, node: str) -> Tree:
        """Raises NotRecorded."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotRecorded("The state at a position", self._keep)


def headers_only(tell: Tap) -> Tap:
    """An observer that tells another one everything, with packets cut after `HEADERS` bytes."""
    cut: dict[type[TraceEvent], tuple[str, ...]] = {}

    def tell_short(told: Told) -> None:
        if isinstance(told, tuple):
            last = told[-1]
            tell((*told[:-1], last[:HEADERS]) if isinstance(last, bytes) else told)
            return
        kind = type(told)
        names = cut.get(kind)
        if names is None:
            names = cut[kind] = tuple(each.name for each in fields(kind) if each.name in _PACKETS)
        tell(replace(told, **{name: getattr(told, name)[:HEADERS] for name in names}) if names else told)

    return tell_short


def joined(*observers: Tap) -> Tap:
    """One observer that tells all of them, in this order."""
    if len(observers) == 1:
        return observers[0]
    first, *others = observers
    if len(others) > 1:
        return joined(first, joined(*others))
    (second,) = others

    def tell(told: Told) -> None:
        first(told)
        second(told)

    return tell
