"""A NAT may give the peer another address or port at any time: whoever is in the open follows (RFC 7296 2.23).

Only what is authentic and never came before proves where the peer is, IKE message or ESP packet. Whoever is behind
a NAT itself does not follow: it has to keep its own mapping, and could be led away. With MOBIKE the peer says where
it is, and IKE waits for that; ESP may follow without it (RFC 4555 3.8).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.ike.mobility_events import PeerRebound
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.paths.mobility import carry
from ipsecsim.ike.v2.states import PROVED
from ipsecsim.ipsec.actions import SenderMoved

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def follow(sa: "IkeSa", path: Path) -> list[Action]:
    """Go on along the way that a new authentic message came by, and take the Child SAs along."""
    if sa.mobility.is_on or not _follows(sa, sa.path, path):
        return []
    sa.path = path
    return carry(sa)


def follow_esp(sas: "Iterable[IkeSa]", moved: SenderMoved) -> list[Action]:
    """The same after an ESP packet, for the IKE SA that it belongs to.

    With MOBIKE only the Child SAs go, and only to another port. At another address nobody has asked yet whether the
    peer is there (RFC 4555 3.7).
    """
    path = Path(moved.destination, moved.destination_port, moved.source, moved.source_port)
    actions: list[Action] = []
    for sa in sas:
        if all(child.spi_in != moved.spi for child in sa.children):
            continue
        if not sa.mobility.is_on:
            actions += follow(sa, path)
        elif path.remote == sa.carrier.path.remote and _follows(sa, sa.carrier.path, path):
            actions += carry(sa, path)
    return actions


def _follows(sa: "IkeSa", before: Path, after: Path) -> bool:
    """Is the peer where it was not before, and may it be followed there? If so, tell."""
    if before == after or sa.state not in PROVED or sa.we_are_behind_nat or not sa.peer_is_behind_nat:
        return False
    if sa.tap is not None:
        was, now = (before.remote, before.remote_port), (after.remote, after.remote_port)
        sa.tap(PeerRebound(sa.spi_i, was, now, only_esp=sa.mobility.is_on))
    return True
