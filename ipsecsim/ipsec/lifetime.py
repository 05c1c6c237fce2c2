"""How long an SA may live: in time, in bytes and in packets, whichever ends first (RFC 4301 4.4.2.1)."""

from dataclasses import dataclass

from ipsecsim.base.instant import Duration

ENDLESS = 1 << 64
"""More packets, bytes or nanoseconds than any SA will see."""


@dataclass(frozen=True, slots=True)
class Limits:
    """One threshold; what is not limited is ENDLESS. `octets` counts plaintext as it came to IPsec."""

    duration: Duration = ENDLESS
    octets: int = ENDLESS
    packets: int = ENDLESS


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The soft limit asks for a replacement, the hard limit ends the SA."""

    soft: Limits = Limits()
    hard: Limits = Limits()
