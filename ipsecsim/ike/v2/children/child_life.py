"""A Child SA comes of age: replaced in time, or closed when its time is over (RFC 7296 2.8).

The limits of time, bytes and packets are watched by the IPsec engine, which sees the packets. A soft limit starts a
rekeying, and what refuses it is asked again later. At a hard limit the pair is not used any more, whatever IKE is
about.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import StartAction
from ipsecsim.ike.events import ReplacementFailed
from ipsecsim.ike.v2.children import child
from ipsecsim.ike.v2.children.child import IP_PROTOCOL, ChildSa
from ipsecsim.ike.v2.duties.tasks import CreateChild, Inform
from ipsecsim.ike.v2.renewal import collisions
from ipsecsim.ipsec.actions import Expired, Expiring
from ipsecsim.ipsec.association import Direction

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def holder(sas: Iterable["IkeSa"], limit: Expiring | Expired) -> tuple["IkeSa", ChildSa] | None:
    """Whose SA has come to a limit; None when no IKE SA made it, or when it is gone already."""
    for sa in sas:
        for each in sa.children:
            spi = each.spi_in if limit.direction is Direction.INBOUND else each.spi_out
            known = (each.config.policy, IP_PROTOCOL[each.protocol], spi)
            if known == (limit.policy, limit.protocol, limit.spi):
                return sa, each
    return None


def replace(sa: "IkeSa", old: ChildSa, now: Instant) -> list[Action]:
    """Give a child new keys, unless it has a successor already, goes, or is being asked for."""
    if not old.stands_alone or any(task.replaces is old for task in sa.agenda.children):
        return []
    return sa.enqueue(CreateChild(old.config, replaces=old), now)


def refused(sa: "IkeSa", task: CreateChild, now: Instant, *, is_busy: bool = False) -> list[Action]:
    """The peer does not replace a child now: ask again later, as long as the child lives."""
    old = task.replaces
    if old is None or task.is_unwanted or old not in sa.children or not old.stands_alone:
        return []
    if old.is_over:
        return _without_replacement(sa, old, now)
    old.was_refused = True
    again = CreateChild(old.config, replaces=old)
    return collisions.put_off(sa, again, now) if is_busy else collisions.ask_again(sa, again, now)


def over(sa: "IkeSa", old: ChildSa, now: Instant) -> list[Action]:
    """A child has reached a hard limit: from now on no packet goes by it (RFC 7296 2.8)."""
    old.is_over = True
    actions = child.withdraw(old)
    if old.is_closing:
        return actions  # we have said so
    if old.successor is None and old.was_refused:
        return actions + _without_replacement(sa, old, now)
    if old.successor is None and any(task.replaces is old for task in sa.agenda.children):
        return actions  # the answer decides
    return actions + close(sa, old, now)


def close(sa: "IkeSa", gone: ChildSa, now: Instant) -> list[Action]:
    """Tell the peer that a child goes; ours goes when it has agreed (RFC 7296 1.4.1)."""
    if gone.is_closing:
        return []
    gone.is_closing = True
    return sa.enqueue(Inform([gone.goodbye]), now)


def _without_replacement(sa: "IkeSa", old: ChildSa, now: Instant) -> list[Action]:
    """A child has expired and all tries to replace it failed: the IKE SA must be closed, too (RFC 7296 2.8)."""
    if sa.tap is not None:
        sa.tap(ReplacementFailed(old.config.name, old.spi_in))
    return begin_anew(sa, now)


def begin_anew(sa: "IkeSa", now: Instant) -> list[Action]:
    """Close an IKE SA; those of its children that are to be up from the start are asked for again."""
    wanted = {each.config.policy: each.config.start_action for each in sa.children}
    actions = sa.terminate(now)
    for policy, start_action in wanted.items():
        if start_action is StartAction.START:
            actions += sa.node.initiate(policy, now)
    return actions
