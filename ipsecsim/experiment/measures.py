"""What can be measured of traffic, as numbers: of several together, where a claim speaks of several."""

from collections.abc import Callable, Sequence

from ipsecsim.base.instant import SECOND
from ipsecsim.net.application import Result

Measure = Callable[[Sequence[Result]], float]


def _goodput(results: Sequence[Result]) -> float:
    """Bits of data a second, from the first sending to the last arrival."""
    return sum(8 * SECOND * each.data / each.duration for each in results if each.duration)


MEASURES: dict[str, Measure] = {
    "sent": lambda results: sum(each.sent for each in results),
    "received": lambda results: sum(each.received for each in results),
    "lost": lambda results: sum(each.lost for each in results),
    "rtt": lambda results: max((trip for each in results for trip in each.round_trips), default=0),
    "size": lambda results: max((each.largest for each in results), default=0),
    "jitter": lambda results: max((each.jitter for each in results), default=0),
    "goodput": _goodput,
    "duration": lambda results: max((each.duration for each in results), default=0),
    "hops": lambda results: max((len(each.hops) for each in results), default=0),
}
"""Times in nanoseconds, sizes in bytes with all headers, goodput in bit/s."""


def lost_share(results: Sequence[Result]) -> float:
    """How much of what was sent is lost, in percent."""
    sent = MEASURES["sent"](results)
    return 100 * MEASURES["lost"](results) / sent if sent else 0.0
