"""The cable to the guest: at our end a link of the simulated world, at the other the guest's network card."""

import socket
import time
from collections.abc import Callable

from ipsecsim.base.instant import Instant
from ipsecsim.net.events import FrameSent
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.node import Node
from ipsecsim.net.simulator import Simulator
from ipsecsim.wire import ip
from tests.interop.kernel import ethernet

NAME = "wire"

Accident = Callable[[bytes], bytes | None]
"""What happens to a packet on the way: it arrives, perhaps changed, or not at all."""


def arrives(packet: bytes) -> bytes | None:
    """Nothing happens."""
    return packet


class Wire(Link):
    """Simulated time is real time here: what arrives does so at the instant that the clock shows.

    `sent` and `received` hold every packet that arrived there and here, so that it can be looked at, or come again.
    `on_the_way_there` and `on_the_way_here` are for whoever wants an accident.
    """

    def __init__(self, simulator: Simulator, frames: socket.socket) -> None:
        super().__init__(NAME, simulator, LinkOptions())
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.on_the_way_there: Accident = arrives
        self.on_the_way_here: Accident = arrives
        self._frames = frames
        self._began = time.monotonic_ns()

    def carry(self, sender: Node, interface: str, next_hop: bytes, packet: bytes) -> None:
        """Give a packet to the guest. Whoever the next hop is: there is nobody else."""
        if sender.tap is not None:
            sender.tap(FrameSent(self._simulator.next_frame(), self.name, interface, next_hop, packet))
        changed = self.on_the_way_there(packet)
        if changed is not None:
            self.give(changed)

    def give(self, packet: bytes) -> None:
        """Let a packet arrive at the guest."""
        self.sent.append(packet)
        self._frames.send(ethernet.frame(packet))

    def take(self) -> None:
        """Take a frame from the guest and hand the packet in it to our side."""
        packet = ethernet.packet_in(self._frames.recv(0x10000))
        changed = None if packet is None else self.on_the_way_here(packet)
        if changed is not None:
            self.receive(changed)

    def receive(self, packet: bytes) -> None:
        """Let a packet arrive at our side."""
        self.received.append(packet)
        node, interface = self.owners.get(ip.destination(packet)) or next(iter(self.owners.values()))
        wait = max(0, self.clock() - self._simulator.now)
        self._simulator.deliver_after(wait, node, interface, self.name, self._simulator.next_frame(), packet)

    def clock(self) -> Instant:
        """Nanoseconds since the cable was laid."""
        return time.monotonic_ns() - self._began
