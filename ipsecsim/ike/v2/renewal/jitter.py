"""When a Child SA is to be replaced: a little before its time, at random, so that two ends seldom meet."""

from ipsecsim.base.entropy import Entropy
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ipsec.lifetime import ENDLESS, Lifetime, Limits


def drawn(config: ChildConfig, entropy: Entropy) -> Lifetime:
    """The limits of one pair: each soft one up to its jitter earlier than configured (RFC 7296 2.8.1).

    Nothing is drawn for a limit that the child does not have.
    """
    soft, most = config.options.lifetime.soft, config.jitter

    def early(limit: int, jitter: int) -> int:
        return limit if limit == ENDLESS else max(1, limit - entropy.below(jitter + 1))

    return Lifetime(
        Limits(
            early(soft.duration, most.duration),
            early(soft.octets, most.octets),
            early(soft.packets, most.packets),
        ),
        config.options.lifetime.hard,
    )
