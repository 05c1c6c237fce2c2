"""Path MTUs that routers told about, for each destination (RFC 1191, RFC 8201)."""

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.events import PathMtuLowered
from ipsecsim.stack.icmp import IcmpError
from ipsecsim.wire import icmpv4, ip, ipv4, ipv6
from ipsecsim.wire.ipv6 import MINIMUM_MTU

LIFETIME = 600 * SECOND  # RFC 1191 6.3, RFC 8201 4: ten minutes, then larger packets are tried again
MOST_DESTINATIONS = 256


class PathMtuTable:
    """What is known to be smaller than the first link. Bounded; the oldest knowledge goes first."""

    def __init__(self, tap: Tap | None = None) -> None:
        self._tap = tap
        self.known: dict[bytes, tuple[int, Instant]] = {}  # MTU and its end; what ends first stands first

    def get(self, destination: bytes) -> int | None:
        """The path MTU towards a destination, or None when nobody said anything."""
        known = self.known.get(destination)
        return None if known is None else known[0]

    def lower(self, destination: bytes, mtu: int, now: Instant) -> None:
        """Take in a smaller path MTU. Never raises what is known (RFC 8201 4)."""
        if len(destination) == 4:
            mtu = max(mtu, ipv4.SMALLEST_PATH_MTU)
        elif mtu < MINIMUM_MTU:  # such a message is discarded (RFC 8201 4)
            return
        before = self.get(destination)
        if before is not None and before <= mtu:
            return
        self.known.pop(destination, None)
        while len(self.known) >= MOST_DESTINATIONS:
            del self.known[next(iter(self.known))]
        self.known[destination] = (mtu, now + LIFETIME)
        if self._tap is not None:
            self._tap(PathMtuLowered(destination, mtu))

    def next_deadline(self) -> Instant | None:
        """When the oldest entry is to be forgotten."""
        return next(iter(self.known.values()))[1] if self.known else None

    def forget_old(self, now: Instant) -> None:
        """Drop the entries whose time is over."""
        for destination in [each for each, (_, until) in self.known.items() if until <= now]:
            del self.known[destination]


def told_by(error: IcmpError) -> tuple[bytes, bytes] | None:
    """Source and destination of the packet that a too-big message quotes, of the message's own version.

    None when the header is cut short, or when the packet would have fitted: then the message is false.
    """
    quoted = error.quoted
    shortest = ipv4.HEADER_LENGTH if isinstance(error, icmpv4.IcmpError) else ipv6.HEADER_LENGTH
    version = 4 if isinstance(error, icmpv4.IcmpError) else 6
    if len(quoted) < shortest or ip.version(quoted) != version or ip.total_length(quoted) <= error.mtu:
        return None
    return ip.source(quoted), ip.destination(quoted)
