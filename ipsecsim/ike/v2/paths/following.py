"""MOBIKE, what either side does when the other one speaks of addresses; above all the side that only follows.

UPDATE_SA_ADDRESSES moves the IKE SA at once. The Child SAs come after it once the peer has shown that it receives
at its new address (RFC 4555 3.5 to 3.8).
"""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.mobility_events import (
    AddressLost,
    AddressUpdateRefused,
    PathChanged,
    RoutabilityChecked,
)
from ipsecsim.ike.v2.duties.tasks import Inform, Purpose, Roam
from ipsecsim.ike.v2.messages.message import Answer, Message, Path, notify
from ipsecsim.ike.v2.paths import mobility_notifies, moving
from ipsecsim.ike.v2.paths.mobility import (
    ask,
    candidates,
    carry,
    has_news,
    learn,
    own_addresses,
    plan,
    search,
)
from ipsecsim.ike.v2.paths.nat import detect, detection_notifies
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def check(sa: "IkeSa", message: Message) -> None:
    """Raise InvalidSyntax for what is wrong about addresses, before anything else of the message is done."""
    if sa.mobility.is_on:
        mobility_notifies.read_cookie2(message.payloads)
        mobility_notifies.read_additional(message.payloads)
        mobility_notifies.was_changed_on_the_way(message)


def react(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Take in what an INFORMATIONAL request says of addresses. Raises InvalidSyntax."""
    if not sa.mobility.is_on:
        return Answer([])
    payloads = message.payloads
    cookie = mobility_notifies.read_cookie2(payloads)
    back: list[Payload] = [] if cookie is None else [cookie]
    listed, is_update = None, False
    if sa.state is State.ESTABLISHED:  # what is replaced or on its way out moves no more
        listed = mobility_notifies.read_additional(payloads)
        is_update = not sa.mobility.decides and bool(notify(payloads, NotifyType.UPDATE_SA_ADDRESSES))
    if is_update or listed is not None:
        refusal = _refusal(sa, message, is_update=is_update)
        if refusal is not None:
            return Answer([Notify(refusal), *back])
    if notify(payloads, NotifyType.NAT_DETECTION_SOURCE_IP):
        back = [*detection_notifies(sa, message.path), *back]
    has_changed = learn(sa, payloads, message.path) if listed is not None else False
    if is_update:
        return Answer(back, afterwards=lambda: _follow(sa, message, now))
    if has_changed and sa.mobility.decides:
        return Answer(back, afterwards=lambda: moving.peer_has_moved(sa, now))
    return Answer(back)


def told(sa: "IkeSa", task: Roam, message: Message, now: Instant) -> list[Action]:
    """The answer to one of our own messages. A cookie that was changed is the end of the IKE SA (RFC 4555 3.7)."""
    mobility, cookie = sa.mobility, notify(message.payloads, NotifyType.COOKIE2)
    is_good = cookie is not None and cookie.data == task.cookie
    if sa.tap is not None and (task.purpose is Purpose.CHECK or not is_good):
        sa.tap(RoutabilityChecked(sa.spi_i, message.path.remote, is_good))
    if not is_good:
        return sa.fail()
    if task.purpose is Purpose.UPDATE:
        return moving.updated(sa, task, message, now)
    if task.purpose is Purpose.CHECK:
        # sent to several addresses, its answer does not tell which of them the peer is at
        if task.round != mobility.round:
            return []
        return plan(sa, Purpose.CHECK) if mobility.is_spread else carry(sa)
    if moving.meets_nat(sa, message):
        return plan(sa, Purpose.ANNOUNCE)
    # what an announcement means depends on the address that it came from (RFC 4555 3.6)
    return plan(sa, Purpose.ANNOUNCE) if mobility.is_spread else []


def own_addresses_changed(sa: "IkeSa", preferred: bytes | None, now: Instant) -> list[Action]:
    """Ours are others now. Who follows uses another one only if the present one is gone (RFC 4555 3.5, 3.6)."""
    mobility = sa.mobility
    if not mobility.is_on:
        return _without_mobike(sa)
    own = own_addresses(sa)
    is_gone = sa.path.local not in own
    if is_gone and sa.tap is not None:
        sa.tap(
            AddressLost(
                sa.spi_i, sa.path.local, "MOBIKE looks for another one" if own else "there is no other"
            )
        )
    if mobility.decides:
        return moving.own_addresses_changed(sa, preferred, now)
    if not is_gone:
        return ask(sa, Purpose.ANNOUNCE, now) if has_news(sa) else []
    search(sa, "our address is gone")
    ways = candidates(sa)
    if not ways:
        return []
    sa.path = ways[0]
    return carry(sa) + moving.send_now(sa, now) + ask(sa, Purpose.ANNOUNCE, now)


def sign_of_life(sa: "IkeSa") -> Inform:
    """The question whether the peer lives. Who is behind a NAT asks as what it is seen, too (RFC 4555 3.8)."""
    asks = sa.mobility.is_on and sa.mobility.decides and sa.we_are_behind_nat
    return Inform(detection_notifies(sa, sa.path) if asks else ())


def _refusal(sa: "IkeSa", message: Message, *, is_update: bool) -> NotifyType | None:
    """Why these addresses are not taken, if they are not (RFC 4555 3.9, 3.5)."""
    path, kind, why = message.path, NotifyType.UNEXPECTED_NAT_DETECTED, "somebody on the way has changed them"
    if not mobility_notifies.was_changed_on_the_way(message):
        mobike = sa.connection.mobike
        if not is_update or mobike is None or mobike.allows(path.remote):
            return None
        kind, why = NotifyType.UNACCEPTABLE_ADDRESSES, "our policy does not allow them"
    if sa.tap is not None:
        sa.tap(AddressUpdateRefused(sa.spi_i, (path.local, path.remote), by_peer=False, why=why))
    return kind


def _follow(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """The peer wants these addresses: the newest ones win (RFC 4555 3.5)."""
    mobility, before, path = sa.mobility, sa.path, message.path
    local, remote = detect(message)
    sa.we_are_behind_nat, sa.peer_is_behind_nat = local, remote or sa.connection.encap
    sa.path = path
    mobility.round += 1
    mobility.is_searching = False
    if sa.tap is not None and before != path:
        pairs = (before.local, before.remote), (path.local, path.remote)
        sa.tap(PathChanged(sa.spi_i, *pairs, by_peer=True))
    mobike = sa.connection.mobike
    checks = mobike is not None and mobike.checks_routability
    if not checks or _peer(path) == _peer(sa.carrier.path):
        return carry(sa)
    # what is open was to go to an address that the peer has left
    return moving.send_now(sa, now) + ask(sa, Purpose.CHECK, now)


def _peer(path: Path) -> tuple[bytes, int]:
    return path.remote, path.remote_port


def _without_mobike(sa: "IkeSa") -> list[Action]:
    """The IKE SA belongs to an address. While there is no other, that one may come back."""
    own = sa.node.addresses or ()
    if not own or sa.path.local in own or sa.state is State.DEAD:
        return []
    if sa.tap is not None:
        sa.tap(AddressLost(sa.spi_i, sa.path.local, "without MOBIKE the IKE SA ends with it"))
    return sa.fail()
