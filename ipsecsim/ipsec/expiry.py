"""When an SA is to be replaced, and when it ends: by time, bytes, packets or numbers (RFC 4301 4.4.2.1)."""

from enum import Enum

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.lifetime import Limits


class Limit(Enum):
    """What an SA has run out of; the value is the word for it."""

    TIME = "time"
    OCTETS = "bytes"
    PACKETS = "packets"
    SEQUENCE = "sequence numbers"

    @property
    def reason(self) -> DropReason:
        """Why the packet ends that finds the SA at this limit."""
        return DropReason.SEQ_EXHAUSTED if self is Limit.SEQUENCE else DropReason.SA_EXPIRED


def set_marks(sa: SecurityAssociation) -> None:
    """Compute where the next look at the limits is due, so that a common packet costs but three comparisons."""
    hard = sa.parameters.lifetime.hard
    soft = hard if sa.has_expired_softly else sa.parameters.lifetime.soft
    sa.look_at = sa.installed_at + min(soft.duration, hard.duration)
    # a soft limit is reached by the packet that fills it, a hard one by the packet that goes over it
    sa.look_octets = min(soft.octets - 1, hard.octets)
    sa.look_packets = min(soft.packets - 1, hard.packets)
    sa.look_sequence = min(sa.parameters.sequence + sa.look_packets, sa.last_sequence)
    if not sa.has_expired_softly:
        sa.look_sequence = min(sa.look_sequence, _soft_sequence(sa) - 1)


def hard_limit(sa: SecurityAssociation, length: int, now: Instant) -> Limit | None:
    """Which hard limit one more packet of so many bytes would go over; None when it may go."""
    # RFC 4303 3.3.3: the counter must never cycle
    if sa.parameters.direction is Direction.OUTBOUND and sa.sequence >= sa.last_sequence:
        return Limit.SEQUENCE
    return _first_over(sa.parameters.lifetime.hard, sa, sa.octets + length, sa.packets + 1, now)


def soft_limit(sa: SecurityAssociation, length: int, now: Instant) -> Limit | None:
    """Which soft limit one more packet of so many bytes reaches; None when that was told before."""
    if sa.has_expired_softly:
        return None
    if sa.parameters.direction is Direction.OUTBOUND and sa.sequence + 1 >= _soft_sequence(sa):
        return Limit.SEQUENCE
    soft = sa.parameters.lifetime.soft
    return _first_over(soft, sa, sa.octets + length + 1, sa.packets + 2, now)


def _first_over(
    limits: Limits, sa: SecurityAssociation, octets: int, packets: int, now: Instant
) -> Limit | None:
    if now >= sa.installed_at + limits.duration:
        return Limit.TIME
    if octets > limits.octets:
        return Limit.OCTETS
    return Limit.PACKETS if packets > limits.packets else None


def _soft_sequence(sa: SecurityAssociation) -> int:
    """The number that asks for a replacement: when a sixteenth of all of them is left."""
    return sa.last_sequence - (sa.last_sequence >> 4)
