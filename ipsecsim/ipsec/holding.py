"""Packets that wait until their PROTECT rule has an SA (RFC 4301 5.1: an implementation may keep them)."""

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.timers import Timers

HOLD_LIMIT = 8  # packets that may wait for one policy's SA
HOLD_TIME = 30 * SECOND


class Holding:
    """A short queue for each rule, by the rule's name. What becomes of a packet afterwards is not decided here."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[bytes]] = {}
        self._timers: Timers[str] = Timers()

    def __len__(self) -> int:
        return sum(len(packets) for packets in self._waiting.values())

    def has_room(self, policy: str) -> bool:
        """May one more packet wait?"""
        return len(self._waiting.get(policy, ())) < HOLD_LIMIT

    def keep(self, policy: str, packet: bytes, now: Instant) -> bool:
        """Let a packet wait; True when it is the first, so that somebody must ask for an SA."""
        waiting = self._waiting.setdefault(policy, [])
        waiting.append(packet)
        if len(waiting) > 1:
            return False
        self._timers.set(policy, now + HOLD_TIME)
        return True

    def release(self, policy: str) -> list[bytes]:
        """All that wait for a rule, in the order they came; they wait no more."""
        self._timers.cancel(policy)
        return self._waiting.pop(policy, [])

    def next_deadline(self) -> Instant | None:
        """When packets run out of time."""
        return self._timers.next_deadline()

    def pop_expired(self, now: Instant) -> list[str]:
        """The rules whose packets have waited long enough."""
        return self._timers.pop_expired(now)
