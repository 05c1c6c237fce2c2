"""What the IPsec engine asks of the host around it, and a host that is not there."""

from itertools import count
from typing import Protocol

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.errors import Refused
from ipsecsim.wire.ipv4 import LARGEST_PACKET


class Surroundings(Protocol):
    """The IP stack, as far as IPsec needs to know it."""

    def fresh_identification(self) -> int:
        """A value for IPv4's Identification field that does not come again soon."""
        ...

    def mtu_towards(self, destination: bytes) -> int:
        """The largest packet that gets to a packed address in one piece, as far as the host knows."""
        ...

    def cut(self, packet: bytes, mtu: int) -> list[bytes]:
        """The fragments of an IPv4 packet, each of at most `mtu` bytes. Raises RemoteError (TOO_BIG)."""
        ...


class Nowhere:
    """No host: every path takes the largest packet there is, and nobody cuts one."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def fresh_identification(self) -> int:
        """One more than the last one."""
        return next(self._numbers) & 0xFFFF

    def mtu_towards(self, destination: bytes) -> int:
        """No limit but that of the length field."""
        return LARGEST_PACKET

    def cut(self, packet: bytes, mtu: int) -> list[bytes]:
        """Always refused."""
        raise Refused(DropReason.TOO_BIG, f"{len(packet)} bytes, room for {mtu}, and nobody to cut it")
