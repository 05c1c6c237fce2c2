"""ping: echo requests at a fixed interval, and what came back."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.net.application import Application, Result
from ipsecsim.net.events import EchoReplyMissed, EchoReplyReceived, EchoRequestSent
from ipsecsim.net.node import Node
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import EchoReplyArrived
from ipsecsim.wire import icmpv4, ip, ipv4, ipv6
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.numbers import IpProtocol

_REQUEST = {int(IpProtocol.ICMP): IcmpType.ECHO, int(IpProtocol.ICMPV6): Icmpv6Type.ECHO_REQUEST}
REPLY_TIMEOUT = 10 * SECOND  # how long the answer to the last request is waited for


class Ping(Application):
    """Sends `count` echo requests of `size` data bytes, in the destination's IP version, and keeps account."""

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "ping",
        result: Result | None = None,
        count: int = 1,
        size: int = 56,
        interval: Duration = SECOND,
        dont_fragment: bool = False,
        dscp: int = 0,
    ) -> None:
        super().__init__(node, name, result)
        self._destination = destination
        self._count = count
        self._interval = interval
        self._dont_fragment = dont_fragment
        self._tos = dscp << 2
        self._data = bytes(number & 0xFF for number in range(size))
        header = ipv4.HEADER_LENGTH if len(destination) == 4 else ipv6.HEADER_LENGTH
        self._packet_length = header + icmpv4.HEADER_LENGTH + size
        self._identifier = int.from_bytes(node.entropy.fork("ping identifier").bytes(2), "big")
        self._next_at: Instant | None = node.simulator.now if count else None
        self._waiting: dict[int, Instant] = {}

    def next_deadline(self) -> Instant | None:
        """The next request, or the end of waiting; None once all is settled."""
        waits = [at + REPLY_TIMEOUT for at in self._waiting.values()]
        return min([*waits, *([] if self._next_at is None else [self._next_at])], default=None)

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send the next request when it is time; stop waiting for old ones."""
        for sequence, sent_at in list(self._waiting.items()):
            if now >= sent_at + REPLY_TIMEOUT:
                del self._waiting[sequence]
                if self._node.tap is not None:
                    self._node.tap(EchoReplyMissed(self.name, sequence))
        if self._next_at is None or now < self._next_at:
            return []
        return self._send(now)

    def on_echo_reply(self, arrived: EchoReplyArrived, now: Instant) -> list[Action]:
        """Count an answer that is ours."""
        if arrived.identifier != self._identifier or arrived.sequence not in self._waiting:
            return []
        round_trip = now - self._waiting.pop(arrived.sequence)
        self.result.arrives(now, len(arrived.data), self._packet_length)
        self.result.round_trips.append(round_trip)
        if self._node.tap is not None:
            self._node.tap(EchoReplyReceived(self.name, arrived.source, arrived.sequence, round_trip))
        return []

    def has_sent(self, packet: bytes) -> bool:
        """An echo request with this program's identifier."""
        protocol, at = ip.upper_layer(packet)
        is_request = packet[at : at + 1] == bytes([_REQUEST[protocol]]) if protocol in _REQUEST else False
        return is_request and packet[at + 4 : at + 6] == self._identifier.to_bytes(2, "big")

    def _send(self, now: Instant) -> list[Action]:
        sequence = self.result.sends(now)
        self._waiting[sequence] = now
        self._next_at = None if sequence == self._count else now + self._interval
        if self._node.tap is not None:
            self._node.tap(EchoRequestSent(self.name, self._destination, sequence))
        stack, destination = self._node.stack, self._destination
        source = stack.address_towards(destination)
        message = icmp.echo(source, destination, self._identifier, sequence, self._data)
        return stack.send(
            source,
            destination,
            icmp.protocol_for(destination),
            message,
            tos=self._tos,
            dont_fragment=self._dont_fragment,
        )
