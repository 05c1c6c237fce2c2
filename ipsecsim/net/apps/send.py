"""send: one UDP datagram, and nothing more."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.net.events import DatagramSent
from ipsecsim.net.node import Node
from ipsecsim.stack.actions import EchoReplyArrived

FIRST_FREE_PORT = 49152  # the dynamic range; which port matters to nobody


class Send:
    """Sends `size` bytes to a port of `destination`."""

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "send",
        destination_port: int = 9,
        source_port: int | None = None,
        size: int = 56,
        dscp: int = 0,
    ) -> None:
        self.name = name
        self._node = node
        self._destination = destination
        self._destination_port = destination_port
        if source_port is None:
            source_port = FIRST_FREE_PORT + node.entropy.fork("source port").below(0x10000 - FIRST_FREE_PORT)
        self._source_port = source_port
        self._data = bytes(number & 0xFF for number in range(size))
        self._tos = dscp << 2
        self._is_sent = False

    def next_deadline(self) -> Instant | None:
        """None: everything happens at once."""
        return None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send the datagram, once."""
        if self._is_sent:
            return []
        self._is_sent = True
        if self._node.tap is not None:
            self._node.tap(
                DatagramSent(self.name, self._destination, self._destination_port, len(self._data))
            )
        return self._node.stack.send_datagram(
            None,
            self._source_port,
            self._destination,
            self._destination_port,
            self._data,
            tos=self._tos,
        )

    def on_echo_reply(self, arrived: EchoReplyArrived, now: Instant) -> list[Action]:
        """Not for us."""
        return []
