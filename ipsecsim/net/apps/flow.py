"""flow: UDP datagrams at an even pace, at random, or in bursts; the far end counts them."""

from math import log
from struct import Struct

from ipsecsim.base.actions import Action
from ipsecsim.base.address import pack
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import MILLISECOND, SECOND, Duration, Instant
from ipsecsim.net.application import Application, Listener, Result, udp_ports
from ipsecsim.net.apps.arrivals import Arrivals
from ipsecsim.net.events import DatagramSent, FlowListened, FlowPacketArrived
from ipsecsim.net.impairments import FINE
from ipsecsim.net.node import Node
from ipsecsim.stack.actions import DatagramArrived

DEFAULT_PORT = 5001
DEFAULT_SIZE = 1000
DEFAULT_INTERVAL = 10 * MILLISECOND
DEFAULT_DURATION = SECOND
MEAN_ON = MEAN_OFF = 500 * MILLISECOND  # of `on_off`, which is silent half of the time

HEADER = Struct("!4sIq")  # which flow, sequence number, when it was sent
SMALLEST_SIZE = HEADER.size


def identifier(node: Node, name: str) -> bytes:
    """What both ends of a traffic know it by: four bytes that depend on the seed and its name alone."""
    return node.simulator.entropy.once(f"flow {name}").bytes(4)


class Flow(Application):
    """Sends datagrams of `size` bytes, `interval` apart in the mean, `count` of them or for `duration`.

    `kind` is the pace: constant; poisson, with exponential gaps; or on_off, even within bursts that are as long
    in the mean as the silence between them. With `group` it speaks to that multicast group, and who listens at the
    far end has joined it. The link hands it to its next hop alone: who else might listen there is not modelled.
    """

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "flow",
        result: Result | None = None,
        kind: str = "constant",
        size: int = DEFAULT_SIZE,
        interval: Duration = DEFAULT_INTERVAL,
        count: int | None = None,
        duration: Duration | None = None,
        destination_port: int = DEFAULT_PORT,
        dont_fragment: bool = False,
        dscp: int = 0,
        group: str = "",
    ) -> None:
        super().__init__(node, name, result)
        self._destination = pack(group) if group else destination
        self._destination_port = destination_port
        self._source_port = node.free_port()
        self._identifier = identifier(node, name)
        self._padding = bytes(size - SMALLEST_SIZE)
        self._count = count
        self._interval = interval
        self._chance = node.entropy.fork(f"flow {name}")
        self._kind = kind
        self._dont_fragment = dont_fragment
        self._tos = dscp << 2
        if duration is None and count is None:
            duration = DEFAULT_DURATION
        now = node.simulator.now
        self._until = None if duration is None else now + duration
        self._burst_ends = now + _exponential(self._chance, MEAN_ON) if kind == "on_off" else None
        self._next_at: Instant | None = now

    def next_deadline(self) -> Instant | None:
        """When the next datagram leaves; None after the last one."""
        return self._next_at

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send what is due."""
        if self._next_at is None or now < self._next_at:
            return []
        sequence = self.result.sends(now)
        self._next_at = self._after(now)
        is_last = sequence == self._count or (self._until is not None and self._next_at >= self._until)
        if is_last:
            self._next_at = None
        payload = HEADER.pack(self._identifier, sequence, now) + self._padding
        if self._node.tap is not None:
            self._node.tap(DatagramSent(self.name, self._destination, self._destination_port, len(payload)))
        return self._node.stack.send_datagram(
            None,
            self._source_port,
            self._destination,
            self._destination_port,
            payload,
            tos=self._tos,
            dont_fragment=self._dont_fragment,
        )

    def has_sent(self, packet: bytes) -> bool:
        """A datagram from the same port to the same one."""
        return udp_ports(packet) == (self._source_port, self._destination_port)

    def _after(self, now: Instant) -> Instant:
        if self._kind == "poisson":
            return now + _exponential(self._chance, self._interval)
        following = now + self._interval
        if self._burst_ends is not None and following >= self._burst_ends:
            following = self._burst_ends + _exponential(self._chance, MEAN_OFF)
            self._burst_ends = following + _exponential(self._chance, MEAN_ON)
        return following


class FlowListener(Listener):
    """The far end: counts each packet of its flow once, whatever way and order it comes in."""

    def __init__(
        self,
        node: Node,
        *,
        name: str,
        result: Result,
        destination_port: int = DEFAULT_PORT,
        group: str = "",
        **_: object,
    ) -> None:
        super().__init__(node, name, result)
        if group:
            node.stack.groups.add(pack(group))
        self.port = destination_port
        self._identifier = identifier(node, name)
        self._arrivals = Arrivals(result)
        if node.tap is not None:
            node.tap(FlowListened(name, self.port))

    def on_datagram(self, arrived: DatagramArrived, now: Instant) -> list[Action] | None:
        """Count a packet of this flow."""
        payload = arrived.payload
        if len(payload) < SMALLEST_SIZE:
            return None
        flow, sequence, sent_at = HEADER.unpack_from(payload)
        if flow != self._identifier or not self._arrivals.is_ours(sequence):
            return None
        transit = now - sent_at
        repeated = self._arrivals.count(sequence, transit, now, len(payload), len(arrived.packet))
        if self._node.tap is not None:
            self._node.tap(FlowPacketArrived(self.name, sequence, transit, repeated))
        return []


def _exponential(chance: Entropy, mean: Duration) -> Duration:
    """A time without memory, with this mean."""
    return round(-mean * log((chance.below(FINE) + 0.5) / FINE))
