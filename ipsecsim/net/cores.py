"""Processors of a node: what came protected waits for the one core that works for its SA.

One SA's packets go to one core, so that they stay in order and its window and counters belong to one; so do network
cards that spread by SPI. More cores help more SAs, and never one. Only taking protection off costs time so far.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MICROSECOND, Duration, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.wire import ip
from ipsecsim.wire.headers import security

if TYPE_CHECKING:
    from ipsecsim.net.node import Node
    from ipsecsim.net.simulator import Arriving


@dataclass(frozen=True, slots=True)
class Device:
    """How many cores, what a core takes for a packet and for each byte of it, and how many packets wait at most."""

    cores: int
    packet: Duration
    byte: Duration
    room: int = 32


DEVICES: dict[str, Device] = {
    "home_router": Device(cores=4, packet=20 * MICROSECOND, byte=40),
    "server": Device(cores=16, packet=MICROSECOND, byte=1),
}
"""Round figures to think with, and no measurement: 1,400 bytes are 76 us of work for the one, 2.4 for the other."""


class Cores:
    """What waits at each core, told by when it will be done. Each SA has a core for good, in turn as SAs come."""

    def __init__(self, node: "Node", device: Device) -> None:
        self._node = node
        self._device = device
        self._work: list[deque[Instant]] = [deque() for _ in range(device.cores)]
        self._core_of: dict[int, int] = {}  # by SPI
        self._done: set[int] = set()  # frames that a core has worked on, and whose turn is now

    def keep(self, arrival: "Arriving") -> bool:
        """Keep a packet until its core is done with it, or refuse it; False for one that has its turn now."""
        _, _, _, frame, packet, _ = arrival
        if frame in self._done:
            self._done.discard(frame)
            return False
        found = security(packet)
        if found is None or ip.destination(packet) not in self._node.stack.addresses:
            return False
        simulator, core = self._node.simulator, self._core_of.setdefault(found.spi, self._next)
        now, work = simulator.now, self._work[core]
        while work and work[0] <= now:
            work.popleft()
        if len(work) >= self._device.room:
            simulator.refuse(arrival, PacketDropped(DropReason.CORE_BUSY, packet, self._say(core, now)))
            return True
        work.append((work[-1] if work else now) + self._device.packet + len(packet) * self._device.byte)
        self._done.add(frame)
        simulator.wait_longer(work[-1] - now, arrival)
        return True

    @property
    def _next(self) -> int:
        return len(self._core_of) % self._device.cores

    def _say(self, core: int, now: Instant) -> str:
        others = sum(done > now for number, work in enumerate(self._work) if number != core for done in work)
        rest = f"the others {others or 'none'}"
        return f"core {core + 1} of {self._device.cores} has {len(self._work[core])} packets to do, {rest}"
