"""What IKE asks of the host it stands in. Datagrams are ipsec's `SendDatagram`."""

from dataclasses import dataclass

from ipsecsim.base.actions import Action
from ipsecsim.ipsec.association import Direction, Outer, SaParameters
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire.numbers import IpProtocol


@dataclass(slots=True)
class InstallChildSa(Action):
    """Put an SA into the SAD."""

    parameters: SaParameters


@dataclass(slots=True)
class RemoveChildSa(Action):
    """Take an SA out of the SAD. `destination` tells outbound SAs apart: two peers may have chosen the same SPI."""

    direction: Direction
    spi: int
    protocol: IpProtocol
    destination: bytes | None = None


@dataclass(slots=True)
class MoveChildSa(Action):
    """Let an SA go on between other outer addresses. `destination`, the old one, tells outbound SAs apart."""

    direction: Direction
    spi: int
    protocol: IpProtocol
    outer: Outer
    destination: bytes | None = None


@dataclass(slots=True)
class UseAddress(Action):
    """Take a virtual address, and let packets to `destinations`, ranges of addresses, come from it."""

    address: bytes
    destinations: tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True)
class ReleaseAddress(Action):
    """The virtual address belongs to somebody else from now on."""

    address: bytes


@dataclass(slots=True)
class ChildGivenUp(Action):
    """No SA will come for this SPD rule, or for a part of it `only`: what waits for it may go.

    `reached`: the peer was there.
    """

    policy: str
    only: Selector | None = None
    reached: bool = False
