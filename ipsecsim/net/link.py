"""Links: a cable of two ends or a LAN of more. They carry IP packets; there is no Ethernet and no ARP."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FRAME_SENT, FrameCorrupted, FrameDoubled, FrameLost
from ipsecsim.net.impairments import NONE, Fate, Impairments
from ipsecsim.net.priority_queue import Arrival, PriorityQueue

if TYPE_CHECKING:
    from ipsecsim.net.node import Node
    from ipsecsim.net.nodes.attacker import Attacker
    from ipsecsim.net.simulator import Simulator


@dataclass(slots=True)
class LinkOptions:
    """`rate` in bit/s (None: no serialisation delay); the queue is bounded in packets and, if given, in bytes.

    With `priority` the packet with the highest DSCP leaves first. `mtu`, `up` and `priority` are those of the link,
    all else may differ by direction.
    """

    delay: Duration = 0
    rate: int | None = None
    mtu: int = 1500
    queue_packets: int = 1000
    queue_bytes: int | None = None
    up: bool = True
    priority: bool = False
    impairments: Impairments = NONE

    def serialisation(self, size: int) -> Duration:
        """How long the bits of a packet take: whole nanoseconds, rounded up: the last bit has to be gone."""
        return 0 if self.rate is None else -(-size * 8 * SECOND // self.rate)


@dataclass(slots=True)
class _Sender:
    """One end's transmitter: when it is free again, and when what it holds will have left."""

    options: LinkOptions
    fate: Fate | None = None  # None: nothing happens by chance
    queue: PriorityQueue | None = None
    free_at: Instant = 0
    leaving: deque[tuple[Instant, int]] = field(default_factory=deque)


class Link:
    """Hands a packet to the neighbour that owns the next hop, after queue, serialisation and delay."""

    def __init__(
        self,
        name: str,
        simulator: "Simulator",
        options: LinkOptions,
        from_nodes: Mapping[str, LinkOptions] | None = None,
    ) -> None:
        self.name = name
        self.options = options
        self._from_nodes = dict(from_nodes or {})  # where the way from a node differs
        self._simulator = simulator
        self._owners: dict[bytes, tuple[Node, str]] = {}
        self._senders: dict[str, _Sender] = {}
        self._attackers: list[Attacker] = []

    def attach(self, node: "Node", interface: str, address: bytes) -> None:
        """Connect a node's interface; packets for `address` will go there."""
        self.join(node, interface, address)
        self._add_sender(node.name)

    def let_pass(self, attacker: "Attacker") -> None:
        """From now on all that is sent passes by this attacker, who may send too."""
        self._attackers = [*(each for each in self._attackers if each.name != attacker.name), attacker]
        if attacker.name not in self._senders:
            self._add_sender(attacker.name)

    def _add_sender(self, name: str) -> None:
        self._senders[name] = end = _Sender(self._from_nodes.get(name, self.options))
        self._equip(name, end)

    def change(self, setting: str, value: object, sender: str | None = None) -> None:
        """From now on a field of the options, or of the impairments, is another one for the packets of `sender`.

        Without `sender` it is that of the link, and of all directions in which it was the same.
        """
        if sender is not None:
            options = self._from_nodes.setdefault(sender, replace(self.options))
            self._senders[sender].options = options
            _set(options, setting, value)
        else:
            before = _get(self.options, setting)
            for options in (*self._from_nodes.values(), self.options):
                if _get(options, setting) == before:
                    _set(options, setting, value)
        for name, end in self._senders.items():
            self._equip(name, end)

    def _equip(self, sender: str, end: _Sender) -> None:
        """Give a transmitter what its options call for: chance, and a queue in which some go first."""
        options = end.options
        if end.fate is not None:
            end.fate.impairments = options.impairments
        elif options.impairments != NONE:
            chance = self._simulator.entropy.fork(f"link {self.name}").fork(f"from {sender}")
            end.fate = Fate(options.impairments, chance)
        if end.queue is None and self.options.priority and options.rate is not None:
            end.queue = PriorityQueue(self.name, self._simulator, options)

    def join(self, node: "Node", interface: str, address: bytes) -> None:
        """From now on packets for `address` go there."""
        self._owners[address] = (node, interface)

    def leave(self, address: bytes) -> None:
        """Nobody has this address any more; what is on its way already still comes to where it was."""
        self._owners.pop(address, None)

    @property
    def owners(self) -> Mapping[bytes, tuple["Node", str]]:
        """Who is on this link, by address."""
        return self._owners

    def carry(self, sender: "Node", interface: str, next_hop: bytes, packet: bytes) -> None:
        """Take a packet over from `sender`: schedule its arrival, or drop it with a reason."""
        simulator, end = self._simulator, self._senders[sender.name]
        frame = simulator.next_frame()
        if sender.tap is not None:
            sender.tap((FRAME_SENT, frame, self.name, interface, next_hop, packet))
        owner = self._owners.get(next_hop)
        if not self.options.up:
            self._lose(sender, frame, packet, DropReason.LINK_DOWN)
            return
        if owner is None:
            self._lose(sender, frame, packet, DropReason.NO_NEIGHBOUR)
            return
        for attacker in self._attackers:
            passed = packet if attacker is sender else attacker.passing(self.name, frame, next_hop, packet)
            if passed is None:
                self._lose(sender, frame, packet, DropReason.ADVERSARY_DROP)
                return
            packet = passed
        if end.queue is not None or end.fate is not None:
            self._carry_slowly(end, sender, owner, frame, packet)
            return
        wait = 0 if end.options.rate is None else self._wait(end, packet)
        if wait is None:
            self._lose(sender, frame, packet, DropReason.QUEUE_FULL)
            return
        node, arrives_at = owner
        simulator.deliver_after(wait + end.options.delay, node, arrives_at, self.name, frame, packet)

    def _carry_slowly(
        self, end: _Sender, sender: "Node", owner: tuple["Node", str], frame: int, packet: bytes
    ) -> None:
        """Where there is more to ask than how long it takes: what goes wrong by chance, and who goes first."""
        wait = self._wait(end, packet)
        if wait is None:
            self._lose(sender, frame, packet, DropReason.QUEUE_FULL)
            return
        if end.fate is None:
            arrivals: tuple[Arrival, ...] = (Arrival(*owner, frame, end.options.delay, packet),)
        else:
            arrivals = self._risk(end.fate, end.options.delay, sender, owner, frame, packet)
        if end.queue is not None:
            end.queue.take(packet, arrivals)
            return
        for node, arrives_at, each, travel, arriving in arrivals:
            self._simulator.deliver_after(wait + travel, node, arrives_at, self.name, each, arriving)

    def _risk(
        self,
        fate: Fate,
        delay: Duration,
        sender: "Node",
        owner: tuple["Node", str],
        frame: int,
        packet: bytes,
    ) -> tuple[Arrival, ...]:
        """What arrives of a frame: nothing, itself, or two of it, each perhaps with a wrong bit."""
        if fate.is_lost():
            self._lose(sender, frame, packet, DropReason.LINK_LOSS)
            return ()
        frames = [frame]
        if fate.is_doubled():
            frames.append(self._simulator.next_frame())
            if sender.tap is not None:
                sender.tap(FrameDoubled(frames[-1], frame, self.name))
        arrivals = []
        for each in frames:
            changed = fate.corrupted(packet)
            if changed is not None and sender.tap is not None:
                sender.tap(FrameCorrupted(each, self.name, changed))
            arrivals.append(Arrival(*owner, each, fate.delay(delay), changed or packet))
        return tuple(arrivals)

    def _wait(self, end: _Sender, packet: bytes) -> Duration | None:
        """How long until the last bit has left, or None when the queue is full. Nothing is queued for real.

        But for a priority queue, which knows how long only when the packet leaves.
        """
        if end.queue is not None:
            return None if end.queue.is_full(packet) else 0
        if end.options.rate is None:
            return 0
        now, size, leaving = self._simulator.now, len(packet), end.leaving
        while leaving and leaving[0][0] <= now:
            leaving.popleft()
        limit = end.options.queue_bytes
        is_full = len(leaving) > end.options.queue_packets or (
            limit is not None and leaving and sum(length for _, length in leaving) + size > limit
        )
        if is_full:
            return None
        end.free_at = max(end.free_at, now) + end.options.serialisation(size)
        leaving.append((end.free_at, size))
        return end.free_at - now

    def _lose(self, sender: "Node", frame: int, packet: bytes, reason: DropReason) -> None:
        if sender.tap is not None:
            sender.tap(FrameLost(frame, self.name))
            sender.tap(PacketDropped(reason, packet, f"on {self.name}"))


def _get(options: LinkOptions, setting: str) -> object:
    return getattr(options if hasattr(options, setting) else options.impairments, setting)


def _set(options: LinkOptions, setting: str, value: object) -> None:
    if hasattr(options, setting):
        setattr(options, setting, value)
    else:
        options.impairments = replace(options.impairments, **{setting: value})  # type: ignore[arg-type]
