"""Counters: what each node and each link has handled, counted from the recording."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, Told, TraceEvent, event_of
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent
from ipsecsim.net.turn import ARRIVAL, TURN
from ipsecsim.observe.record import Record
from ipsecsim.stack.events import PacketDelivered, PacketForwarded, PacketOriginated


@dataclass(slots=True)
class NodeCounters:
    """Packets and bytes of IP; `sent` and `received` count frames on all its links."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0
    originated: int = 0
    forwarded: int = 0
    delivered: int = 0
    dropped: Counter[DropReason] = field(default_factory=Counter)


@dataclass(slots=True)
class LinkCounters:
    """What was put onto a link, in both directions; `lost` of these never came off."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0


@dataclass(slots=True)
class Counters:
    """By name, in the order of first appearance. Names that the recording never mentions are missing."""

    nodes: dict[str, NodeCounters] = field(default_factory=dict)
    links: dict[str, LinkCounters] = field(default_factory=dict)

    def add(self, node_name: str, event: TraceEvent) -> None:
        """Count what a node told."""
        node = self.nodes.setdefault(node_name, NodeCounters())
        if isinstance(event, FrameSent):
            link = self.links.setdefault(event.link, LinkCounters())
            link.packets += 1
            link.bytes += len(event.packet)
            node.packets_sent += 1
            node.bytes_sent += len(event.packet)
        elif isinstance(event, FrameArrived):
            node.packets_received += 1
            node.bytes_received += len(event.packet)
        elif isinstance(event, FrameLost):
            self.links.setdefault(event.link, LinkCounters()).lost += 1
        elif isinstance(event, PacketOriginated):
            node.originated += 1
        elif isinstance(event, PacketForwarded):
            node.forwarded += 1
        elif isinstance(event, PacketDelivered):
            node.delivered += 1
        elif isinstance(event, PacketDropped):
            node.dropped[event.reason] += 1


def count(rows: Iterable[Record]) -> Counters:
    """Count all rows, or those up to the cursor."""
    counters = Counters()
    for row in rows:
        counters.add(row.node, row.event)
    return counters


class Counting:
    """An observer that counts and keeps nothing else."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._node = ""

    def tell(self, told: Told) -> None:
        """Take what a simulator tells."""
        if isinstance(told, tuple) and told[0] in (TURN, ARRIVAL):
            self._node = told[3]
            if told[0] == ARRIVAL:
                self.counters.add(self._node, FrameArrived(*told[5:]))
        else:
            self.counters.add(self._node, event_of(told))
