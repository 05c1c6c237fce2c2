"""One IKE SA takes the place of another, and inherits its children (RFC 7296 2.8, 2.18).

Between being made and inheriting it is an heir. Mostly that takes no time at all; but when both ends have begun to
replace the same IKE SA there are two heirs, and nonces, or a DELETE, say which of them inherits. The other one is
deleted by the end that asked for it. If that end never got the answer that made it, no DELETE can come, and the
heir ends without a word when its time is up.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import IkeSuite
from ipsecsim.ike.events import IkeRekeyed
from ipsecsim.ike.v2.children.child import Material, remove_all
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.duties.tasks import Roam
from ipsecsim.ike.v2.keying.keys import rekey_skeyseed
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import ProtocolId

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def successor(
    sa: "IkeSa",
    suite: IkeSuite,
    material: Material,
    spis: tuple[bytes, bytes],
    now: Instant,
    *,
    we_began: bool,
) -> "IkeSa":
    """A new IKE SA, not yet in the place of the old one. Its initiator is who began the exchange that made it.

    `spis` are the initiator's and the responder's.
    """
    heir = type(sa)(
        is_initiator=we_began,
        candidates=[sa.connection],
        path=sa.path,
        spi_i=spis[0],
        spi_r=spis[1],
        credentials=sa.credentials,
        entropy=sa.node.entropy_for(spis[0] if we_began else spis[1]),
        node=sa.node,
        tap=sa.tap,
    )
    heir.suite, heir.group = suite, suite.group
    heir.nonce_i, heir.nonce_r = material.nonce_i, material.nonce_r
    heir.peer, heir.authenticated_at = sa.peer, sa.authenticated_at
    heir.trusted_until = sa.trusted_until
    heir.takes_fragments, heir.datagram_limit = sa.takes_fragments, sa.datagram_limit
    heir.sync.is_agreed = sa.sync.is_agreed
    heir.knows_nats = sa.knows_nats
    heir.we_are_behind_nat, heir.peer_is_behind_nat = sa.we_are_behind_nat, sa.peer_is_behind_nat
    # with the prf of the old SA (RFC 7296 2.18)
    skeyseed = rekey_skeyseed(
        sa.suite.prf,
        sa.keys.sk_d,
        material.shared_secret,
        material.nonce_i,
        material.nonce_r,
        material.more,
    )
    heir.set_keys(skeyseed, material.shared_secret)
    move(heir, Step.MAKE_HEIR)
    heir.end_at(now + sa.connection.retransmit.patience)
    sa.node.adopt(heir)
    return heir


def bequeath(sa: "IkeSa", heir: "IkeSa", now: Instant, *, by_peer: bool) -> list[Action]:
    """Children, what is still to be said about them, and virtual addresses go over to the new IKE SA.

    The old one stays until it is deleted; whoever has begun does that.
    """
    move(sa, Step.REPLACE)
    sa.end_at(now + sa.connection.retransmit.patience)
    if heir.is_dead:  # the peer, for whom it had inherited already, has deleted it since
        return remove_all(sa)
    # what happened meanwhile to the addresses has happened to the heir
    heir.mobility, heir.path = sa.mobility, sa.path
    heir.we_are_behind_nat, heir.peer_is_behind_nat = sa.we_are_behind_nat, sa.peer_is_behind_nat
    if isinstance(sa.task, Roam):  # its answer will come to an SA that has nothing to move any more
        heir.agenda.add(Roam(sa.task.purpose))
    heir.reauth_at = sa.reauth_at
    heir.renewed_by, sa.renewed_by = sa.renewed_by, None
    heir.children += sa.children
    sa.children = []
    heir.assigned, sa.assigned = sa.assigned, heir.assigned
    sa.agenda.hand_over(heir.agenda)
    heir.timers.cancel(Alarm.OVER)
    move(heir, Step.INHERIT)
    heir.established(now)
    heir.watch_agenda()
    if sa.tap is not None:
        sa.tap(IkeRekeyed(sa.spi_i, heir.spi_i, heir.spi_r, by_peer=by_peer))
    return heir.next_task(now)


def taken_up(heir: "IkeSa", payloads: Sequence[Payload], now: Instant) -> list[Action]:
    """The peer asks for something on an heir, other than that it goes: so for the peer it has inherited already."""
    old = next((each for each in heir.node.sas if each.rival is heir), None)
    is_goodbye = any(isinstance(each, Delete) and each.protocol == ProtocolId.IKE for each in payloads)
    if old is None or old.state is not State.ESTABLISHED or is_goodbye:
        return []
    return bequeath(old, heir, now, by_peer=True)


def closed_by_peer(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer deletes an IKE SA.

    If we were rekeying it, that is forgotten; if the peer was, too, then it is done with that, and its own new
    IKE SA inherits (RFC 7296 2.8.2, 2.25.2).
    """
    actions: list[Action] = []
    if sa.rival is not None and sa.state is State.ESTABLISHED:
        actions = bequeath(sa, sa.rival, now, by_peer=True)
    return actions + sa.end(Step.GET_DELETE)
