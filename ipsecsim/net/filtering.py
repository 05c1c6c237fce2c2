"""A firewall on the path of a node: packets for it, through it and from it, before policy is asked."""

from typing import Protocol

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.firewall import Firewall, Ruleset
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.path import Hook, Passage, Verdict


class Clock(Protocol):
    """Who knows what time it is: the simulator."""

    @property
    def now(self) -> Instant:
        """Nanoseconds since the beginning."""
        ...


class Filtering:
    """Joins a firewall to a node's stack. On a VPN gateway it sees a packet with its protection and without."""

    def __init__(self, stack: HostStack, clock: Clock, ruleset: Ruleset) -> None:
        self.firewall = Firewall(ruleset, stack.tap)
        self._stack = stack
        self._clock = clock
        self._is_complaining = False
        for hook in (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT):
            stack.hooks.add(hook, self._passing, first=True)

    def _passing(self, packet: bytes, passage: Passage) -> Verdict:
        if self._is_complaining:
            return packet  # the word that a packet was rejected is no packet to judge
        now = self._clock.now
        try:
            self.firewall.check(packet, now, inbound=passage.inbound, outbound=passage.outbound)
        except Refused as refused:
            return self._refuse(packet, refused)
        return packet

    def _refuse(self, packet: bytes, refused: Refused) -> list[Action]:
        if self._stack.tap is not None:
            self._stack.tap(PacketDropped(refused.reason, packet, str(refused)))
        if refused.problem is None:
            return []
        self._is_complaining = True
        try:
            return self._stack.report_error(packet, refused.problem, self._clock.now)
        finally:
            self._is_complaining = False
