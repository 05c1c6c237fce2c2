"""What the far end of a flow notes: which packets came, how often, in which order, and how evenly."""

from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.application import Result

_SMOOTHING = 4  # RFC 3550 6.4.1: each packet moves the estimate by a sixteenth


class Arrivals:
    """Counts packets by their sequence numbers, which begin at 1 and never come again."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._seen: set[int] = set()
        self._last = 0
        self._transit: Duration | None = None
        self._jitter = 0  # sixteen times the estimate, as in RFC 3550 A.8

    def is_ours(self, sequence: int) -> bool:
        """Was a packet with this number sent? Who makes numbers up shall not fill our memory."""
        return 1 <= sequence <= self._result.sent

    def count(self, sequence: int, transit: Duration, now: Instant, data: int, packet: int) -> bool:
        """A packet of `packet` bytes with `data` bytes of payload came. True when it came before."""
        result = self._result
        if sequence in self._seen:
            result.repeated += 1
            return True
        self._seen.add(sequence)
        if sequence < self._last:
            result.overtaken += 1
        self._last = max(self._last, sequence)
        result.arrives(now, data, packet)
        if self._transit is not None:
            difference = abs(transit - self._transit)
            self._jitter += difference - ((self._jitter + (1 << _SMOOTHING >> 1)) >> _SMOOTHING)
            result.jitter = self._jitter >> _SMOOTHING
        self._transit = transit
        return False
