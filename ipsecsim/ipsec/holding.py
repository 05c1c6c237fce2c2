"""Packets that wait until their PROTECT rule has an SA (RFC 4301 5.1: an implementation may keep them)."""

from collections.abc import Iterator

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.timers import Timers
from ipsecsim.ipsec.selector import Selector

HOLD_LIMIT = 8  # packets that may wait for one policy's SA
HOLD_TIME = 30 * SECOND
MOST_QUEUES = 64  # a rule that populates its SAs from packets has one for each kind of packet

Queue = tuple[str, Selector | None]
"""A rule's name, and what the SA is to carry where that is only a part."""


class Holding:
    """A short queue for each SA that is wanted. What becomes of a packet afterwards is not decided here."""

    def __init__(self) -> None:
        self._waiting: dict[Queue, list[bytes]] = {}
        self._timers: Timers[Queue] = Timers()

    def __len__(self) -> int:
        return sum(len(packets) for packets in self._waiting.values())

    def has_room(self, queue: Queue) -> bool:
        """May one more packet wait?"""
        if queue not in self._waiting:
            return len(self._waiting) < MOST_QUEUES
        return len(self._waiting[queue]) < HOLD_LIMIT

    def keep(self, queue: Queue, packet: bytes, now: Instant) -> bool:
        """Let a packet wait; True when it is the first, so that somebody must ask for an SA."""
        waiting = self._waiting.setdefault(queue, [])
        waiting.append(packet)
        if len(waiting) > 1:
            return False
        self._timers.set(queue, now + HOLD_TIME)
        return True

    def items(self) -> Iterator[tuple[Queue, int]]:
        """Every queue, and how many packets wait in it."""
        return ((queue, len(packets)) for queue, packets in self._waiting.items())

    def queues(self) -> list[Queue]:
        """All queues, the oldest first."""
        return list(self._waiting)

    def of(self, policy: str) -> list[Queue]:
        """The queues of a rule."""
        return [queue for queue in self._waiting if queue[0] == policy]

    def release(self, queue: Queue) -> list[bytes]:
        """All that wait in a queue, in the order they came; they wait no more."""
        self._timers.cancel(queue)
        return self._waiting.pop(queue, [])

    def next_deadline(self) -> Instant | None:
        """When packets run out of time."""
        return self._timers.next_deadline()

    def pop_expired(self, now: Instant) -> list[Queue]:
        """The queues whose packets have waited long enough."""
        return self._timers.pop_expired(now)
