"""A NAT on the path of a node: what leaves by its outside interface, and what comes to its outside addresses.

What happens to a NAT in its life: `forget` (its table is emptied), `reboot` (emptied, and other ports than before),
`move` (other outside addresses).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.link import Link
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.nat.behaviour import Behaviour
from ipsecsim.stack.nat.engine import Nat
from ipsecsim.stack.path import Hook, Passage, Verdict
from ipsecsim.wire import ip, ipv4

if TYPE_CHECKING:
    from ipsecsim.net.node import Node


class Translation:
    """Joins a NAT to a node's stack. On a VPN gateway it translates before policy is asked."""

    def __init__(
        self, node: "Node", link: Link, behaviour: Behaviour, outside: str, pool: Sequence[bytes] = ()
    ) -> None:
        self.outside = outside
        self._node = node
        self._link = link
        self._stack = stack = node.stack
        self._simulator = node.simulator
        self.nat = Nat(behaviour, pool or self._own(), node.entropy.fork("nat"), stack, stack.tap)
        for address in self.nat.addresses:
            if address not in self._own():
                link.join(node, outside, address)
        stack.hooks.add(Hook.PREROUTING, self._arriving)
        stack.hooks.add(Hook.POSTROUTING, self._leaving, first=True)  # before the IPsec boundary

    # -- its life -------------------------------------------------------------------------------

    def forget(self, why: str) -> None:
        """Every mapping is gone; who speaks next may get the same port again."""
        self.nat.forget(why)

    def reboot(self) -> None:
        """It was switched off and on: it knows nobody any more, and gives other ports than it had given."""
        self.nat.reboot()

    def come_after(self, before: "Translation") -> None:
        """Give none of the ports that the box in the same place gave before it went down."""
        self.nat.mappings.avoid_ports_of(before.nat.mappings)

    def move(self, addresses: Sequence[bytes]) -> None:
        """From now on these are its outside addresses, on its outside link; every mapping is gone."""
        own = self._own()
        for old in self.nat.mappings.addresses:
            if old not in own:
                self._link.leave(old)
        for new in addresses:
            if new not in own:
                self._link.join(self._node, self.outside, new)
        self.nat.move(addresses)

    def moved_with(self, old: bytes, new: bytes) -> None:
        """The interface outside has another address: so has the box, unless it has a pool and not that one."""
        outside = self.nat.mappings.addresses
        if old in outside:
            self.nat.move([new if each == old else each for each in outside])

    def _own(self) -> list[bytes]:
        """The addresses of the interface outside, of which it has one if it has no pool."""
        return [
            each.packed for each in self._stack.interfaces[self.outside].addresses if len(each.packed) == 4
        ]

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
            if packet[ipv4.DESTINATION] not in self.nat.addresses:
                return packet
            if passage.inbound == self.outside:
                return self.nat.inbound(packet, now)
            return self.nat.hairpin(packet, now)
        except Refused as refused:
            return self._drop(refused, packet)

    def _leaving(self, packet: bytes, passage: Passage) -> Verdict:
        if passage.outbound != self.outside or ip.version(packet) != 4:
            return packet
        if passage.inbound == self.outside:
            return packet  # nobody inside has sent it
        if packet[ipv4.SOURCE] in self._stack.addresses:
            return self.nat.own_error(packet)  # the box made it itself
        now = self._simulator.now
        mtu = self._stack.interfaces[self.outside].mtu
        if len(packet) > mtu and not ip.may_be_fragmented_on_the_way(packet):
            # told before it is translated, else nobody knew whom to tell (RFC 4787 REQ-13)
            too_big = Refused(
                DropReason.IP_DF_TOO_BIG, f"{len(packet)} bytes, MTU {mtu}", Problem.TOO_BIG, mtu
            )
            return self._drop(too_big, packet)
        try:
            return self.nat.outbound(packet, now)
        except Refused as refused:
            return self._drop(refused, packet)

    def _drop(self, refused: Refused, packet: bytes) -> list[Action]:
        if self._stack.tap is not None:
            self._stack.tap(PacketDropped(refused.reason, packet, str(refused)))
        if refused.problem is None:
            return []
        return self._stack.report_error(packet, refused.problem, self._simulator.now, mtu=refused.pointer)
