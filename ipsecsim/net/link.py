"""Links: a cable of two ends or a LAN of more. They carry IP packets; there is no Ethernet and no ARP."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameLost, FrameSent

if TYPE_CHECKING:
    from ipsecsim.net.node import Node
    from ipsecsim.net.simulator import Simulator


@dataclass(slots=True)
class LinkOptions:
    """`rate` in bit/s (None: no serialisation delay); the queue is bounded in packets and, if given, in bytes."""

    delay: Duration = 0
    rate: int | None = None
    mtu: int = 1500
    queue_packets: int = 1000
    queue_bytes: int | None = None
    up: bool = True


@dataclass(slots=True)
class _Sender:
    """One end's transmitter: when it is free again, and when what it holds will have left."""

    free_at: Instant = 0
    leaving: deque[tuple[Instant, int]] = field(default_factory=deque)


class Link:
    """Hands a packet to the neighbour that owns the next hop, after queue, serialisation and delay."""

    def __init__(self, name: str, simulator: "Simulator", options: LinkOptions) -> None:
        self.name = name
        self.options = options
        self._simulator = simulator
        self._owners: dict[bytes, tuple[Node, str]] = {}
        self._senders: dict[str, _Sender] = {}

    def attach(self, node: "Node", interface: str, address: bytes) -> None:
        """Connect a node's interface; packets for `address` will go there."""
        self._owners[address] = (node, interface)
        self._senders[node.name] = _Sender()

    @property
    def owners(self) -> Mapping[bytes, tuple["Node", str]]:
        """Who is on this link, by address."""
        return self._owners

    def carry(self, sender: "Node", interface: str, next_hop: bytes, packet: bytes) -> None:
        """Take a packet over from `sender`: schedule its arrival, or drop it with a reason."""
        simulator, options = self._simulator, self.options
        frame = simulator.next_frame()
        if sender.tap is not None:
            sender.tap(FrameSent(frame, self.name, interface, next_hop, packet))
        owner = self._owners.get(next_hop)
        if not options.up:
            self._lose(sender, frame, packet, DropReason.LINK_DOWN)
            return
        if owner is None:
            self._lose(sender, frame, packet, DropReason.NO_NEIGHBOUR)
            return
        wait = options.delay
        if options.rate is not None:
            now = simulator.now
            departure = self._departure(self._senders[sender.name], len(packet), options.rate, now)
            if departure is None:
                self._lose(sender, frame, packet, DropReason.QUEUE_FULL)
                return
            wait += departure - now
        node, arrives_at = owner
        simulator.deliver_after(wait, node, arrives_at, self.name, frame, packet)

    def _departure(self, sender: _Sender, size: int, rate: int, now: Instant) -> Instant | None:
        """When the last bit will have left, or None when the queue is full. Nothing is queued for real."""
        leaving = sender.leaving
        while leaving and leaving[0][0] <= now:
            leaving.popleft()
        limit = self.options.queue_bytes
        is_full = len(leaving) > self.options.queue_packets or (
            limit is not None and leaving and sum(length for _, length in leaving) + size > limit
        )
        if is_full:
            return None
        # whole nanoseconds, rounded up: a bit is not gone before it is gone
        serialisation = -(-size * 8 * SECOND // rate)
        sender.free_at = max(sender.free_at, now) + serialisation
        leaving.append((sender.free_at, size))
        return sender.free_at

    def _lose(self, sender: "Node", frame: int, packet: bytes, reason: DropReason) -> None:
        if sender.tap is not None:
            sender.tap(FrameLost(frame, self.name))
            sender.tap(PacketDropped(reason, packet, f"on {self.name}"))
