"""A host: it sends and receives, and forwards nothing."""

from ipsecsim.net.link import Link
from ipsecsim.net.node import Node
from ipsecsim.net.simulator import Simulator
from ipsecsim.stack.interface import Interface

DISCARD_PORT = 9  # takes any datagram and says nothing, so that `send` has somebody to talk to


class Host(Node):
    """An end system (RFC 1122)."""

    def __init__(self, name: str, simulator: Simulator, interfaces: list[tuple[Interface, Link]]) -> None:
        super().__init__(name, simulator, interfaces)
        self.stack.ports.add(DISCARD_PORT)
