"""Simulated time: whole nanoseconds since the start of the run, so that no clock ever drifts."""

Instant = int
Duration = int

NANOSECOND: Duration = 1
MICROSECOND: Duration = 1_000
MILLISECOND: Duration = 1_000_000
SECOND: Duration = 1_000_000_000

CALENDAR_START = 1_767_225_600
"""When a run begins by the calendar, unless somebody says otherwise: 1 January 2026, 00:00 UTC.

Seconds since 1970. Only certificates ask for the date; nothing else knows more than the time since the start.
"""


def us(amount: float) -> Duration:
    """Microseconds as nanoseconds."""
    return round(amount * MICROSECOND)


def ms(amount: float) -> Duration:
    """Milliseconds as nanoseconds."""
    return round(amount * MILLISECOND)


def seconds(amount: float) -> Duration:
    """Seconds as nanoseconds."""
    return round(amount * SECOND)


def format_seconds(at: Instant, digits: int = 6) -> str:
    """`1_500_000_000` as '1.500000 s'. Exact: no floating point on the way."""
    sign = "-" if at < 0 else ""
    whole, rest = divmod(abs(at), SECOND)
    return f"{sign}{whole}.{rest:09d}"[: len(sign) + len(str(whole)) + 1 + digits] + " s"


def format_duration(length: Duration) -> str:
    """A duration in the unit a person would pick: '1.2 ms', '35 us', '4 s'."""
    for unit, name in ((SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "us")):
        if abs(length) >= unit:
            return f"{length / unit:.4g} {name}"
    return f"{length} ns"
