"""The addresses of a node, and which of them a packet to somebody comes from (RFC 1122 3.3.4.3)."""

from collections.abc import Mapping, Sequence

from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import RouteTable

Ranges = Sequence[tuple[bytes, bytes]]
"""First and last address of each."""


class OwnAddresses:
    """Those of the interfaces, and virtual ones, which lie on no link: the other end of a tunnel gave them.

    `all` is always up to date.
    """

    def __init__(self, interfaces: Mapping[str, Interface], routes: RouteTable) -> None:
        self._interfaces = interfaces
        self._routes = routes
        self._on_links = frozenset(each.packed for own in interfaces.values() for each in own.addresses)
        self._virtual: dict[bytes, list[Ranges]] = {}  # one entry for each that gave it
        self.all: set[bytes] = set(self._on_links)

    def interfaces_changed(self) -> None:
        """An interface has another address."""
        self._on_links = frozenset(each.packed for own in self._interfaces.values() for each in own.addresses)
        self.all.clear()
        self.all.update(self._on_links, self._virtual)

    def use(self, address: bytes, destinations: Ranges) -> None:
        """Take a virtual address; packets to `destinations` come from it."""
        self._virtual.setdefault(address, []).append(destinations)
        self.all.add(address)

    def release(self, address: bytes) -> bool:
        """Undo the oldest `use`; True when the address is gone with it."""
        uses = self._virtual.get(address)
        if uses is None:
            return False
        del uses[0]
        if uses:
            return False
        del self._virtual[address]
        self.all &= self._on_links | self._virtual.keys()
        return address not in self.all

    def towards(self, destination: bytes) -> bytes:
        """The source of a packet to `destination`; the destination itself when there is no route."""
        for address, uses in self._virtual.items():
            for ranges in uses:
                if any(
                    first <= destination <= last for first, last in ranges if len(first) == len(destination)
                ):
                    return address
        route = self._routes.lookup(destination)
        if route is None:
            return destination
        leaving = self._interfaces[route.interface]
        if len(leaving.address) == len(destination):
            return leaving.address
        for interface in (leaving, *self._interfaces.values()):
            own = interface.address_like(destination)
            if own is not None:
                return own
        return destination
