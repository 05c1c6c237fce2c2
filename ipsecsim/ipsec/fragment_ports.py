"""The ports of packets that come in fragments, kept from the first one for the later ones (RFC 4301 7.3, 7.4).

A later fragment that comes before its first one finds nothing here. It does not wait: whoever sends fragments out
of order to a rule with ports loses them.
"""

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.ipsec.selector import Flow
from ipsecsim.wire import ip, ipv4, ipv6

Key = tuple[bytes, bytes, int, int]  # source, destination, protocol (IPv6: 0), identification

TIMEOUT = 30 * SECOND  # as long as fragments wait to be put together
MOST_PACKETS = 256


class FragmentPorts:
    """Bounded in number and in time: the oldest packet is forgotten first.

    `forgotten` counts those that made room for others, `timed_out` those whose time was over.
    """

    def __init__(self) -> None:
        self._first: dict[Key, tuple[Flow, Instant]] = {}  # what ends first stands first
        self.forgotten = 0
        self.timed_out = 0

    def __len__(self) -> int:
        return len(self._first)

    def clear(self) -> None:
        """Forget all of them."""
        self._first.clear()

    def remember(self, packet: bytes, flow: Flow, now: Instant) -> None:
        """Take in a first fragment."""
        self._forget_old(now)
        key = _key(packet)
        self._first.pop(key, None)
        while len(self._first) >= MOST_PACKETS:
            del self._first[next(iter(self._first))]
            self.forgotten += 1
        self._first[key] = flow, now + TIMEOUT

    def first_of(self, packet: bytes, now: Instant) -> Flow | None:
        """What the first fragment of the same packet showed, if it came before."""
        self._forget_old(now)
        known = self._first.get(_key(packet))
        return None if known is None else known[0]

    def _forget_old(self, now: Instant) -> None:
        while self._first:
            oldest = next(iter(self._first))
            if self._first[oldest][1] > now:
                return
            del self._first[oldest]
            self.timed_out += 1


def _key(packet: bytes) -> Key:
    ends = ip.source(packet), ip.destination(packet)
    if ip.version(packet) == 4:
        return *ends, packet[ipv4.PROTOCOL], packet[4] << 8 | packet[5]
    extension = ipv6.chain(packet).fragment
    # RFC 8200 4.5: addresses and identification; the protocol may differ from piece to piece
    return *ends, 0, 0 if extension is None else ipv6.read_fragment(packet, extension).identification
