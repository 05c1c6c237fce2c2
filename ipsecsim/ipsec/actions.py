"""What the IPsec engine asks of the host it stands in."""

from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.actions import Action
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.expiry import Limit
from ipsecsim.ipsec.selector import Flow, Selector
from ipsecsim.wire.numbers import IpProtocol


@dataclass(slots=True)
class SendPacket(Action):
    """Route and send an IP packet that is finished: AH has signed its header, too.

    `udp_ports` are (source, destination) where ESP stands behind a UDP header.
    """

    packet: bytes
    udp_ports: tuple[int, int] | None = None


@dataclass(slots=True)
class SendDatagram(Action):
    """Send `payload` in UDP. `sealed`: it is ESP, about which policy has spoken already."""

    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    payload: bytes
    tos: int = 0
    dont_fragment: bool = False
    checksum: bool = True
    sealed: bool = False


@dataclass(slots=True)
class Deliver(Action):
    """A packet came out of its protection: it walks the node's path once more, now as itself."""

    packet: bytes
    spi: int


@dataclass(slots=True)
class SenderMoved(Action):
    """The newest packet of an SA, authentic, came in UDP from elsewhere than those before (RFC 7296 2.23).

    Addresses are packed; `spi` is that of the inbound SA.
    """

    spi: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int


@dataclass(slots=True)
class Acquire(Action):
    """Traffic met a PROTECT rule without an SA: please negotiate one (RFC 4301 4.4.1).

    With `only` it is to carry no more than that.
    """

    policy: str
    flow: Flow
    only: Selector | None = None


@dataclass(slots=True)
class Expiring(Action):
    """An SA reached a soft limit: please negotiate its replacement (RFC 4301 4.4.2.1). Told once for each SA."""

    policy: str
    direction: Direction
    spi: int
    protocol: IpProtocol


@dataclass(slots=True)
class SaRefused(Action):
    """A pair of SAs cannot be had on this node, whatever IKE agreed on: please tell the peer that it goes.

    Its outbound half names it: the address of the peer, packed, and the SPI that the peer chose.
    """

    destination: bytes
    spi: int


@dataclass(slots=True)
class Expired(Action):
    """An SA came to a hard limit and is gone; whoever made it has to know (RFC 4301 4.4.2.1)."""

    policy: str
    direction: Direction
    spi: int
    protocol: IpProtocol
    limit: Limit


class Complaint(Enum):
    """What the sender of a packet is told (RFC 4301 5.1.1, 8.2.1)."""

    TOO_BIG = "too big"
    PROHIBITED = "communication is prohibited"
    UNREACHABLE = "the peer cannot be reached"


@dataclass(slots=True)
class ReportError(Action):
    """Tell the sender of `packet` by ICMP why it went no further. With TOO_BIG, `mtu` is what would fit.

    `takes_fragments`: the pieces of such a packet would be let through, so a sender on this node may cut it.
    """

    packet: bytes
    complaint: Complaint
    mtu: int = 0
    takes_fragments: bool = True


@dataclass(slots=True)
class ReportWayward(Action):
    """Tell the peer by IKE that nothing could be done with its `packet`: there is no SA with this SPI, or `inner`
    came out of that SA and does not fit it (RFC 4301 5.2)."""

    protocol: IpProtocol
    spi: int
    packet: bytes
    inner: bytes | None
