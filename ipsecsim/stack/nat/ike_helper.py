"""A NAT that means well: it leaves IKE on port 500 and tells hosts apart by the initiator's SPI (RFC 3715 2.3).

So several hosts inside can do IKE without NAT traversal. It breaks what it does not foresee: an exchange that a
peer begins has an SPI that nobody inside has shown.
"""

from collections import OrderedDict

from ipsecsim.base.instant import Duration, Instant
from ipsecsim.stack.nat.rewriting import Endpoint, Flow
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IKE_PORT, IpProtocol

MOST_SPIS = 256


class IkeHelper:
    """Who inside has used which initiator SPI with which peer. Bounded: the oldest is forgotten."""

    def __init__(self, lifetime: Duration) -> None:
        self._lifetime = lifetime
        self._hosts: OrderedDict[tuple[bytes, bytes], tuple[bytes, Instant]] = OrderedDict()

    def is_for(self, flow: Flow, ours: Endpoint) -> bool:
        """Does it meddle with this flow?"""
        return flow.protocol == IpProtocol.UDP and ours[1] == IKE_PORT

    def go_out(self, packet: bytes, flow: Flow, now: Instant) -> None:
        """Remember whose SPI it is."""
        key = (flow.destination[0], _initiator_spi(packet))
        self._hosts[key] = flow.source[0], now + self._lifetime
        self._hosts.move_to_end(key)
        if len(self._hosts) > MOST_SPIS:
            self._hosts.popitem(last=False)

    def come_in(self, packet: bytes, flow: Flow, now: Instant) -> bytes | None:
        """Who inside has shown this SPI to this peer."""
        host, ends = self._hosts.get((flow.source[0], _initiator_spi(packet)), (None, 0))
        return host if ends > now else None

    def clear(self) -> None:
        """Forget all of them."""
        self._hosts.clear()


def _initiator_spi(packet: bytes) -> bytes:
    start = ipv4.header_length(packet) + udp.HEADER_LENGTH
    return packet[start : start + 8]
