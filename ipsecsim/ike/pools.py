"""Addresses that a gateway lends to peers from elsewhere, and who has which (RFC 7296 2.19)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecsim.base.address import Prefix
from ipsecsim.ike.identity import Identity

MOST_REMEMBERED = 1000
"""Addresses given back of which a pool still knows whose they were."""

_INTERFACE = (1 << 64) - 1  # the bits of an IPv6 interface identifier (RFC 4291 2.5.1)


@dataclass(frozen=True, slots=True)
class Pool:
    """A range of addresses to lend. `attributes`, types and values of a Configuration payload, go with each."""

    name: str
    first: bytes
    last: bytes
    attributes: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def of(cls, name: str, network: Prefix, attributes: tuple[tuple[int, bytes], ...] = ()) -> "Pool":
        """The hosts of a network: where there are more than two addresses, not its first and its last one."""
        first, last = (int.from_bytes(each, "big") for each in (network.first, network.last))
        if last - first > 1:
            first, last = first + 1, last - 1
        size = len(network.network)
        return cls(name, first.to_bytes(size, "big"), last.to_bytes(size, "big"), attributes)

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return int.from_bytes(self.last, "big") - int.from_bytes(self.first, "big") + 1

    def __contains__(self, address: bytes) -> bool:
        return len(address) == len(self.first) and self.first <= address <= self.last

    def at(self, number: int) -> bytes:
        """An address by its number, from 0."""
        return (int.from_bytes(self.first, "big") + number).to_bytes(len(self.first), "big")


@dataclass(slots=True)
class _Lease:
    """Who has an address, and in how many IKE SAs: a peer that authenticates anew has two for a moment."""

    holder: Identity
    times: int = 1


@dataclass(slots=True)
class _Book:
    """Of one pool: what is lent, what was lent to whom (the oldest first), and where to look for a fresh one."""

    lent: dict[bytes, _Lease] = field(default_factory=dict)
    remembered: dict[bytes, Identity] = field(default_factory=dict)
    cursor: int = 0


class Leases:
    """Which peer has which address of which pool. Two peers never have the same."""

    def __init__(self) -> None:
        self._books: dict[str, _Book] = {}

    def lend(self, pool: Pool, holder: Identity, wish: bytes | None = None) -> bytes | None:
        """An address for an authenticated peer; None when the pool has none left.

        Its wish comes first where nobody else has that address or had it last; then what the peer had before; then
        one that nobody had yet; then the one that was given back the longest ago.
        """
        book = self._books.setdefault(pool.name, _Book())
        for wished in _wished(pool, wish):
            lease = book.lent.get(wished)
            if lease is not None and lease.holder == holder:
                lease.times += 1
                return wished
            if lease is None and book.remembered.get(wished, holder) == holder:
                return _lend(book, wished, holder)
        former = next((each for each, whose in book.remembered.items() if whose == holder), None)
        address = former or _fresh(pool, book) or next(iter(book.remembered), None)
        return None if address is None else _lend(book, address, holder)

    def give_back(self, pool: Pool, address: bytes) -> bool:
        """An IKE SA that had an address is gone; True when it was the last one that did."""
        book = self._books[pool.name]
        lease = book.lent[address]
        lease.times -= 1
        if lease.times:
            return False
        del book.lent[address]
        book.remembered[address] = lease.holder
        if len(book.remembered) > MOST_REMEMBERED:
            del book.remembered[next(iter(book.remembered))]
        return True

    def lent(self, pool: Pool) -> dict[bytes, Identity]:
        """Who has which address of a pool now."""
        book = self._books.get(pool.name, _Book())
        return {address: lease.holder for address, lease in book.lent.items()}


def _wished(pool: Pool, wish: bytes | None) -> Iterator[bytes]:
    """The address that is wished for, or one that ends in the same interface identifier (RFC 7296 3.15.3)."""
    if wish is None:
        return
    if wish in pool:
        yield wish
    elif len(wish) == len(pool.first) == 16:
        prefix = int.from_bytes(pool.first, "big") & ~_INTERFACE
        alike = (prefix | int.from_bytes(wish, "big") & _INTERFACE).to_bytes(16, "big")
        if alike in pool:
            yield alike


def _lend(book: _Book, address: bytes, holder: Identity) -> bytes:
    book.remembered.pop(address, None)
    book.lent[address] = _Lease(holder)
    return address


def _fresh(pool: Pool, book: _Book) -> bytes | None:
    """One that is neither lent nor remembered; among so many and one more there must be such a one."""
    for _ in range(min(pool.size, len(book.lent) + len(book.remembered) + 1)):
        address = pool.at(book.cursor)
        book.cursor = (book.cursor + 1) % pool.size
        if address not in book.lent and address not in book.remembered:
            return address
    return None
