"""trace: which routers lie on the way, and how large a packet may be there.

As traceroute does: UDP datagrams that live for one hop, then two, and so on, to ports where nobody listens, so that
every router tells of its own packet's end by ICMP, and the destination too. With DF a router tells as well what
would have fitted (RFC 1191 4, RFC 4443 3.2).
"""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.net.application import Application, Result, udp_ports
from ipsecsim.net.events import DatagramSent, HopFound, HopSilent, PathMtuFound
from ipsecsim.net.node import Node
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import IcmpErrorArrived
from ipsecsim.stack.icmp import Problem
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol

FIRST_PORT = 33434
WAIT = SECOND
TRIES = 2  # for each hop
MOST_SILENT = 3  # hops in a row; then the trace ends
MOST_HOPS = 30
DEFAULT_SIZE = 32  # of a probe that is to find no MTU


class Trace(Application):
    """Probes with `size` bytes of data; with DF the first one is as large as the link takes."""

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "trace",
        result: Result | None = None,
        size: int | None = None,
        dont_fragment: bool = True,
    ) -> None:
        super().__init__(node, name, result)
        self._destination = destination
        self._source_port = node.free_port()
        self._dont_fragment = dont_fragment
        self._headers = udp.HEADER_LENGTH + (
            ipv4.HEADER_LENGTH if len(destination) == 4 else ipv6.HEADER_LENGTH
        )
        if size is None and dont_fragment:
            size = node.stack.mtu_towards(destination) - self._headers
        self._size = DEFAULT_SIZE if size is None else size
        self._hops = 1
        self._tries = 0
        self._silent = 0
        self._sent_at: Instant = 0
        self._due: Instant | None = node.simulator.now

    def next_deadline(self) -> Instant | None:
        """The first probe, or the end of waiting for an answer; None once all is known."""
        return self._due

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Probe again, or the next hop."""
        if self._due is None or now < self._due:
            return []
        if self._tries < TRIES:
            return self._probe(now)
        if self._node.tap is not None:
            self._node.tap(HopSilent(self.name, self._hops))
        self.result.hops.append(None)
        self._silent += 1
        return self._next_hop(now)

    def has_sent(self, packet: bytes) -> bool:
        """The probe that an answer is waited for."""
        return self._due is not None and udp_ports(packet) == (self._source_port, self._port)

    def on_refusal(self, arrived: IcmpErrorArrived, packet: bytes, now: Instant) -> list[Action]:
        """A hop, the destination, or a link that is too small."""
        error = arrived.error
        told = (error.type, error.code)
        if icmp.is_too_big(error):
            return self._shrink(error.mtu, now)
        is_hop = told in (Problem.HOPS.v4, Problem.HOPS.v6)
        is_there = arrived.source == self._destination and not is_hop
        self._note(arrived.source, now - self._sent_at, is_there=is_there)
        if is_hop:
            return self._next_hop(now)
        self._due = None
        if is_there:
            largest = self._size + self._headers
            self.result.largest = largest
            if self._dont_fragment and self._node.tap is not None:
                self._node.tap(PathMtuFound(self.name, largest))
        return []

    def _note(self, source: bytes, round_trip: Duration, *, is_there: bool) -> None:
        self._silent = 0
        result = self.result
        result.received += 1
        result.ended_at = self._sent_at + round_trip
        result.round_trips.append(round_trip)
        result.hops.append(source)
        if self._node.tap is not None:
            self._node.tap(HopFound(self.name, self._hops, source, round_trip, is_there))

    def _next_hop(self, now: Instant) -> list[Action]:
        if self._silent >= MOST_SILENT or self._hops >= MOST_HOPS:
            self._due = None
            return []
        self._hops += 1
        self._tries = 0
        return self._probe(now)

    def _shrink(self, mtu: int, now: Instant) -> list[Action]:
        """Somebody says what would have fitted; what is no smaller is no news."""
        size = mtu - self._headers
        if not 0 <= size < self._size:
            return []
        self._size = size
        self._tries = 0
        return self._probe(now)

    @property
    def _port(self) -> int:
        """Where the last probe went: each has a port of its own, by which an answer is known."""
        return FIRST_PORT + self.result.sent

    def _probe(self, now: Instant) -> list[Action]:
        self.result.sends(now)
        self._tries += 1
        self._sent_at = now
        self._due = now + WAIT
        stack, destination = self._node.stack, self._destination
        source = stack.address_towards(destination)
        segment = udp.build(source, destination, self._source_port, self._port, bytes(self._size))
        packet = ip.build(
            source,
            destination,
            IpProtocol.UDP,
            segment,
            identification=stack.fresh_identification() if len(destination) == 4 else 0,
            dont_fragment=self._dont_fragment,
            hop_limit=self._hops,
        )
        if self._node.tap is not None:
            self._node.tap(DatagramSent(self.name, destination, self._port, self._size))
        return stack.send_packet(packet, exempt=False, whole=self._dont_fragment)
