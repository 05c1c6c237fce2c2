"""The clock on a node's wall: what it believes the date to be. It may be wrong, and it may jump."""

from ipsecsim.base.instant import CALENDAR_START, SECOND, Instant


class WallClock:
    """`start` is the date that it shows at instant 0, in seconds since 1970.

    Only certificates are judged by it. All that lasts a while is measured in instants, which never jump.
    """

    def __init__(self, start: int = CALENDAR_START) -> None:
        self._start = start

    def date(self, now: Instant) -> int:
        """What it shows, in seconds since 1970."""
        return self._start + now // SECOND

    def instant(self, date: int) -> Instant:
        """The instant at which it will show a date, or has shown it."""
        return (date - self._start) * SECOND

    def set(self, date: int, now: Instant) -> None:
        """Let it show a date now."""
        self._start = date - now // SECOND
