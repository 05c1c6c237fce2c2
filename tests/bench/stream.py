"""An application that sends datagrams at a steady pace: the same load for worlds of any size."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.application import Application
from ipsecsim.net.node import Node
from tests.bench.measure import Work


class Stream(Application):
    """So many UDP datagrams of `size` bytes of data, one an interval, to a node that takes them."""

    def __init__(self, node: Node, destination: bytes, size: int, interval: Duration, count: int) -> None:
        super().__init__(node, "stream")
        self._destination = destination
        self._data, self._interval = bytes(size), interval
        self._left, self._next_at = count, node.simulator.now

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


def sending(node: Node, destination: bytes, size: int, interval: Duration) -> Work:
    """Send so many, and run the world until all have arrived."""

    def work(count: int) -> None:
        simulator = node.simulator
        stream = Stream(node, destination, size, interval, count)
        simulator.plan(simulator.now, node, lambda: node.run(stream))
        while simulator.step():
            pass
        node.applications.remove(stream)

    return work
