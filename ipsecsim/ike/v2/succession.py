"""One IKE SA takes the place of another, and inherits its children (RFC 7296 2.8, 2.18)."""

from typing import TYPE_CHECKING

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.crypto.catalogue import IkeSuite
from ipsecsim.ike.v2.child import Material
from ipsecsim.ike.v2.keys import rekey_skeyseed
from ipsecsim.ike.v2.states import Step, move

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

LINGER = 30 * SECOND  # for a peer that has replaced the SA and never deletes it


def successor(
    sa: "IkeSa",
    suite: IkeSuite,
    material: Material,
    spis: tuple[bytes, bytes],
    now: Instant,
    *,
    we_began: bool,
) -> "IkeSa":
    """A new IKE SA. Its initiator is who began the exchange that made it; it has no children yet.

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
    heir.takes_fragments = sa.takes_fragments
    heir.we_are_behind_nat, heir.peer_is_behind_nat = sa.we_are_behind_nat, sa.peer_is_behind_nat
    # with the prf of the old SA (RFC 7296 2.18)
    skeyseed = rekey_skeyseed(
        sa.suite.prf, sa.keys.sk_d, material.shared_secret, material.nonce_i, material.nonce_r
    )
    heir.set_keys(skeyseed, material.shared_secret)
    move(heir, Step.INHERIT)
    heir.established(now)
    sa.node.adopt(heir)
    return heir


def bequeath(sa: "IkeSa", heir: "IkeSa", now: Instant) -> None:
    """Children, what is still to be said about them, and virtual addresses go over to the new IKE SA."""
    heir.children += sa.children
    sa.children = []
    heir.assigned, sa.assigned = sa.assigned, heir.assigned
    sa.agenda.hand_over(heir.agenda)
    heir.watch_agenda()
    move(sa, Step.REPLACE)
    sa.end_at(now + LINGER)
