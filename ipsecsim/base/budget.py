"""How often a node may still do what strangers make it do: a bucket of tokens (RFC 4443 2.4 (f))."""

from ipsecsim.base.instant import SECOND, Instant


class Budget:
    """Ten at once, and ten a second in the long run."""

    BURST = 10
    INTERVAL = SECOND // 10

    def __init__(self) -> None:
        self._full_at: Instant = 0  # when the bucket will be full again

    def spend(self, now: Instant) -> bool:
        """Take a token; False when there is none."""
        full_at = max(self._full_at, now) + self.INTERVAL
        if full_at - now > self.BURST * self.INTERVAL:
            return False
        self._full_at = full_at
        return True
