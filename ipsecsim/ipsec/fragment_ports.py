"""The ports of packets that come in fragments, kept from the first one for the later ones (RFC 4301 7.3, 7.4).

A later fragment that comes before its first one finds nothing here. It does not wait: whoever sends fragments out
of order to a rule with ports loses them.
"""

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.recent import Recent
from ipsecsim.ipsec.selector import Flow
from ipsecsim.wire import ip
from ipsecsim.wire.ip import FragmentKey

TIMEOUT = 30 * SECOND  # as long as fragments wait to be put together
MOST_PACKETS = 256


class FragmentPorts:
    """Bounded in number and in time."""

    def __init__(self) -> None:
        self._first: Recent[FragmentKey, Flow] = Recent(TIMEOUT, MOST_PACKETS)

    def __len__(self) -> int:
        return len(self._first)

    def clear(self) -> None:
        """Forget all of them."""
        self._first.clear()

    def remember(self, packet: bytes, flow: Flow, now: Instant) -> None:
        """Take in a first fragment."""
        self._first.remember(ip.fragment_key(packet), flow, now)

    def first_of(self, packet: bytes, now: Instant) -> Flow | None:
        """What the first fragment of the same packet showed, if it came before."""
        return self._first.get(ip.fragment_key(packet), now)
