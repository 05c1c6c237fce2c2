"""Interfaces: where a node touches its links."""

from dataclasses import dataclass
from typing import NamedTuple


class Address(NamedTuple):
    """A packed address of either version, and how long the prefix of its link is."""

    packed: bytes
    prefix_length: int


@dataclass(slots=True)
class Interface:
    """One end of a link. `address` is the first one, packed; `others` are further ones. `mtu` in bytes."""

    name: str
    address: bytes
    prefix_length: int
    mtu: int = 1500
    others: tuple[Address, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All addresses, the first one first."""
        return (Address(self.address, self.prefix_length), *self.others)

    def address_like(self, other: bytes) -> bytes | None:
        """The first address of the same IP version as `other`."""
        return next((each.packed for each in self.addresses if len(each.packed) == len(other)), None)
