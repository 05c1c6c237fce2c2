"""MOBIKE, the side that decides: it began the first IKE SA, and chooses the addresses (RFC 4555 3.5, 3.10)."""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.ike.mobility_events import AddressUpdateRefused, NatMappingChanged, PathChanged
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.duties.tasks import Inform, Purpose, Roam
from ipsecsim.ike.v2.messages import courier, fragment_search
from ipsecsim.ike.v2.messages.message import Message, Path, notify
from ipsecsim.ike.v2.paths.mobility import ask, candidates, carry, has_news, own_addresses, plan, search
from ipsecsim.ike.v2.paths.nat import detect
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

SUSPICIOUS_AFTER = 2  # retransmissions without an answer
MOST_UNEXPECTED_NATS = 5  # as often as a request is sent again (RFC 4555 3.9)
HINTS_APART = 10 * SECOND
SEARCHES_APART = SECOND


def seek(sa: "IkeSa", now: Instant, why: str, preferred: bytes | None = None) -> list[Action]:
    """Find a way that works: the only one is taken at once, of several the first to answer.

    `preferred` is the one of our addresses that we would like to use: it is taken at once, too.
    """
    ways = candidates(sa)
    liked = [each for each in ways if each.local == preferred]
    if liked or len(ways) == 1:
        return move_to(sa, (liked or ways)[0], now)
    search(sa, why)
    if not ways:
        return []
    if sa.window.outstanding is None:
        return sa.enqueue(Inform(), now, first=True)
    return send_now(sa, now)


def move_to(sa: "IkeSa", path: Path, now: Instant, *, is_proven: bool = False) -> list[Action]:
    """Use these addresses from now on, and tell the peer so (RFC 4555 3.5).

    The Child SAs come along at once, unless it is an address of the peer that has not answered yet.
    """
    mobility, before = sa.mobility, sa.path
    sa.path = path
    mobility.is_searching = False
    mobility.round += 1
    if sa.tap is not None and path != before:
        pairs = (before.local, before.remote), (path.local, path.remote)
        sa.tap(PathChanged(sa.spi_i, *pairs, by_peer=False))
    is_known = is_proven or path.remote == sa.carrier.path.remote or not _checks(sa)
    actions = carry(sa) if is_known else []
    return actions + send_now(sa, now) + ask(sa, Purpose.UPDATE, now)


def suspect(sa: "IkeSa", sent_again: int) -> None:
    """A request was sent again and again without an answer: perhaps another way works (RFC 4555 3.5)."""
    mobility = sa.mobility
    is_ours = mobility.is_on and mobility.decides and sa.state is State.ESTABLISHED
    if not is_ours or mobility.is_searching or sent_again < SUSPICIOUS_AFTER or len(candidates(sa)) < 2:
        return
    search(sa, "no answer on the present one")
    if isinstance(sa.task, Roam) and sa.task.purpose is Purpose.UPDATE:
        plan(sa, Purpose.UPDATE)  # by whichever way this one goes, the peer has to be told again


def answered(sa: "IkeSa", path: Path, now: Instant) -> list[Action]:
    """An authentic answer came: if ways are tried, this is the one that works."""
    mobility = sa.mobility
    if not mobility.is_searching or sa.state is not State.ESTABLISHED:
        return []
    ends = path.local, path.remote
    found = next((each for each in candidates(sa) if (each.local, each.remote) == ends), None)
    if found is None:
        # nothing was sent there, so somebody on the way has changed an address: it proves no way
        sa.agenda.postpone(Inform(), now + SEARCHES_APART)
        sa.watch_agenda()
        return []
    if mobility.decides:
        if found != sa.path:
            return move_to(sa, found, now, is_proven=True)
        mobility.is_searching = False
        return []
    mobility.is_searching = False
    sa.path = found
    return carry(sa)


def updated(sa: "IkeSa", task: Roam, message: Message, now: Instant) -> list[Action]:
    """The peer's answer to new addresses. An answer that came too late decides nothing (RFC 4555 3.5)."""
    mobility = sa.mobility
    if task.round != mobility.round:
        return []
    if meets_nat(sa, message):
        return plan(sa, Purpose.UPDATE)
    if notify(message.payloads, NotifyType.UNEXPECTED_NAT_DETECTED):
        return _refused(sa, now, "somebody on the way changes our addresses")
    if notify(message.payloads, NotifyType.UNACCEPTABLE_ADDRESSES):
        return _refused(sa, now, "the peer's policy does not allow them")
    read_nats(sa, message)
    return carry(sa)


def meets_nat(sa: "IkeSa", message: Message) -> bool:
    """Did somebody change our addresses, and is that worth another try (RFC 4555 3.9)?"""
    mobility = sa.mobility
    if notify(message.payloads, NotifyType.UNEXPECTED_NAT_DETECTED) is None:
        mobility.unexpected_nats = 0
        return False
    mobility.unexpected_nats += 1
    return mobility.unexpected_nats <= MOST_UNEXPECTED_NATS


def read_nats(sa: "IkeSa", message: Message) -> None:
    """Is there a NAT on the new way, and as what does the peer see us?"""
    if notify(message.payloads, NotifyType.NAT_DETECTION_SOURCE_IP) is None:
        return
    local, remote = detect(message)
    sa.we_are_behind_nat, sa.peer_is_behind_nat = local, remote or sa.connection.encap
    note_mapping(sa, message)


def note_mapping(sa: "IkeSa", message: Message) -> bool:
    """Remember as what the peer sees us. True when that is not what it was (RFC 4555 3.8)."""
    seen = notify(message.payloads, NotifyType.NAT_DETECTION_DESTINATION_IP)
    if seen is None:
        return False
    before, sa.mobility.seen_as = sa.mobility.seen_as, seen.data
    return before != seen.data


def compare_mapping(sa: "IkeSa", message: Message) -> list[Action]:
    """A sign of life told as what the peer sees us: if a NAT has changed that, the SAs have to follow."""
    mobility = sa.mobility
    if not (mobility.is_on and mobility.decides and sa.we_are_behind_nat) or not note_mapping(sa, message):
        return []
    mobility.round += 1
    if sa.tap is not None:
        sa.tap(NatMappingChanged(sa.spi_i))
    return plan(sa, Purpose.UPDATE)


def peer_has_moved(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer's addresses are others now; if the present one is none of them, there has to be another way."""
    if sa.path.remote in sa.mobility.peer_addresses:
        return []
    return seek(sa, now, "the peer has left its address")


def own_addresses_changed(sa: "IkeSa", preferred: bytes | None, now: Instant) -> list[Action]:
    """Ours are others now: go to the preferred one, away from one that is gone, or only tell the peer."""
    mobility = sa.mobility
    mobility.refused = ()
    if sa.path.local not in own_addresses(sa):
        return seek(sa, now, "our address is gone", preferred)
    if mobility.is_searching:
        return seek(sa, now, "our addresses have changed", preferred)
    if preferred != sa.path.local and any(each.local == preferred for each in candidates(sa)):
        return seek(sa, now, "another of our addresses is better", preferred)
    return ask(sa, Purpose.ANNOUNCE, now) if has_news(sa) else []


def hint(sa: "IkeSa", now: Instant, mtu: int) -> list[Action]:
    """Somebody says that the path is broken. It may be a lie: the peer is asked before anything else (3.5).

    With an `mtu` it is only too narrow for what was sent.
    """
    if mtu:
        return send_now(sa, now) if fragment_search.told(sa, mtu) else []
    mobility = sa.mobility
    is_too_soon = mobility.checked_at is not None and now < mobility.checked_at + HINTS_APART
    if sa.state is not State.ESTABLISHED or sa.window.outstanding is not None or is_too_soon:
        return []
    mobility.checked_at = now
    return sa.enqueue(Inform(), now)


def _refused(sa: "IkeSa", now: Instant, why: str) -> list[Action]:
    """Try other addresses; where there are none, stay with those that the Child SAs have."""
    mobility, path = sa.mobility, sa.path
    pair = (path.local, path.remote)
    mobility.refused = (*mobility.refused[-7:], pair)
    mobility.unexpected_nats = 0
    if sa.tap is not None:
        sa.tap(AddressUpdateRefused(sa.spi_i, pair, by_peer=True, why=why))
    if candidates(sa):
        return seek(sa, now, "the peer refuses these addresses")
    return []


def _checks(sa: "IkeSa") -> bool:
    return sa.connection.mobike is None or sa.connection.mobike.checks_routability


def send_now(sa: "IkeSa", now: Instant) -> list[Action]:
    """The outstanding request goes unchanged from the new addresses, and its patience begins anew (3.5)."""
    waiting = sa.window.outstanding
    if waiting is None:
        return []
    waiting.sent_again = 0
    sa.timers.set(Alarm.RETRANSMIT, now + sa.connection.retransmit.wait(0))
    return courier.again(sa)
