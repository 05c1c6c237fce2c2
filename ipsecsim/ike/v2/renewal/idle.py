"""Children that carry no packet are closed after a while (RFC 7296 2.4; `inactivity` of swanctl.conf)."""

from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.events import ChildIdle
from ipsecsim.ike.v2.children import child_life
from ipsecsim.ike.v2.children.child import ChildSa
from ipsecsim.ike.v2.duties.alarms import Alarm

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def watch(sa: "IkeSa", now: Instant) -> None:
    """Let the time of new children run; one that takes the place of another goes on where that was."""
    for each in sa.children:
        if each.config.inactivity and each.idle_since is None:
            before = [
                _idle_since(sa, old)
                for old in sa.children
                if old.successor is each or (old.config is each.config and old.is_closing)
            ]
            each.idle_since = max(before, default=now)
    _set_alarm(sa)


def end(sa: "IkeSa", now: Instant) -> list[Action]:
    """Close what has carried nothing, in either direction, for its time of inactivity."""
    actions: list[Action] = []
    for each in list(sa.children):
        if each.stands_alone and each.config.inactivity:
            since = each.idle_since = _idle_since(sa, each)
            if now - since >= each.config.inactivity:
                if sa.tap is not None:
                    sa.tap(ChildIdle(each.config.name, each.spi_in, now - since))
                actions += child_life.close(sa, each, now)
    _set_alarm(sa)
    return actions


def _idle_since(sa: "IkeSa", each: ChildSa) -> Instant:
    return max(each.idle_since or 0, sa.node.last_used(each))


def _set_alarm(sa: "IkeSa") -> None:
    due = [
        each.idle_since + each.config.inactivity
        for each in sa.children
        if each.stands_alone and each.config.inactivity and each.idle_since is not None
    ]
    if due:
        sa.timers.set(Alarm.IDLE, min(due))
