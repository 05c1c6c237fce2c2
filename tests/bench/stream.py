"""An application that sends datagrams at a steady pace: the same load for worlds of any size."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.node import Node
from ipsecsim.stack.actions import EchoReplyArrived


class Stream:
    """One UDP datagram of `size` bytes of data an interval, to a node that takes them."""

    def __init__(self, node: Node, destination: bytes, size: int, interval: Duration) -> None:
        self._node, self._destination = node, destination
        self._data, self._interval = bytes(size), interval
        self._left, self._next_at = 0, 0
        node.applications.append(self)

    def send(self, count: int) -> None:
        """So many, beginning now; then the world runs until all have arrived."""
        simulator = self._node.simulator
        self._left, self._next_at = count, simulator.now
        simulator.plan(
            simulator.now, self._node, lambda: self._node.perform(self.handle_timeout(simulator.now))
        )
        step = simulator.step
        while step():
            pass

    def next_deadline(self) -> Instant | None:
        """When the next one goes; None when all are gone."""
        return self._next_at if self._left else None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send one when it is time."""
        if not self._left or now < self._next_at:
            return []
        self._left -= 1
        self._next_at += self._interval
        return self._node.stack.send_datagram(None, 1, self._destination, 9, self._data)

    def on_echo_reply(self, arrived: EchoReplyArrived, now: Instant) -> list[Action]:
        """Nothing here asks for echoes."""
        return []
