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
    """For each IP version one dict a prefix length, tried from the longest; every change empties the cache."""

    CACHE_LIMIT = 10_000

    def __init__(self) -> None:
        # by how many bytes an address has, then from the longest prefix to the shortest: routes by network
        self._by_length: dict[int, dict[int, dict[int, Route]]] = {4: {}, 16: {}}
        self._cache: dict[bytes, Route | None] = {}

    def add(self, route: Route) -> None:
        """Put a route in place of the one for the same prefix."""
        prefix = route.prefix
        lengths = self._by_length[len(prefix.network)]
        lengths.setdefault(prefix.length, {})[int.from_bytes(prefix.network, "big")] = route
        self._by_length[len(prefix.network)] = dict(sorted(lengths.items(), reverse=True))
        self._cache.clear()

    def lookup(self, destination: bytes) -> Route | None:
        """The best route, or None when there is none."""
        try:
            return self._cache[destination]
        except KeyError:
            return self._decide(destination)

    def all(self) -> list[Route]:
        """Every route, IPv4 before IPv6, the most specific first."""
        return [
            route
            for lengths in self._by_length.values()
            for routes in lengths.values()
            for route in routes.values()
        ]

    def _decide(self, destination: bytes) -> Route | None:
        bits = 8 * len(destination)
        number = int.from_bytes(destination, "big")
        found = None
        for length, routes in self._by_length[len(destination)].items():
            host_bits = bits - length
            found = routes.get(number >> host_bits << host_bits)
            if found is not None:
                break
        if len(self._cache) >= self.CACHE_LIMIT:
            self._cache.clear()
        self._cache[destination] = found
        return found
