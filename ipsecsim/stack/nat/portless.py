"""ESP and AH through a NAT: protocols without ports, where a NAT has to guess who gets an answer (RFC 3715 2.1).

"IPsec passthrough" watches SPIs. What goes out has one SPI, what comes back another, chosen by the inside host and
told to the peer in sealed messages. So the NAT takes the first packet with an SPI that it does not know for an
answer to the host that began last and has none yet; when two hosts begin at once, it can be wrong.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import EspHandling
from ipsecsim.stack.nat.events import MappingEnded, MappingMade
from ipsecsim.stack.nat.rewriting import Flow
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol

MOST_FLOWS = 256


@dataclass(slots=True)
class PortlessFlow:
    """An inside host that sends to a peer. The SPIs are 0 where nobody looks at them, or none was seen yet."""

    inside: bytes
    outside: bytes
    peer: bytes
    spi_out: int
    spi_in: int
    ends: Instant


class PortlessFlows:
    """The flows of one protocol. `handling` says how they are told apart. The one used last stands last."""

    def __init__(
        self, protocol: int, handling: EspHandling, lifetime: Duration, tap: Tap | None = None
    ) -> None:
        self._protocol = protocol
        self._handling = handling
        self._lifetime = lifetime
        self._tap = tap
        self._flows: OrderedDict[tuple[bytes, bytes, int], PortlessFlow] = OrderedDict()

    def __iter__(self) -> Iterator[PortlessFlow]:
        return iter(self._flows.values())

    def go_out(self, inside: bytes, outside: bytes, peer: bytes, spi: int, now: Instant) -> None:
        """A packet from inside leaves with the address `outside`.

        Raises Refused when it can't be told from another host's.
        """
        self.expire(now)
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
            flow = self._flows[key] = PortlessFlow(inside, outside, peer, key[2], 0, 0)
            if self._tap is not None:
                self._tap(MappingMade(self._protocol, (inside, 0), (outside, 0), self._lifetime))
        flow.ends = now + self._lifetime
        self._flows.move_to_end(key)

    def come_in(self, peer: bytes, spi: int, now: Instant) -> bytes | None:
        """Who inside gets a packet of this peer, as far as can be guessed; None when nobody asked."""
        self.expire(now)
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

    def sent_by(self, peer: bytes, spi: int) -> bytes | None:
        """Who inside has sent a packet with this SPI to this peer."""
        looked_at = spi if self._handling is EspHandling.BY_SPI else 0
        of_peer = (flow for flow in self._flows.values() if flow.peer == peer)
        return next((flow.inside for flow in of_peer if flow.spi_out == looked_at), None)

    def speaks(self, inside: bytes, peer: bytes) -> bool:
        """Has this host inside a flow with this peer?"""
        return any(flow.inside == inside and flow.peer == peer for flow in self._flows.values())

    def next_deadline(self) -> Instant | None:
        """When the first flow runs out."""
        return next((flow.ends for flow in self._flows.values()), None)

    def expire(self, now: Instant) -> None:
        """A flow without an end would keep a peer for itself: it is forgotten in time."""
        while self._flows and next(iter(self._flows.values())).ends <= now:
            self._end(self._flows.popitem(last=False)[1], "nobody inside has used it")

    def clear(self, why: str) -> None:
        """Forget all of them."""
        while self._flows:
            self._end(self._flows.popitem(last=False)[1], why)

    def _end(self, flow: PortlessFlow, why: str) -> None:
        if self._tap is not None:
            self._tap(MappingEnded(self._protocol, (flow.inside, 0), (flow.outside, 0), why))

    def _of_peer(self, peer: bytes) -> PortlessFlow | None:
        return next((flow for flow in self._flows.values() if flow.peer == peer), None)


def spi_in(packet: bytes, flow: Flow) -> int:
    """The SPI of an ESP or AH packet; 0 of one that is too short."""
    start = ipv4.header_length(packet)
    at = start if flow.protocol == IpProtocol.ESP else start + 4
    return int.from_bytes(packet[at : at + 4], "big") if len(packet) >= at + 4 else 0
