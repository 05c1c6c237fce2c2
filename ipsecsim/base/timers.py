"""Named deadlines of one engine, popped in a fixed order."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from ipsecsim.base.instant import Instant

Name = TypeVar("Name", bound=Hashable)


class Timers(Generic[Name]):
    """At most one deadline for each name; setting it again moves it.

    The earliest one is known at once: a node with many timers asks for it with every packet.
    """

    def __init__(self) -> None:
        self._deadlines: dict[Name, Instant] = {}
        self._earliest: Instant | None = None
        self._is_earliest_known = True

    def set(self, name: Name, at: Instant) -> None:
        """Arm or move the timer `name`."""
        before = self._deadlines.get(name)
        self._deadlines[name] = at
        if self._earliest is None or at <= self._earliest:
            self._earliest = at
        elif before == self._earliest:
            self._is_earliest_known = False

    def cancel(self, name: Name) -> None:
        """Forget `name`; harmless when it is not armed."""
        if self._deadlines.pop(name, None) == self._earliest:
            self._is_earliest_known = False

    def deadline(self, name: Name) -> Instant | None:
        """When `name` is due, or None."""
        return self._deadlines.get(name)

    def next_deadline(self) -> Instant | None:
        """The earliest deadline, or None when nothing is armed."""
        if not self._is_earliest_known:
            self._earliest = min(self._deadlines.values(), default=None)
            self._is_earliest_known = True
        return self._earliest

    def pop_expired(self, now: Instant) -> list[Name]:
        """Remove and return the names due at `now`: earliest first, then in the order they were armed."""
        due = [(at, name) for name, at in self._deadlines.items() if at <= now]
        due.sort(key=lambda pair: pair[0])
        for _, name in due:
            self.cancel(name)
        return [name for _, name in due]
