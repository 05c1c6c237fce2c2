"""ESP and AH through a NAT: protocols without ports, where a NAT has to guess who gets an answer (RFC 3715 2.1).

"IPsec passthrough" watches SPIs. What goes out has one SPI, what comes back another, chosen by the inside host and
told to the peer in sealed messages. So the NAT takes the first packet with an SPI that it does not know for an
answer to the host that began last and has none yet; when two hosts begin at once, it can be wrong.
"""

from collections import OrderedDict
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import EspHandling
from ipsecsim.wire.numbers import IpProtocol

MOST_FLOWS = 256


@dataclass(slots=True)
class PortlessFlow:
    """An inside host that sends to a peer. The SPIs are 0 where nobody looks at them, or none was seen yet."""

    inside: bytes
    peer: bytes
    spi_out: int
    spi_in: int
    ends: Instant


class PortlessFlows:
    """The flows of one protocol. `handling` says how they are told apart."""

    def __init__(self, handling: EspHandling, lifetime: Duration) -> None:
        self._handling = handling
        self._lifetime = lifetime
        self._flows: OrderedDict[tuple[bytes, bytes, int], PortlessFlow] = OrderedDict()

    def go_out(self, inside: bytes, peer: bytes, spi: int, now: Instant) -> None:
        """A packet from inside. Raises Refused when it can't be told from another host's."""
        self._expire(now)
        if self._handling is EspHandling.DROP:
            raise Refused(DropReason.NAT_PROTO, "this NAT does not pass it")
        by_spi = self._handling is EspHandling.BY_SPI
        other = None if by_spi else self._of_peer(peer)
        if other is not None and other.inside != inside:
            raise Refused(DropReason.NAT_PROTO, "another host inside speaks to this peer already")
        key = (inside, peer, spi if by_spi else 0)
        flow = self._flows.get(key)
        if flow is None:
            if len(self._flows) >= MOST_FLOWS:
                raise Refused(DropReason.NAT_PORTS_EXHAUSTED, f"{MOST_FLOWS} flows without ports")
            flow = self._flows[key] = PortlessFlow(inside, peer, key[2], 0, 0)
        flow.ends = now + self._lifetime
        self._flows.move_to_end(key)

    def come_in(self, peer: bytes, spi: int, now: Instant) -> bytes | None:
        """Who inside gets a packet of this peer, as far as can be guessed; None when nobody asked."""
        self._expire(now)
        if self._handling is not EspHandling.BY_SPI:
            flow = self._of_peer(peer)
            return None if flow is None else flow.inside
        of_peer = [flow for flow in reversed(self._flows.values()) if flow.peer == peer]
        known = next((flow for flow in of_peer if flow.spi_in == spi), None)
        if known is None:
            known = next((flow for flow in of_peer if not flow.spi_in), None)
        if known is None:
            return None
        known.spi_in = spi
        return known.inside

    def clear(self) -> None:
        """Forget all of them."""
        self._flows.clear()

    def _of_peer(self, peer: bytes) -> PortlessFlow | None:
        return next((flow for flow in self._flows.values() if flow.peer == peer), None)

    def _expire(self, now: Instant) -> None:
        """A flow without an end in sight would keep a peer for itself: it is forgotten when it is looked for."""
        while self._flows and (oldest := next(iter(self._flows.items())))[1].ends <= now:
            del self._flows[oldest[0]]


def spi_of(packet: bytes, protocol: int, start: int) -> int:
    """The SPI of an ESP or AH packet; 0 of one that is too short."""
    at = start if protocol == IpProtocol.ESP else start + 4
    return int.from_bytes(packet[at : at + 4], "big") if len(packet) >= at + 4 else 0
