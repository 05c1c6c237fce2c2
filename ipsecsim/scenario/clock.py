"""What a clock is set to: a date, or more or less than it shows."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.scenario import units
from ipsecsim.scenario.problems import Mistake

_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
PATTERN = r"[+-][0-9.]+ ?(s|m|min|h|d)|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?Z?"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A `date` in seconds since 1970, or a jump `by` so many nanoseconds."""

    date: int | None = None
    by: Duration = 0

    def at(self, shown: int) -> int:
        """The date that a clock shows afterwards which showed one before, both in seconds since 1970."""
        return shown + self.by // SECOND if self.date is None else self.date


def read_clock(text: str) -> ClockReading:
    """'2026-07-01', '2026-07-01 12:30' in UTC, '+1h', '-10d'. Raises Mistake."""
    if text[:1] in ("+", "-"):
        length = units.duration(text[1:])
        return ClockReading(by=length if text[0] == "+" else -length)
    plain = text.removesuffix("Z").replace("T", " ")
    for form in _FORMS:
        if not re.fullmatch(r"[0-9: -]+", plain):
            break
        try:
            return ClockReading(int(datetime.strptime(plain, form).replace(tzinfo=UTC).timestamp()))
        except ValueError:
            continue
    raise Mistake(f"'{text}' is no date; write for example 2026-07-01, 2026-07-01T12:30 or +1h")


def show_clock(date: int) -> str:
    """The date as in a file."""
    return datetime.fromtimestamp(date, UTC).strftime("%Y-%m-%dT%H:%M:%S")
