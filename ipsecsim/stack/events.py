"""What the IP stack tells about its decisions."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent, lean


@dataclass(slots=True)
class PacketOriginated(TraceEvent):
    """This node made a packet."""

    packet: bytes


@dataclass(slots=True)
class PacketForwarded(TraceEvent):
    """A packet for somebody else goes on; `ttl` is what is left of its time to live or, in IPv6, hop limit."""

    outbound: str
    next_hop: bytes
    ttl: int
    version: int


FORWARDED = lean(PacketForwarded)


@dataclass(slots=True)
class PacketDelivered(TraceEvent):
    """The packet was for this node, and somebody here took it."""

    protocol: int
    to: str


@dataclass(slots=True)
class EchoAnswered(TraceEvent):
    """A ping was answered."""

    destination: bytes
    sequence: int


@dataclass(slots=True)
class IcmpErrorSent(TraceEvent):
    """The sender of a packet is told what became of it."""

    destination: bytes
    type: int
    code: int
    mtu: int


@dataclass(slots=True)
class PacketFragmented(TraceEvent):
    """A packet was too large for the link or the path and may be cut. `version` is that of IP."""

    pieces: int
    mtu: int
    version: int


@dataclass(slots=True)
class FragmentStored(TraceEvent):
    """A fragment waits for the others. `version` is that of IP."""

    identification: int
    offset: int
    version: int


@dataclass(slots=True)
class FragmentsAbandoned(TraceEvent):
    """Fragments that waited are given up with their packet; a drop follows for each.

    Others overlap them, or the node `goes_down`.
    """

    identification: int
    pieces: int
    goes_down: bool = False


@dataclass(slots=True)
class PathMtuLowered(TraceEvent):
    """Packets of this node to `destination` will be smaller: one was too big on the way, or for its tunnel."""

    destination: bytes
    mtu: int


@dataclass(slots=True)
class PacketReassembled(TraceEvent):
    """All fragments are here: one packet again. `pieces` counts them, the last one included."""

    identification: int
    pieces: int
    packet: bytes


@dataclass(slots=True)
class AddressTaken(TraceEvent):
    """The node has a virtual address: it lies on none of its links."""

    address: bytes


@dataclass(slots=True)
class AddressReleased(TraceEvent):
    """The node has a virtual address no more."""

    address: bytes


@dataclass(slots=True)
class ConnectionOpened(TraceEvent):
    """A firewall let the first packet of a connection through. Ends are an address and a port, or 0."""

    protocol: int
    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    lifetime: int


@dataclass(slots=True)
class ConnectionForgotten(TraceEvent):
    """A firewall knows a connection no more; `why` says what ended it."""

    protocol: int
    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    why: str


@dataclass(slots=True)
class FirewallLogged(TraceEvent):
    """A firewall that keeps a log did not accept a packet; `by` is the rule, or what else decided."""

    verdict: str
    by: str
    inbound: str | None
    outbound: str | None
    packet: bytes


@dataclass(slots=True)
class RulesChanged(TraceEvent):
    """A firewall goes by other rules from now on, and has forgotten so many connections."""

    rules: int
    default: str
    forgotten: int
