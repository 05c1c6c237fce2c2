"""A memory that is bounded in number and in time: what came first is forgotten first."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from ipsecsim.base.instant import Duration, Instant

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers `most` things for `lifetime`. It needs no timer: each use forgets what is too old."""

    def __init__(self, lifetime: Duration, most: int) -> None:
        self._lifetime = lifetime
        self._most = most
        self._known: dict[Key, tuple[Value, Instant]] = {}  # what ends first stands first

    def __len__(self) -> int:
        return len(self._known)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()

    def remember(self, key: Key, value: Value, now: Instant) -> None:
        """Take something in; of the same key only the last one is known."""
        self._forget_old(now)
        self._known.pop(key, None)
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[key] = value, now + self._lifetime

    def get(self, key: Key, now: Instant) -> Value | None:
        """What is known under a key; None when nothing is, or it is too old."""
        self._forget_old(now)
        known = self._known.get(key)
        return None if known is None else known[0]

    def _forget_old(self, now: Instant) -> None:
        while self._known:
            oldest = next(iter(self._known))
            if self._known[oldest][1] > now:
                return
            del self._known[oldest]
