"""Named deadlines of one engine, popped in a fixed order."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from ipsecsim.base.instant import Instant

Name = TypeVar("Name", bound=Hashable)


class Timers(Generic[Name]):
    """At most one deadline for each name; setting it again moves it."""

    def __init__(self) -> None:
        self._deadlines: dict[Name, Instant] = {}

    def set(self, name: Name, at: Instant) -> None:
        """Arm or move the timer `name`."""
        self._deadlines[name] = at

    def cancel(self, name: Name) -> None:
        """Forget `name`; harmless when it is not armed."""
        self._deadlines.pop(name, None)

    def deadline(self, name: Name) -> Instant | None:
        """When `name` is due, or None."""
        return self._deadlines.get(name)

    def next_deadline(self) -> Instant | None:
        """The earliest deadline, or None when nothing is armed."""
        return min(self._deadlines.values()) if self._deadlines else None

    def pop_expired(self, now: Instant) -> list[Name]:
        """Remove and return the names due at `now`: earliest first, then in the order they were armed."""
        due = [(at, name) for name, at in self._deadlines.items() if at <= now]
        due.sort(key=lambda pair: pair[0])
        for _, name in due:
            del self._deadlines[name]
        return [name for _, name in due]
