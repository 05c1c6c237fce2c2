"""Addresses as packed bytes inside, as text only at the edges."""

import ipaddress
from dataclasses import dataclass


def pack(text: str) -> bytes:
    """'192.0.2.1' as 4 bytes, '2001:db8::1' as 16. Raises ValueError for anything else."""
    return ipaddress.ip_address(text).packed


def unpack(address: bytes) -> str:
    """The text of a packed address."""
    return str(ipaddress.ip_address(address))


@dataclass(frozen=True, slots=True)
class Prefix:
    """A network: packed address with the host bits zero, and how many leading bits count."""

    network: bytes
    length: int

    @classmethod
    def parse(cls, text: str) -> "Prefix":
        """'10.1.0.0/24', or a lone address as the prefix that holds only it. ValueError when host bits are set."""
        network = ipaddress.ip_network(text)
        return cls(network.network_address.packed, network.prefixlen)

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.network) == 4 else 6

    @property
    def first(self) -> bytes:
        """The lowest address of the network."""
        return self.network

    @property
    def last(self) -> bytes:
        """The highest address of the network."""
        host_bits = 8 * len(self.network) - self.length
        top = int.from_bytes(self.network, "big") | ((1 << host_bits) - 1)
        return top.to_bytes(len(self.network), "big")

    def __contains__(self, address: bytes) -> bool:
        return len(address) == len(self.network) and self.first <= address <= self.last

    def __str__(self) -> str:
        return f"{unpack(self.network)}/{self.length}"
