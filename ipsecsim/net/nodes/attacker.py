"""An attacker on the path: it sees what passes on the links it taps, takes it out, spoils it, sends it again.

It has no keys. It acts within the turn of whoever sends, as if it stood at that end of the link.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.apps.replay import Replay, SendAgain, Sighting
from ipsecsim.net.events import (
    BitFlipped,
    BytesChanged,
    FrameCorrupted,
    NothingSeen,
    PacketReplayed,
    PassingSelected,
)
from ipsecsim.net.link import Link
from ipsecsim.net.node import Node
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.tampering import Mask, flipped, masked
from ipsecsim.stack.interface import Interface

MOST_SEEN = 10_000
"""Packets that an attacker remembers; the oldest is forgotten first."""

Fits = Callable[[str, bytes], bool]
"""Is this the kind of packet that is meant, on this link?"""


class Deed(Enum):
    """What is done to a packet that passes."""

    FLIP = "flip bits"
    DROP = "take out"


@dataclass(slots=True)
class Order:
    """What is done to the packets that fit: `left` times, None for always, and no two within `interval`.

    Bits are flipped as the `mask` says; without one it is one bit, by chance.
    """

    deed: Deed
    fits: Fits
    left: int | None = None
    interval: Duration = 0
    mask: Mask | None = None
    rests_until: Instant = 0

    def takes(self, link: str, packet: bytes, now: Instant) -> bool:
        """Is this packet one of those? Then it is counted."""
        if self.left == 0 or now < self.rests_until or not self.fits(link, packet):
            return False
        if self.left is not None:
            self.left -= 1
        self.rests_until = now + self.interval
        return True


class Attacker(Node):
    """A node that may be on no link at all: it taps them."""

    def __init__(self, name: str, simulator: Simulator, interfaces: list[tuple[Interface, Link]]) -> None:
        super().__init__(name, simulator, interfaces)
        self._seen: deque[Sighting] = deque(maxlen=MOST_SEEN)
        self._orders: list[Order] = []
        self._chance = self.entropy.fork("flip")
        self._performers[SendAgain] = self._send_again

    def tap_link(self, link: Link) -> None:
        """Tap a link: see all that passes there from now on, and be able to send."""
        self._links[link.name] = link
        link.let_pass(self)

    def order(self, order: Order, words: str) -> None:
        """From now on do something to packets that pass; `words` say what."""
        self._orders.append(order)
        if self.tap is not None:
            self.tap(PassingSelected(words))

    def replay(self, fits: Fits, count: int | None, interval: Duration) -> None:
        """Send again what was seen and fits: each packet once, or `count` in all."""
        chosen = [each for each in self._seen if fits(each.link, each.packet)]
        if not chosen and self.tap is not None:
            self.tap(NothingSeen())
        number = len(chosen) if count is None else count
        self.run(Replay(self, chosen, number, interval, self.simulator.now))

    def passing(self, link: str, frame: int, next_hop: bytes, packet: bytes) -> bytes | None:
        """A frame passes: what goes on of it; None when it is taken out."""
        self._seen.append(Sighting(link, next_hop, packet))
        now = self.simulator.now
        for order in self._orders:
            if not order.takes(link, packet, now):
                continue
            if order.deed is Deed.DROP:
                return None
            packet = self._changed(order.mask, link, frame, packet)
        return packet

    def _changed(self, mask: Mask | None, link: str, frame: int, packet: bytes) -> bytes:
        told: BitFlipped | BytesChanged
        if mask is None:
            packet, bit = flipped(packet, self._chance)
            told = BitFlipped(self.name, link, frame, bit)
        else:
            packet, at = masked(packet, mask)
            told = BytesChanged(self.name, link, frame, at, mask.bits)
        if self.tap is not None:
            self.tap(told)
            self.tap(FrameCorrupted(frame, link, packet))
        return packet

    def _send_again(self, action: SendAgain) -> None:
        link, next_hop, packet = action.sighting
        if self.tap is not None:
            self.tap(PacketReplayed(link, packet))
        self._links[link].carry(self, link, next_hop, packet)
