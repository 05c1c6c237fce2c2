"""How long to wait for a peer, and when to ask whether it is still there (RFC 7296 2.1, 2.4)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.address import unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.events import (
    BeganAgain,
    HalfOpenExpired,
    LivenessChecked,
    MessageRetransmitted,
    PeerUnresponsive,
    TrustEnded,
)
from ipsecsim.ike.v2.children import child_life
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.duties.tasks import RekeyIke
from ipsecsim.ike.v2.exchanges import EXCHANGES
from ipsecsim.ike.v2.keying import followup
from ipsecsim.ike.v2.messages import courier, doubt, fragment_search, fragments
from ipsecsim.ike.v2.paths import following, moving
from ipsecsim.ike.v2.peer import diagnosis
from ipsecsim.ike.v2.renewal import idle, reauthentication
from ipsecsim.ike.v2.states import BEFORE_ANSWER, State
from ipsecsim.wire.ike.numbers import ExchangeType, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


PATIENCE_OF_FOLLOWER = 300 * SECOND  # RFC 4555 3.11: at least five minutes


def retransmit(sa: "IkeSa", now: Instant) -> list[Action]:
    """Send the outstanding request again, bit for bit unless its size is suspected, or give up."""
    waiting = sa.window.outstanding
    if waiting is None:
        return []
    policy = sa.connection.retransmit
    if waiting.sent_again >= most_tries(sa):
        if sa.tap is not None:
            exchange = name_of(ExchangeType, waiting.exchange)
            sa.tap(PeerUnresponsive(sa.spi_i, exchange, waiting.sent_again + 1))
        if len(sa.ways) > 1:
            tried = ", ".join(f"{unpack(way.local)} - {unpack(way.remote)}" for way in sa.ways)
            diagnosis.tell(sa, Diagnosis.MOBIKE_NO_PATH, f"no answer over {tried}")
        return _without_answer(sa, waiting.exchange, now)
    waiting.sent_again = times = waiting.sent_again + 1
    is_smaller = fragment_search.after_silence(sa)
    sa.timers.set(Alarm.RETRANSMIT, now + policy.wait(waiting.sent_again))
    if sa.tap is not None and not is_smaller:
        sa.tap(MessageRetransmitted(sa.spi_i, waiting.message_id, times))
    moving.suspect(sa, times)
    return courier.again(sa)


def _without_answer(sa: "IkeSa", exchange: int, now: Instant) -> list[Action]:
    """The peer seems dead: begin anew, or give up and do what is configured for the children."""
    tries = sa.connection.keyingtries
    if sa.state in BEFORE_ANSWER and (not tries or sa.attempt < tries):
        return _begin_again(sa, now)
    configs = [each.config for each in sa.children]
    actions = EXCHANGES[exchange].give_up(sa, now)
    for config in configs:
        actions += sa.node.react(config, config.dpd_action, now)
    return actions


def _begin_again(sa: "IkeSa", now: Instant) -> list[Action]:
    """The same once more, from the first message; so nothing is given up yet."""
    fresh = sa.node.another(sa)
    fresh.attempt = sa.attempt + 1
    reauthentication.hand_on(sa, fresh)
    if sa.tap is not None:
        sa.tap(BeganAgain(sa.connection.name, fresh.attempt))
    sa.agenda.hand_over(fresh.agenda)
    actions = [each for each in sa.fail() if not isinstance(each, ChildGivenUp)]
    actions += fresh.initiate(sa.wanted_child, now, sa.trigger)
    sa.node.adopt(fresh)
    return actions


def most_tries(sa: "IkeSa") -> int:
    """How often a request is sent again. Who only follows addresses gives the other side time (RFC 4555 3.11)."""
    policy, mobility = sa.connection.retransmit, sa.mobility
    if not mobility.is_on or mobility.decides:
        return policy.tries
    return policy.tries_within(PATIENCE_OF_FOLLOWER)


def check_liveness(sa: "IkeSa", now: Instant) -> list[Action]:
    """Ask for a sign of life when nothing was heard for `dpd_delay`."""
    if sa.state is not State.ESTABLISHED:
        return []
    sa.timers.set(Alarm.LIVENESS, now + sa.connection.dpd_delay)
    if sa.window.outstanding is not None:
        return []
    if sa.tap is not None:
        sa.tap(LivenessChecked(sa.spi_i))
    return sa.enqueue(following.sign_of_life(sa), now)


def end_trust(sa: "IkeSa", now: Instant) -> list[Action]:
    """What proved the peer's identity has expired: the SA does not outlive it (RFC 4301 4.4.2.1)."""
    if sa.tap is not None:
        sa.tap(TrustEnded(sa.spi_i, sa.connection.name))
    return sa.terminate(now)


def end_half_open(sa: "IkeSa", now: Instant) -> list[Action]:
    """An initiator that has begun and never proved itself is forgotten."""
    if sa.state is not State.INIT_ANSWERED:
        return []
    if sa.tap is not None:
        sa.tap(HalfOpenExpired(sa.spi_i))
    return sa.fail()


def end_fragments(sa: "IkeSa", now: Instant) -> list[Action]:
    """The rest of a message in fragments did not come."""
    fragments.expire(sa, now)
    return []


def end_chain(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer did not go on with its additional key exchanges: what was agreed on is forgotten."""
    followup.forget(sa)
    return []


def try_again(sa: "IkeSa", now: Instant) -> list[Action]:
    """What was put off has its time now."""
    sa.agenda.resume(now)
    sa.watch_agenda()
    return sa.next_task(now)


def rekey(sa: "IkeSa", now: Instant) -> list[Action]:
    """The IKE SA is to be replaced (RFC 7296 2.8)."""
    return sa.enqueue(RekeyIke(), now)


def reauthenticate(sa: "IkeSa", now: Instant) -> list[Action]:
    """Both ends are to prove anew who they are (RFC 7296 2.8.3)."""
    return reauthentication.begin(sa, now)


def end(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nothing has replaced the IKE SA in time: it goes anyway, and what is always to be up begins anew.

    An heir that has not inherited by now is one that the peer has never heard of.
    """
    return sa.fail() if sa.state is State.HEIR else child_life.begin_anew(sa, now)


ALARMS: dict[Alarm, Callable[["IkeSa", Instant], list[Action]]] = {
    Alarm.RETRANSMIT: retransmit,
    Alarm.LIVENESS: check_liveness,
    Alarm.DOUBT: doubt.end,
    Alarm.HALF_OPEN: end_half_open,
    Alarm.FRAGMENTS: end_fragments,
    Alarm.CHAIN: end_chain,
    Alarm.AGAIN: try_again,
    Alarm.REKEY: rekey,
    Alarm.REAUTH: reauthenticate,
    Alarm.OVER: end,
    Alarm.IDLE: idle.end,
    Alarm.TRUST: end_trust,
}
"""Every timer of an IKE SA, and what it rings for."""
