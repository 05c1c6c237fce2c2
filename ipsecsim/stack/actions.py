"""What the IP stack asks of the node it stands in."""

from dataclasses import dataclass

from ipsecsim.base.actions import Action
from ipsecsim.stack.icmp import IcmpError


@dataclass(slots=True)
class Transmit(Action):
    """Put a packet on the link behind `interface`, for the neighbour that owns `next_hop`."""

    interface: str
    next_hop: bytes
    packet: bytes


@dataclass(slots=True)
class DatagramArrived(Action):
    """A UDP datagram came for a bound port of this node. `packet` is the whole IP packet."""

    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    payload: bytes
    packet: bytes


@dataclass(slots=True)
class PacketArrived(Action):
    """A whole packet of a protocol that somebody above the stack has asked for.

    `offset` is where that protocol's header begins: behind IPv4 options or IPv6 extension headers.
    """

    protocol: int
    packet: bytes
    offset: int


@dataclass(slots=True)
class EchoReplyArrived(Action):
    """Somebody answered a ping."""

    source: bytes
    identifier: int
    sequence: int
    data: bytes


@dataclass(slots=True)
class IcmpErrorArrived(Action):
    """Bad news about a packet that this node sent; `source` is its own address when it found out by itself."""

    source: bytes
    error: IcmpError
