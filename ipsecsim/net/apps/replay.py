"""Sending once more what passed on a link, byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.application import Application

if TYPE_CHECKING:
    from ipsecsim.net.node import Node


class Sighting(NamedTuple):
    """A packet that passed on a link, and the neighbour it was for."""

    link: str
    next_hop: bytes
    packet: bytes


@dataclass(slots=True)
class SendAgain(Action):
    """Put a packet onto the link on which it was seen."""

    sighting: Sighting


class Replay(Application):
    """Sends `count` packets: those seen, in order and over and over, all at once or `interval` apart."""

    def __init__(
        self, node: "Node", seen: Sequence[Sighting], count: int, interval: Duration, now: Instant
    ) -> None:
        super().__init__(node, "replay")
        self._seen = seen
        self._left = count if seen else 0
        self._interval = interval
        self._next_at = now
        self._sent = 0

    def next_deadline(self) -> Instant | None:
        """When the next one is due; None when there are no more."""
        return self._next_at if self._left else None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Send what is due."""
        actions: list[Action] = []
        while self._left and self._next_at <= now:
            actions.append(SendAgain(self._seen[self._sent % len(self._seen)]))
            self._sent += 1
            self._left -= 1
            self._next_at += self._interval
        return actions
