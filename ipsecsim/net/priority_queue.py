"""A transmitter that sends the packet with the highest DSCP first, and of one DSCP the oldest (RFC 2474).

Whoever comes later may be sent earlier: this is how a gateway's own quality of service reorders what it has
numbered already, and why the anti-replay window has to be wide enough (RFC 4301 4.1).
"""

import heapq
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.base.instant import Duration
from ipsecsim.wire import ip

if TYPE_CHECKING:
    from ipsecsim.net.link import LinkOptions
    from ipsecsim.net.node import Node
    from ipsecsim.net.simulator import Simulator


class Arrival(NamedTuple):
    """Where a frame will arrive, how long after it has left, and what it will be then."""

    node: "Node"
    interface: str
    frame: int
    travel: Duration
    packet: bytes


class Waiting(NamedTuple):
    """Sorts by priority, then by age. A frame that gets lost on the way takes its time and arrives nowhere."""

    rank: int
    age: int
    size: int
    arrivals: tuple[Arrival, ...]
    cause: int


class PriorityQueue:
    """One direction of a link that has a rate."""

    def __init__(self, link: str, simulator: "Simulator", options: "LinkOptions") -> None:
        self._link = link
        self._simulator = simulator
        self._options = options
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._taken = 0
        self._is_sending = False

    def is_full(self, packet: bytes) -> bool:
        """Is there no room for one more?"""
        limit = self._options.queue_bytes
        too_much = limit is not None and bool(self._waiting) and self._bytes + len(packet) > limit
        return len(self._waiting) >= self._options.queue_packets or too_much

    def take(self, packet: bytes, arrivals: tuple[Arrival, ...]) -> None:
        """Let a packet wait for its turn; the turn that runs now is the cause of its arrival."""
        self._taken += 1
        self._bytes += len(packet)
        rank = -(ip.traffic_class(packet) >> 2)
        waiting = Waiting(rank, self._taken, len(packet), arrivals, self._simulator.turns)
        self._simulator.in_flight += len(arrivals)
        heapq.heappush(self._waiting, waiting)
        if not self._is_sending:
            self._send_next(None)

    def _send_next(self, _: object) -> None:
        self._is_sending = bool(self._waiting)
        if not self._waiting:
            return
        first = heapq.heappop(self._waiting)
        self._bytes -= first.size
        serialisation = self._options.serialisation(first.size)
        for node, interface, frame, travel, packet in first.arrivals:
            self._simulator.in_flight -= 1
            self._simulator.deliver_after(
                serialisation + travel, node, interface, self._link, frame, packet, cause=first.cause
            )
        self._simulator.after(serialisation, self._send_next)
