"""voice: one direction of a call, a packet of RTP every 20 ms (RFC 3550, RFC 3551)."""

from dataclasses import dataclass

from ipsecsim.base.actions import Action
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import MILLISECOND, SECOND, Duration, Instant
from ipsecsim.net.application import Application, Listener, Result, udp_ports
from ipsecsim.net.apps.arrivals import Arrivals
from ipsecsim.net.apps.flow import identifier
from ipsecsim.net.events import DatagramSent, FlowListened, FlowPacketArrived
from ipsecsim.net.node import Node
from ipsecsim.stack.actions import DatagramArrived
from ipsecsim.wire import rtp

PORT = 5004  # RFC 3551 8: the default for RTP
PACING = 20 * MILLISECOND  # RFC 3551 4.2: how much speech one packet holds
CLOCK = 8000  # RFC 3551 4.5: samples in a second, for both codecs
DEFAULT_DURATION = 10 * SECOND
_TICK = SECOND // CLOCK


@dataclass(frozen=True, slots=True)
class Codec:
    """`payload_type` names it on the wire (RFC 3551 6), `size` are its bytes in 20 ms."""

    payload_type: int
    size: int


CODECS = {"g711": Codec(0, 160), "g729": Codec(18, 20)}
"""64 and 8 kbit/s (RFC 3551 4.5.14, 4.5.6): IPv4 packets of 200 and 60 bytes."""


class Voice(Application):
    """Speaks to `destination` for `duration`, without a pause."""

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "voice",
        result: Result | None = None,
        codec: str = "g711",
        duration: Duration = DEFAULT_DURATION,
        dscp: int = 0,
    ) -> None:
        super().__init__(node, name, result)
        self._destination = destination
        self._source_port = node.free_port()
        self._codec = CODECS[codec]
        self._source = identifier(node, name)
        self._began_at = self._next_at = node.simulator.now
        self._until = self._began_at + duration
        self._tos = dscp << 2

    def next_deadline(self) -> Instant | None:
        """When the next packet leaves; None at the end of the call."""
        return self._next_at if self._next_at < self._until else None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send the next 20 ms."""
        due = self.next_deadline()
        if due is None or now < due:
            return []
        self._next_at = now + PACING
        number = self.result.sends(now)
        timestamp = (now - self._began_at) // _TICK
        header = rtp.build(self._codec.payload_type, number, timestamp, self._source, is_first=number == 1)
        payload = header + bytes(self._codec.size)
        if self._node.tap is not None:
            self._node.tap(DatagramSent(self.name, self._destination, PORT, len(payload)))
        return self._node.stack.send_datagram(
            None, self._source_port, self._destination, PORT, payload, tos=self._tos
        )

    def has_sent(self, packet: bytes) -> bool:
        """A datagram from this call's port."""
        return udp_ports(packet) == (self._source_port, PORT)


class VoiceListener(Listener):
    """The far end of a call: loss and jitter as its RTCP would report them (RFC 3550 6.4.1)."""

    port = PORT

    def __init__(self, node: Node, *, name: str, result: Result, **_: object) -> None:
        super().__init__(node, name, result)
        self._source = identifier(node, name)
        self._began_at = node.simulator.now
        self._arrivals = Arrivals(result)
        self._highest = 0  # sequence number, with the rounds of the 16 bits on the wire
        if node.tap is not None:
            node.tap(FlowListened(name, PORT))

    def on_datagram(self, arrived: DatagramArrived, now: Instant) -> list[Action] | None:
        """Count a packet of this call."""
        try:
            packet = rtp.parse(arrived.payload)
        except RemoteError:
            return None
        if packet.source != self._source:
            return None
        sequence = self._extended(packet.sequence)
        if not self._arrivals.is_ours(sequence):
            return None
        self._highest = max(self._highest, sequence)
        transit = now - self._began_at - packet.timestamp * _TICK
        size = len(arrived.payload)
        repeated = self._arrivals.count(sequence, transit, now, size, len(arrived.packet))
        if self._node.tap is not None:
            self._node.tap(FlowPacketArrived(self.name, sequence, transit, repeated))
        return []

    def _extended(self, sequence: int) -> int:
        """The number that is nearest to the highest one so far (RFC 3550 A.1)."""
        return self._highest + (sequence - self._highest + 0x8000) % 0x10000 - 0x8000
