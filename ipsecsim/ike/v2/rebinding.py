"""A NAT may give the peer another address or port at any time: whoever is in the open follows (RFC 7296 2.23).

Only an authentic message that never came before proves where the peer is. Whoever is behind a NAT itself does not
follow: it has to keep its own mapping, and could be led away. With MOBIKE the peer says where it is (RFC 4555 3.8).
"""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.ike.mobility_events import PathChanged
from ipsecsim.ike.v2.message import Path
from ipsecsim.ike.v2.mobility import carry
from ipsecsim.ike.v2.states import PROVED

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def follow(sa: "IkeSa", path: Path) -> list[Action]:
    """Go on along the way that a new authentic message came by, and take the Child SAs along."""
    if sa.mobility.is_on or sa.state not in PROVED or path == sa.path:
        return []
    if sa.we_are_behind_nat or not sa.peer_is_behind_nat:
        return []
    before, sa.path = sa.path, path
    if sa.tap is not None:
        pairs = (before.local, before.remote), (path.local, path.remote)
        sa.tap(PathChanged(sa.spi_i, *pairs, by_peer=True))
    return carry(sa)
