"""The routing table: the longest prefix wins (RFC 1812 5.2.4.3 in spirit), with a cache of decided destinations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ipsecsim.base.address import Prefix
from ipsecsim.stack.interface import Interface


@dataclass(frozen=True, slots=True)
class Route:
    """Where a prefix lies. `next_hop` None means on the link itself."""

    prefix: Prefix
    next_hop: bytes | None
    interface: str


Learned = Callable[[bytes], Iterable[Route]]
"""What others know of the way to an address."""


class RouteTable:
    """For each IP version one dict a prefix length, tried from the longest; every change empties the cache.

    For one prefix there may be a route by each of several interfaces: the first whose interface is up counts,
    unless a packet comes from the address of another one of them.
    """

    CACHE_LIMIT = 10_000

    def __init__(self, interfaces: Mapping[str, Interface] | None = None) -> None:
        self._interfaces = interfaces or {}
        # by how many bytes an address has, then from the longest prefix to the shortest: routes by network
        self._by_length: dict[int, dict[int, dict[int, list[Route]]]] = {4: {}, 16: {}}
        self._cache: dict[bytes, Route | None] = {}
        self._has_alternatives = False
        self._learned: Learned | None = None

    def add(self, route: Route) -> None:
        """Put a route before the others for the same prefix, and in place of the one by the same interface."""
        prefix = route.prefix
        lengths = self._by_length[len(prefix.network)]
        same = lengths.setdefault(prefix.length, {}).setdefault(int.from_bytes(prefix.network, "big"), [])
        same[:] = [route, *(each for each in same if each.interface != route.interface)]
        self._by_length[len(prefix.network)] = dict(sorted(lengths.items(), reverse=True))
        self._has_alternatives |= len(same) > 1
        self._cache.clear()

    def learn_from(self, learned: Learned) -> None:
        """From now on ask somebody, once for each destination, whether there is a longer prefix than those here."""
        self._learned = learned
        self._cache.clear()

    def prefer(self, interface: str) -> None:
        """From now on routes by this interface stand before others for the same prefix."""
        for lengths in self._by_length.values():
            for by_network in lengths.values():
                for same in by_network.values():
                    same.sort(key=lambda each: each.interface != interface)
        self._cache.clear()

    def next_hop_moved(self, old: bytes, new: bytes) -> None:
        """Who was a next hop has another address."""
        for route in [each for each in self.all() if each.next_hop == old]:
            self.add(replace(route, next_hop=new))
        self._cache.clear()  # what was learned may speak of it too

    def interfaces_changed(self) -> None:
        """An interface went up or down."""
        self._cache.clear()

    def lookup(self, destination: bytes) -> Route | None:
        """The best route, or None when there is none."""
        try:
            return self._cache[destination]
        except KeyError:
            return self._decide(destination)

    def lookup_from(self, source: bytes, destination: bytes) -> Route | None:
        """The best route for a packet of this node: by the interface that has its source, if there is one."""
        if self._has_alternatives:
            for route in self._usable(destination):
                interface = self._interfaces.get(route.interface)
                if interface is not None and any(each.packed == source for each in interface.addresses):
                    return route
        return self.lookup(destination)

    def all(self) -> list[Route]:
        """Every route, IPv4 before IPv6, the most specific first."""
        return [
            route
            for lengths in self._by_length.values()
            for routes in lengths.values()
            for same in routes.values()
            for route in same
        ]

    def _decide(self, destination: bytes) -> Route | None:
        found = next(iter(self._usable(destination)), None)
        if len(self._cache) >= self.CACHE_LIMIT:
            self._cache.clear()
        self._cache[destination] = found
        return found

    def _usable(self, destination: bytes) -> list[Route]:
        """The routes for the longest prefix that has one by an interface that is up."""
        known = self._known(destination)
        if self._learned is None:
            return known
        shortest = known[0].prefix.length + 1 if known else 0
        learned = [
            each
            for each in self._learned(destination)
            if each.prefix.length >= shortest and self._is_up(each.interface)
        ]
        return [max(learned, key=lambda each: each.prefix.length)] if learned else known

    def _known(self, destination: bytes) -> list[Route]:
        bits = 8 * len(destination)
        number = int.from_bytes(destination, "big")
        for length, routes in self._by_length[len(destination)].items():
            host_bits = bits - length
            same = routes.get(number >> host_bits << host_bits, ())
            usable = [each for each in same if self._is_up(each.interface)]
            if usable:
                return usable
        return []

    def _is_up(self, interface: str) -> bool:
        known = self._interfaces.get(interface)
        return known is None or known.up
