"""A new IKE SA, and those that stand with the same peer already (RFC 7296 2.4; `unique` of swanctl.conf).

Who has lost its memory says INITIAL_CONTACT when it comes back, and what it has forgotten goes without a goodbye.

Both ends may begin at the same time. RFC 7296 leaves that open. Here it is settled as crossed rekeyings are
(2.8.2): the IKE SA made with the lowest of the four nonces is deleted by the side that began it. Whoever sees no
crossing deletes nothing, so at worst both stay.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import Uniqueness
from ipsecsim.ike.events import DuplicatesEnded, InitiationsCrossed
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.messages.message import notify
from ipsecsim.ike.v2.peer import diagnosis, proof
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def initial_contact(sa: "IkeSa") -> list[Payload]:
    """The notify by which an initiator says that it has no other IKE SA with this peer.

    With `unique: never` one identity may be several machines, which do not know of each other.
    """
    connection = sa.connection
    if connection.unique is Uniqueness.NEVER or not isinstance(connection.remote_id, Identity):
        return []
    # one that is about to be proved counts too: the peer would forget it for our word
    knows = any(
        each.state is State.ESTABLISHED or (each.state is State.AUTH_SENT and each is not sa)
        for each in _with_peer(sa, connection.remote_id)
    )
    return [] if knows else [Notify(NotifyType.INITIAL_CONTACT)]


def check(sa: "IkeSa", peer: Identity, payloads: Sequence[Payload]) -> None:
    """Raise AuthenticationFailed where the older IKE SA with this peer is to be kept.

    Not when it comes from the same place: then it is about to replace its own.
    """
    if sa.connection.unique is not Uniqueness.KEEP or notify(payloads, NotifyType.INITIAL_CONTACT):
        return
    here = (sa.path.remote, sa.path.remote_port)
    for each in _with_peer(sa, peer):
        if each.state is State.ESTABLISHED and (each.path.remote, each.path.remote_port) != here:
            raise proof.refused(sa, peer, "another IKE SA with it stands, and is kept (unique: keep)")


def settle(sa: "IkeSa", peer: Identity, payloads: Sequence[Payload], now: Instant) -> list[Action]:
    """The peer has proved itself, and the IKE SA stands: end those that must not stand beside it."""
    sa.authenticated_at = now
    unique = sa.connection.unique
    if unique is Uniqueness.NEVER:
        return []
    others = [each for each in _with_peer(sa, peer) if each is not sa]
    crossing = next((each for each in others if _have_crossed(sa, each)), None)
    older = [each for each in others if each is not crossing]
    actions: list[Action] = []
    if notify(payloads, NotifyType.INITIAL_CONTACT):
        actions += _end(sa, peer, older, now, is_forgotten=True)
    elif unique is Uniqueness.REPLACE and not sa.is_initiator:
        standing = [each for each in older if each.state is State.ESTABLISHED]
        actions += _end(sa, peer, standing, now, is_forgotten=False)
    return actions if crossing is None else actions + _end_crossing(sa, crossing, now)


def _with_peer(sa: "IkeSa", peer: Identity) -> list["IkeSa"]:
    """Every IKE SA between the same two identities, proved or hoped for."""

    def is_meant(other: "IkeSa") -> bool:
        who = other.peer or other.connection.remote_id
        return isinstance(who, Identity) and who.covers(peer)

    return [
        each
        for each in sa.node.sas
        if each.state not in (State.INIT_SENT, State.INIT_ANSWERED, State.INTERMEDIATE_SENT)
        and each.connection.local_id.covers(sa.connection.local_id)
        and is_meant(each)
    ]


def _have_crossed(sa: "IkeSa", other: "IkeSa") -> bool:
    """Did each end begin one, and neither know that the other's would come up?"""
    return (
        other.state is State.ESTABLISHED
        and other.connection is sa.connection
        and other.is_initiator is not sa.is_initiator
        and other.authenticated_at > sa.began_at
    )


def _end(
    sa: "IkeSa", peer: Identity, others: Sequence["IkeSa"], now: Instant, *, is_forgotten: bool
) -> list[Action]:
    others = [each for each in others if each.state is not State.AUTH_SENT]
    if others and sa.tap is not None:
        sa.tap(DuplicatesEnded(str(peer), tuple(each.spi_i for each in others), is_forgotten))
        if is_forgotten:
            diagnosis.tell(sa, Diagnosis.PEER_REBOOTED, f"{peer} comes anew, and knows of no older IKE SA")
    actions: list[Action] = []
    for each in others:
        actions += each.fail() if is_forgotten else each.terminate(now)
        if each.is_dead:
            sa.node.release(each)
    return actions


def _end_crossing(sa: "IkeSa", other: "IkeSa", now: Instant) -> list[Action]:
    loser = min((sa, other), key=lambda each: min(each.nonce_i, each.nonce_r))
    if sa.tap is not None:
        sa.tap(InitiationsCrossed(sa.connection.name, is_ours_kept=not loser.is_initiator))
    return loser.terminate(now) if loser.is_initiator else []
