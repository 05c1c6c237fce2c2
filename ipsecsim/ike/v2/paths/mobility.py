"""MOBIKE: what both sides of an IKE SA know of their addresses, and where a move stands (RFC 4555).

Who began the first IKE SA decides which addresses are used (`moving`); the other side follows (`following`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.actions import MoveChildSa
from ipsecsim.ike.errors import UnexpectedNat
from ipsecsim.ike.mobility_events import MobikeAgreed, PathsTried, PeerAddressesLearned
from ipsecsim.ike.v2.children.child import IP_PROTOCOL
from ipsecsim.ike.v2.duties.tasks import Purpose, Roam
from ipsecsim.ike.v2.messages.message import Message, Path, notify
from ipsecsim.ike.v2.paths import mobility_notifies
from ipsecsim.ike.v2.paths.nat import detection_notifies
from ipsecsim.ipsec.association import Direction, Outer
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

MOST_WAYS = 12  # over which one request goes at a time
COOKIE2_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the ESP and AH SAs of an IKE SA ride on: addresses and ports, and whether ESP is in UDP."""

    path: Path
    in_udp: bool


@dataclass(slots=True)
class Mobility:
    """Shared by an IKE SA and its heirs.

    `peer_addresses` are all that the peer is known to have; `told` are those that it was told of besides the one
    that it sees, None when nobody can say. `carrier` is what the Child SAs ride on, which may lag behind the path
    of the IKE SA. `round` counts the changes of that path. While `is_searching`, requests go over every way;
    `is_spread`: the outstanding one did.
    """

    decides: bool  # we began the first IKE SA
    is_on: bool = False
    peer_addresses: tuple[bytes, ...] = ()
    told: tuple[bytes, ...] | None = ()
    carrier: Carrier | None = None
    round: int = 0
    is_searching: bool = False
    is_spread: bool = False
    refused: tuple[tuple[bytes, bytes], ...] = ()
    seen_as: bytes = b""  # the hash of what the peer last saw as our address and port
    unexpected_nats: int = 0  # in a row
    checked_at: Instant | None = None  # when a hint last led to a check


# -- in IKE_AUTH ----------------------------------------------------------------------------------


def offer(sa: "IkeSa") -> list[Notify]:
    """What the request of IKE_AUTH says about MOBIKE (RFC 4555 3.2, 3.4, 3.9)."""
    if sa.connection.mobike is None:
        return []
    return [Notify(NotifyType.MOBIKE_SUPPORTED), *addresses(sa), *prohibition(sa, sa.path)]


def agree(sa: "IkeSa", message: Message) -> list[Notify]:
    """Take in the request's offer, and answer it. Raises UnexpectedNat."""
    if sa.connection.mobike is None or notify(message.payloads, NotifyType.MOBIKE_SUPPORTED) is None:
        return []
    if mobility_notifies.was_changed_on_the_way(message):
        raise UnexpectedNat("NO_NATS_ALLOWED differs from the headers of IKE_AUTH")
    begin(sa, message)
    return [Notify(NotifyType.MOBIKE_SUPPORTED), *addresses(sa)]


def begin(sa: "IkeSa", message: Message) -> None:
    """From now on addresses may change, if the peer's half of IKE_AUTH says so too."""
    mobility = sa.mobility
    if sa.connection.mobike is None or notify(message.payloads, NotifyType.MOBIKE_SUPPORTED) is None:
        return
    mobility.is_on = True
    mobility.carrier = Carrier(sa.path, sa.is_nat_between)
    if sa.tap is not None:
        sa.tap(MobikeAgreed(sa.spi_i, mobility.decides))
    learn(sa, message.payloads, message.path)


# -- addresses ------------------------------------------------------------------------------------


def own_addresses(sa: "IkeSa") -> tuple[bytes, ...]:
    """Those of this node that IKE may use; where nobody keeps a list, the one in use."""
    listed = sa.node.addresses
    return (sa.path.local,) if listed is None else listed


def addresses(sa: "IkeSa") -> list[Notify]:
    """Our addresses besides the one that the peer sees anyway."""
    sa.mobility.told = told = _others(sa)
    return mobility_notifies.additional(told)


def has_news(sa: "IkeSa") -> bool:
    """Are our further addresses others than those that the peer was told of?"""
    told = sa.mobility.told
    return told is None or set(_others(sa)) != set(told)


def _others(sa: "IkeSa") -> tuple[bytes, ...]:
    others = tuple(each for each in own_addresses(sa) if each != sa.path.local)
    return others[: mobility_notifies.MOST_ADDRESSES]


def learn(sa: "IkeSa", payloads: Sequence[Payload], path: Path) -> bool:
    """Take over the peer's list of addresses, if there is one (RFC 4555 3.6). True when it has changed."""
    listed = mobility_notifies.read_additional(payloads)
    mobility = sa.mobility
    if listed is None and mobility.peer_addresses:
        return False
    known = tuple(dict.fromkeys((path.remote, *(listed or ()))))
    if known == mobility.peer_addresses:
        return False
    mobility.peer_addresses, mobility.refused = known, ()
    if sa.tap is not None and listed is not None:
        sa.tap(PeerAddressesLearned(sa.spi_i, known))
    return True


def prohibition(sa: "IkeSa", path: Path) -> list[Notify]:
    """Without NAT traversal no NAT is allowed on the way (RFC 4555 3.9)."""
    return [] if sa.knows_nats else [mobility_notifies.no_nats_allowed(path)]


# -- ways -----------------------------------------------------------------------------------------


def candidates(sa: "IkeSa") -> list[Path]:
    """Every pair of addresses that might work, the peer's present one first, and of ours the best first."""
    mobility, path = sa.mobility, sa.path
    theirs = [each for each in mobility.peer_addresses if each != path.remote]
    if path.remote in mobility.peer_addresses or not theirs:
        theirs = [path.remote, *theirs]
    found = [
        _between(path, own, peer)
        for peer in theirs
        for own in own_addresses(sa)
        if len(own) == len(peer) and (own, peer) not in mobility.refused
    ]
    return found[:MOST_WAYS]


def _between(path: Path, own: bytes, peer: bytes) -> Path:
    """The peer's present port may be a NAT's; elsewhere it is the usual one."""
    return Path(own, path.local_port, peer, path.remote_port if peer == path.remote else path.local_port)


def ways(sa: "IkeSa") -> list[Path]:
    """Where a request of ours goes: over the path of the SA, or over every way while none is known to work."""
    mobility = sa.mobility
    if not mobility.is_searching:
        return [sa.path]
    found = candidates(sa)
    mobility.is_spread |= len(found) > 1
    return found


def search(sa: "IkeSa", why: str) -> None:
    """No way is known to work: from now on each is tried."""
    mobility = sa.mobility
    mobility.is_searching = True
    mobility.round += 1  # of an answer that comes now nobody can say by which way its request went
    if isinstance(sa.task, Roam):
        mobility.told = None  # nor from which of our addresses the list came (RFC 4555 3.6)
    if sa.tap is not None:
        sa.tap(PathsTried(sa.spi_i, why, tuple((each.local, each.remote) for each in candidates(sa))))


# -- Child SAs ------------------------------------------------------------------------------------


def carry(sa: "IkeSa", along: Path | None = None) -> list[Action]:
    """Let every Child SA go on where the IKE SA is by now (RFC 4555 3.5), or `along` a way of their own."""
    path = sa.path if along is None else along
    sa.mobility.carrier = after = Carrier(path, sa.is_nat_between)
    here, there = (path.local, path.local_port), (path.remote, path.remote_port)
    actions: list[Action] = []
    for child in sa.children:
        protocol = IP_PROTOCOL[child.protocol]
        inbound, outbound = _outer(there, here, after), _outer(here, there, after)
        actions += [
            MoveChildSa(Direction.INBOUND, child.spi_in, protocol, inbound),
            MoveChildSa(Direction.OUTBOUND, child.spi_out, protocol, outbound, child.destination),
        ]
        child.destination = path.remote
        if child.waiting is not None:
            parameters = child.waiting.parameters
            parameters.source, parameters.destination = outbound.source, outbound.destination
            parameters.udp_ports = outbound.udp_ports
    return actions


def _outer(source: tuple[bytes, int], destination: tuple[bytes, int], carrier: Carrier) -> Outer:
    return Outer(source[0], destination[0], (source[1], destination[1]) if carrier.in_udp else None)


# -- requests -------------------------------------------------------------------------------------


def payloads(sa: "IkeSa", task: Roam) -> list[Payload]:
    """The request of a task, made for the addresses as they are now."""
    mobility = sa.mobility
    mobility.is_spread = False
    task.round = mobility.round
    task.cookie = sa.entropy.fork("cookie2").bytes(COOKIE2_LENGTH)
    cookie = Notify(NotifyType.COOKIE2, task.cookie)
    if task.purpose is Purpose.CHECK:
        return [cookie]
    said: list[Payload] = []
    if task.purpose is Purpose.UPDATE:
        said.append(Notify(NotifyType.UPDATE_SA_ADDRESSES))
        said += detection_notifies(sa, sa.path)
    if has_news(sa) or task.purpose is Purpose.ANNOUNCE:
        said += addresses(sa) or [Notify(NotifyType.NO_ADDITIONAL_ADDRESSES)]
    return [*said, *prohibition(sa, sa.path), cookie]


def plan(sa: "IkeSa", purpose: Purpose) -> list[Action]:
    """Put a message of MOBIKE before all others, unless one of its kind waits already."""
    if not any(isinstance(each, Roam) and each.purpose is purpose for each in sa.agenda.waiting):
        sa.agenda.add(Roam(purpose), first=True)
    return []


def ask(sa: "IkeSa", purpose: Purpose, now: Instant) -> list[Action]:
    """The same, and send it if the window allows."""
    return plan(sa, purpose) + sa.next_task(now)
