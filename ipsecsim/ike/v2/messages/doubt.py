"""Answers to IKE_SA_INIT are in clear, and anybody may have sent one (RFC 7296 2.21.1).

A refusal is a hint: the initiator goes on for a while, and takes a better answer when it comes. A changed request,
with a cookie or with another group, does not make the earlier one unsaid: a true answer to it is as good.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.crypto.catalogue import Group, KeyPair
from ipsecsim.ike.events import RefusalBelieved
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.states import State

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

DOUBT_TIME = 5 * SECOND  # long enough to ask once more


@dataclass(frozen=True, slots=True)
class Attempt:
    """A first request: its bytes, which AUTH will cover, and what its KE payload was made of."""

    request: bytes
    group: Group
    key_pair: KeyPair


def attempts(sa: "IkeSa") -> list[Attempt]:
    """Every first request that may still be answered, the last one first."""
    last = [] if sa.key_pair is None else [Attempt(sa.init_request, sa.group, sa.key_pair)]
    return [*last, *reversed(sa.earlier)]


def doubt(sa: "IkeSa", now: Instant) -> list[Action]:
    """An answer was of no use: wait for a better one."""
    if sa.timers.deadline(Alarm.DOUBT) is None:
        sa.timers.set(Alarm.DOUBT, now + DOUBT_TIME)
    return []


def end(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nothing better came: the refusal is believed."""
    if sa.state is not State.INIT_SENT:
        return []
    if sa.tap is not None:
        sa.tap(RefusalBelieved(sa.spi_i, sa.connection.name))
    return sa.fail()
