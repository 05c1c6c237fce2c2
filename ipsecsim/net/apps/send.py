"""send: one UDP datagram, and nothing more."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.net.application import Application, Result, udp_ports
from ipsecsim.net.events import DatagramSent
from ipsecsim.net.node import Node


class Send(Application):
    """Sends `size` bytes to a port of `destination`."""

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "send",
        result: Result | None = None,
        destination_port: int = 9,
        source_port: int | None = None,
        size: int = 64,
        dscp: int = 0,
    ) -> None:
        super().__init__(node, name, result)
        self._destination = destination
        self._destination_port = destination_port
        self._source_port = node.free_port() if source_port is None else source_port
        self._data = bytes(number & 0xFF for number in range(size))
        self._tos = dscp << 2
        self._is_sent = False

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send the datagram, once."""
        if self._is_sent:
            return []
        self._is_sent = True
        self.result.sends(now)
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

    def has_sent(self, packet: bytes) -> bool:
        """A datagram from the same port to the same one."""
        return udp_ports(packet) == (self._source_port, self._destination_port)
