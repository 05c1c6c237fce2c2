"""The routing table: the longest prefix wins (RFC 1812 5.2.4.3 in spirit), with a cache of decided destinations."""

from dataclasses import dataclass

from ipsecsim.base.address import Prefix


@dataclass(frozen=True, slots=True)
class Route:
    """Where a prefix lies. `next_hop` None means on the link itself."""

    prefix: Prefix
    next_hop: bytes | None
    interface: str


class RouteTable:
    """One dict a prefix length, tried from the longest; every change empties the cache."""

    CACHE_LIMIT = 10_000

    def __init__(self) -> None:
        self._by_length: dict[int, dict[int, Route]] = {}
        self._lengths: list[int] = []
        self._cache: dict[bytes, Route | None] = {}

    def add(self, route: Route) -> None:
        """Put a route in place of the one for the same prefix."""
        length = route.prefix.length
        network = int.from_bytes(route.prefix.network, "big")
        self._by_length.setdefault(length, {})[network] = route
        self._lengths = sorted(self._by_length, reverse=True)
        self._cache.clear()

    def lookup(self, destination: bytes) -> Route | None:
        """The best route, or None when there is none."""
        try:
            return self._cache[destination]
        except KeyError:
            return self._decide(destination)

    def all(self) -> list[Route]:
        """Every route, the most specific first."""
        return [route for length in self._lengths for route in self._by_length[length].values()]

    def _decide(self, destination: bytes) -> Route | None:
        bits = 8 * len(destination)
        number = int.from_bytes(destination, "big")
        found = None
        for length in self._lengths:
            host_bits = bits - length
            found = self._by_length[length].get(number >> host_bits << host_bits)
            if found is not None:
                break
        if len(self._cache) >= self.CACHE_LIMIT:
            self._cache.clear()
        self._cache[destination] = found
        return found
