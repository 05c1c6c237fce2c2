"""What a link does to packets by chance, in the words and the meaning of Linux netem: each from its own stream.

A packet that varies in delay may overtake another, as there.
"""

from dataclasses import dataclass
from statistics import NormalDist

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Duration

FINE = 1 << 53  # a chance is compared to whole numbers below this, so that it is the same on every machine
PARETO_SHAPE = 3.0
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Burst:
    """Losses that come in bursts, after Gilbert and Elliott: chances in percent, from packet to packet.

    `turns_bad` and `turns_good` move between two states; `lost` says what is lost in the bad and in the good one.
    """

    turns_bad: float
    turns_good: float
    lost: tuple[float, float] = (100.0, 0.0)


@dataclass(frozen=True, slots=True)
class Impairments:
    """Chances in percent. `jitter` spreads the delay by `distribution`: uniform, normal, pareto or paretonormal."""

    jitter: Duration = 0
    distribution: str = "normal"
    loss: float | Burst = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    reorder: float = 0.0


NONE = Impairments()


class Fate:
    """What comes of one packet after the other in one direction of a link.

    Each kind of chance has a stream of its own, so that more loss does not change which packets are doubled.
    """

    def __init__(self, impairments: Impairments, entropy: Entropy) -> None:
        self.impairments = impairments
        self._entropy = entropy
        self._is_bad = False

    def is_lost(self) -> bool:
        """Does this packet never arrive?"""
        loss = self.impairments.loss
        if not isinstance(loss, Burst):
            return self._happens("loss", loss)
        leaves = loss.turns_good if self._is_bad else loss.turns_bad
        if self._happens("burst", leaves):
            self._is_bad = not self._is_bad
        return self._happens("loss", loss.lost[0 if self._is_bad else 1])

    def is_doubled(self) -> bool:
        """Does it arrive twice?"""
        return self._happens("duplicate", self.impairments.duplicate)

    def corrupted(self, packet: bytes) -> bytes | None:
        """The packet with one bit wrong, or None when all are right."""
        if not self._happens("corrupt", self.impairments.corrupt):
            return None
        bit = self._entropy.fork("bit").below(8 * len(packet))
        changed = bytearray(packet)
        changed[bit // 8] ^= 0x80 >> bit % 8
        return bytes(changed)

    def delay(self, usual: Duration) -> Duration:
        """How long it travels; one that is to overtake others does not travel at all."""
        if self._happens("reorder", self.impairments.reorder):
            return 0
        if not self.impairments.jitter:
            return usual
        return max(0, usual + round(self.impairments.jitter * self._spread()))

    def _spread(self) -> float:
        """A number around 0, spread by about 1."""
        drawn = (self._entropy.fork("jitter").below(FINE) + 0.5) / FINE
        kind = self.impairments.distribution
        if kind == "uniform":
            return 2 * drawn - 1
        if kind == "normal":
            return _NORMAL.inv_cdf(drawn)
        pareto = _pareto(drawn)
        return pareto if kind == "pareto" else (_NORMAL.inv_cdf(drawn) + 3 * pareto) / 4

    def _happens(self, what: str, percent: float) -> bool:
        if not percent:
            return False
        return self._entropy.fork(what).below(FINE) < percent / 100 * FINE


def _pareto(drawn: float) -> float:
    """A long tail upwards, with mean 0 and deviation 1."""
    shape = PARETO_SHAPE
    mean = shape / (shape - 1)
    deviation = (shape / ((shape - 1) ** 2 * (shape - 2))) ** 0.5
    return float(((1 - drawn) ** (-1 / shape) - mean) / deviation)
