"""How long to wait for a peer, and when to ask whether it is still there (RFC 7296 2.1, 2.4)."""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.events import LivenessChecked, MessageRetransmitted, PeerUnresponsive, TrustEnded
from ipsecsim.ike.v2.exchanges import EXCHANGES
from ipsecsim.ike.v2.states import State
from ipsecsim.ike.v2.tasks import Inform
from ipsecsim.wire.ike.numbers import ExchangeType, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

RETRANSMIT = "retransmit"
LIVENESS = "liveness"
TRUST = "trust"


def retransmit(sa: "IkeSa", now: Instant) -> list[Action]:
    """Send the outstanding request again, bit for bit, or give up."""
    waiting = sa.window.outstanding
    if waiting is None:
        return []
    policy = sa.connection.retransmit
    if waiting.sent_again >= policy.tries:
        if sa.tap is not None:
            exchange = name_of(ExchangeType, waiting.exchange)
            sa.tap(PeerUnresponsive(sa.spi_i, exchange, waiting.sent_again + 1))
        return EXCHANGES[waiting.exchange].give_up(sa, now)
    waiting.sent_again += 1
    sa.timers.set(RETRANSMIT, now + policy.wait(waiting.sent_again))
    if sa.tap is not None:
        sa.tap(MessageRetransmitted(sa.spi_i, waiting.message_id, waiting.sent_again))
    return [sa.datagram(waiting.message, sa.path)]


def check_liveness(sa: "IkeSa", now: Instant) -> list[Action]:
    """Ask for a sign of life when nothing was heard for `dpd_delay`."""
    if sa.state is not State.ESTABLISHED:
        return []
    sa.timers.set(LIVENESS, now + sa.connection.dpd_delay)
    if sa.window.outstanding is not None:
        return []
    if sa.tap is not None:
        sa.tap(LivenessChecked(sa.spi_i))
    return sa.enqueue(Inform(), now)


def end_trust(sa: "IkeSa", now: Instant) -> list[Action]:
    """What proved the peer's identity has expired: the SA does not outlive it (RFC 4301 4.4.2.1)."""
    if sa.tap is not None:
        sa.tap(TrustEnded(sa.spi_i, sa.connection.name))
    return sa.terminate(now)
