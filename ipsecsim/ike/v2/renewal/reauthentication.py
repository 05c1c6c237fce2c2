"""A new IKE SA from scratch in the place of an old one: both ends prove anew who they are (RFC 7296 2.8.3).

The new one is made first, with all children that the old one has; then the old one is deleted, and its children go
with it. So there is no gap. Where the peer does not prove itself any more, the old IKE SA lives to its end, and no
longer.
"""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.events import ReauthenticationBegan
from ipsecsim.ike.v2.duties.tasks import CreateChild
from ipsecsim.ike.v2.states import State

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def begin(sa: "IkeSa", now: Instant) -> list[Action]:
    """Make a new IKE SA beside this one, unless that is under way."""
    if sa.state is not State.ESTABLISHED or (sa.renewed_by is not None and not sa.renewed_by.is_dead):
        return []
    wanted: list[ChildConfig] = []
    wanted += (each.config for each in sa.children if not each.is_closing and each.config not in wanted)
    first, *others = wanted or [sa.connection.children[0]]
    fresh = sa.node.another(sa)
    fresh.further_children = others
    sa.renewed_by = fresh
    if sa.tap is not None:
        sa.tap(ReauthenticationBegan(sa.spi_i, sa.connection.name))
    actions = fresh.initiate(first, now)
    sa.node.adopt(fresh)
    return actions


def go_on(fresh: "IkeSa", now: Instant) -> list[Action]:
    """Once an IKE SA stands with all its children, what it renews is deleted."""
    if fresh.state is not State.ESTABLISHED:
        return []
    actions: list[Action] = []
    while fresh.further_children:
        actions += fresh.enqueue(CreateChild(fresh.further_children.pop(0)), now)
    if not fresh.agenda.children:
        for each in fresh.node.sas:
            if each.renewed_by is fresh:
                actions += each.terminate(now)
    return actions


def hand_on(sa: "IkeSa", fresh: "IkeSa") -> None:
    """A try that got no answer is followed by another one with the same aim."""
    fresh.further_children = sa.further_children
    for each in sa.node.sas:
        if each.renewed_by is sa:
            each.renewed_by = fresh
