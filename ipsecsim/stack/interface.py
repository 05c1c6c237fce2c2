"""Interfaces: where a node touches its links."""

from dataclasses import dataclass
from typing import NamedTuple

from ipsecsim.base.address import Prefix


class Address(NamedTuple):
    """A packed address of either version, and how long the prefix of its link is."""

    packed: bytes
    prefix_length: int

    @property
    def network(self) -> Prefix:
        """All addresses of the link."""
        bits = 8 * len(self.packed)
        host_bits = bits - self.prefix_length
        number = int.from_bytes(self.packed, "big") >> host_bits << host_bits
        return Prefix(number.to_bytes(bits // 8, "big"), self.prefix_length)


@dataclass(slots=True)
class Interface:
    """One end of a link. `address` is the first one, packed; `others` are further ones. `mtu` in bytes.

    Nothing passes through an interface that is not `up`.
    """

    name: str
    address: bytes
    prefix_length: int
    mtu: int = 1500
    others: tuple[Address, ...] = ()
    up: bool = True

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All addresses, the first one first."""
        return (Address(self.address, self.prefix_length), *self.others)

    def exchange(self, old: bytes, new: bytes) -> None:
        """Have another address in the place of one."""
        if self.address == old:
            self.address = new
        self.others = tuple(each._replace(packed=new) if each.packed == old else each for each in self.others)

    def address_like(self, other: bytes) -> bytes | None:
        """The first address of the same IP version as `other`."""
        return next((each.packed for each in self.addresses if len(each.packed) == len(other)), None)
