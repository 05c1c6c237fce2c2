"""A section of what a node knows: its rows, how one is looked at, and how the one is found that an event names."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.net.node import Node

Value = str | int | bool
Entry = tuple[tuple[str, ...], Value]
"""Where a value stands in its section, and the value."""

Row = tuple[Hashable, Any]
"""What a live thing is known by as long as it lives, and the thing."""


def _nothing(_: Any) -> tuple[Value | None, ...]:
    return ()


def _anew(_: Any) -> object:
    return object()


def _no_handle(_: Any) -> Hashable:
    return None


@dataclass(frozen=True, slots=True)
class Section:
    """Most of a row stays as it is while packets pass; so what moves is asked for apart.

    `facts` are looked at again only where `still` gives something else than before. `moving` gives the values of
    `counters`, None where there is none, which stand in the row called `name`. An event names a row by its
    `handle`; `find` asks the node for the rows of a handle, where that is quicker than going through all of them.
    """

    rows: Callable[[Node], Iterable[Row]]
    facts: Callable[[Any], Iterator[Entry]]
    still: Callable[[Any], object] = _anew
    counters: tuple[str, ...] = ()
    moving: Callable[[Any], tuple[Value | None, ...]] = _nothing
    name: Callable[[Any], str] = str
    handle: Callable[[Any], Hashable] = _no_handle
    find: Callable[[Node, Hashable], Iterable[Row]] | None = None

    def paths(self, thing: Any) -> tuple[tuple[str, ...], ...]:
        """Where the values that move stand."""
        return tuple((self.name(thing), counter) for counter in self.counters) if self.counters else ()

    def entries(self, thing: Any) -> Iterator[Entry]:
        """All of a row."""
        for path, value in zip(self.paths(thing), self.moving(thing), strict=True):
            if value is not None:
                yield path, value
        yield from self.facts(thing)


def each(things: Iterable[Any]) -> Iterator[Row]:
    """Rows that are known by being the same object."""
    for thing in things:
        yield id(thing), thing


def as_one(node: Node) -> Iterator[Row]:
    """A section that is small, and looked at as a whole."""
    yield None, node


def end(endpoint: tuple[bytes, int]) -> str:
    """'192.0.2.1:500', '[2001:db8::1]:500', or the address alone where there is no port."""
    address, port = endpoint
    if not port:
        return unpack(address)
    return f"{unpack(address)}:{port}" if len(address) == 4 else f"[{unpack(address)}]:{port}"
