"""A NAT on the path of a node: what leaves by its outside interface, and what comes to its outside addresses."""

from collections.abc import Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.simulator import Simulator
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import Behaviour
from ipsecsim.stack.nat.engine import Nat
from ipsecsim.stack.path import Hook, Passage, Verdict
from ipsecsim.wire import ip, ipv4


class Translation:
    """Joins a NAT to a node's stack. On a VPN gateway it translates before policy is asked."""

    def __init__(
        self,
        stack: HostStack,
        simulator: Simulator,
        entropy: Entropy,
        behaviour: Behaviour,
        outside: str,
        pool: Sequence[bytes] = (),
    ) -> None:
        self.outside = outside
        self._stack = stack
        self._simulator = simulator
        own = [each.packed for each in stack.interfaces[outside].addresses if len(each.packed) == 4]
        self.nat = Nat(behaviour, pool or own, entropy, stack, stack.tap)
        stack.hooks.add(Hook.PREROUTING, self._arriving)
        stack.hooks.add(Hook.POSTROUTING, self._leaving, first=True)  # before the IPsec boundary

    def next_deadline(self) -> Instant | None:
        """When a mapping runs out."""
        return self.nat.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Forget what has run out."""
        self.nat.expire(now)
        return []

    def _arriving(self, packet: bytes, passage: Passage) -> Verdict:
        """Fragments have no ports to look at: packets are put together first (RFC 4787 REQ-14)."""
        if ip.version(packet) != 4 or passage.inbound is None:
            return packet
        now = self._simulator.now
        try:
            if ipv4.is_fragment(packet):
                whole = self._stack.reassembler.whole(packet, now)
                if whole is None:
                    return []
                packet = whole
            if packet[ipv4.DESTINATION] not in self.nat.mappings.addresses:
                return packet
            if passage.inbound == self.outside:
                return self.nat.inbound(packet, now)
            return self.nat.hairpin(packet, now)
        except Refused as refused:
            return self._drop(refused, packet)

    def _leaving(self, packet: bytes, passage: Passage) -> Verdict:
        if passage.outbound != self.outside or ip.version(packet) != 4:
            return packet
        if packet[ipv4.SOURCE] in self._stack.addresses:
            return packet  # the box made it itself
        try:
            return self.nat.outbound(packet, self._simulator.now)
        except Refused as refused:
            return self._drop(refused, packet)

    def _drop(self, refused: Refused, packet: bytes) -> list[Action]:
        if self._stack.tap is not None:
            self._stack.tap(PacketDropped(refused.reason, packet, str(refused)))
        return []
