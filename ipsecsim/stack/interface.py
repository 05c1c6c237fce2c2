"""Interfaces: where a node touches its links."""

from dataclasses import dataclass


@dataclass(slots=True)
class Interface:
    """One end of a link. `address` is packed; `mtu` in bytes."""

    name: str
    address: bytes
    prefix_length: int
    mtu: int = 1500
