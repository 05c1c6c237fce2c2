"""A NAT of IPv4: packets go in and come out with other endpoints, or are refused with a reason."""

from collections.abc import Sequence
from typing import Protocol

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.match import Seen
from ipsecsim.stack.nat.behaviour import Behaviour, EspHandling
from ipsecsim.stack.nat.events import PacketTranslated
from ipsecsim.stack.nat.ike_helper import IkeHelper
from ipsecsim.stack.nat.mappings import MappingTable
from ipsecsim.stack.nat.portless import PortlessFlows, spi_of
from ipsecsim.stack.nat.rewriting import (
    End,
    Endpoint,
    Flow,
    error_exchanged,
    exchanged,
    flow_of,
    quoted,
)
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol


class Listener(Protocol):
    """What the box takes for itself: UDP ports, and protocols."""

    ports: set[int]
    protocols: set[int]


_PORTS = (IpProtocol.UDP, IpProtocol.TCP, IpProtocol.ICMP)


class Nat:
    """Stands between inside and outside. `addresses` are its outside ones, `box` says what the box itself takes.

    Packets are whole, no fragments: who calls has put them together (RFC 4787 REQ-14).
    """

    def __init__(
        self,
        behaviour: Behaviour,
        addresses: Sequence[bytes],
        entropy: Entropy,
        box: Listener,
        tap: Tap | None = None,
    ) -> None:
        self.behaviour = behaviour
        self.mappings = MappingTable(behaviour, addresses, entropy, box.ports, tap)
        self.tap = tap
        self._box = box
        ah = EspHandling.ONE_FLOW if behaviour.ah else EspHandling.DROP
        self._portless = {
            IpProtocol.ESP: PortlessFlows(behaviour.esp, behaviour.timeouts.esp),
            IpProtocol.AH: PortlessFlows(ah, behaviour.timeouts.esp),
        }
        self._ike = IkeHelper(behaviour.timeouts.udp) if behaviour.ike_helper else None

    # -- out ------------------------------------------------------------------------------------

    def outbound(self, packet: bytes, now: Instant) -> bytes:
        """A packet from inside, with an outside source. Raises Refused."""
        if self.behaviour.exempt:
            seen = Seen(packet)
            if any(each.fits(seen) for each in self.behaviour.exempt):
                return packet
        about = quoted(packet)
        if about is not None:
            return self._error_out(packet, about)
        flow = flow_of(packet)
        if flow is None:
            raise Refused(DropReason.NAT_PROTO, "a packet whose flow can't be told")
        if self._ike is not None and self._ike.is_for(flow, flow.source):
            self._ike.go_out(packet, flow, now)
            return self._translated(packet, End.SOURCE, flow, (self.mappings.addresses[0], flow.source[1]))
        if flow.protocol in _PORTS:
            mapping = self.mappings.from_inside(flow, now)
            return self._translated(packet, End.SOURCE, flow, mapping.outside)
        self._flows_of(flow).go_out(flow.source[0], flow.destination[0], self._spi(packet, flow), now)
        return self._translated(packet, End.SOURCE, flow, (self.mappings.addresses[0], 0))

    # -- in -------------------------------------------------------------------------------------

    def inbound(self, packet: bytes, now: Instant) -> bytes:
        """A packet to an outside address, with its inside destination, or unchanged when it is for the box itself.

        Raises Refused.
        """
        about = quoted(packet)
        if about is not None:
            return self._error_in(packet, about)
        flow = flow_of(packet)
        if flow is None:
            return packet  # malformed, or a message for the box: its stack says which
        inside = self._inside_of(packet, flow, now)
        return packet if inside is None else self._translated(packet, End.DESTINATION, flow, inside)

    def hairpin(self, packet: bytes, now: Instant) -> bytes:
        """A packet from inside to an outside address goes back inside, as if it came from outside. Raises Refused.

        Its source is the outside endpoint of who sent it (RFC 4787 REQ-9a).
        """
        flow = flow_of(packet)
        if flow is not None and self._is_own(flow):
            return packet
        if not self.behaviour.hairpinning:
            raise Refused(DropReason.NAT_FILTERED, "no hairpinning")
        return self.inbound(self.outbound(packet, now), now)

    # -- over time ------------------------------------------------------------------------------

    def next_deadline(self) -> Instant | None:
        """When a mapping runs out."""
        return self.mappings.next_deadline()

    def expire(self, now: Instant) -> None:
        """Forget what has run out."""
        self.mappings.expire(now)

    def forget(self, why: str) -> None:
        """Lose every mapping."""
        self.mappings.clear(why)
        for flows in self._portless.values():
            flows.clear()
        if self._ike is not None:
            self._ike.clear()

    def reboot(self) -> None:
        """Lose every mapping as a box that is switched off and on, and give none of the old ports again."""
        self.forget("it was switched off and on")
        self.mappings.avoid_old_ports()

    def move(self, addresses: Sequence[bytes]) -> None:
        """Other outside addresses: what stood on the old ones is lost."""
        self.forget("the outside address changed")
        self.mappings.addresses[:] = addresses

    # -- inside ---------------------------------------------------------------------------------

    def _inside_of(self, packet: bytes, flow: Flow, now: Instant) -> Endpoint | None:
        """Who inside gets it; None when the box does. Raises Refused."""
        if self._ike is not None and self._ike.is_for(flow, flow.destination):
            host = self._ike.come_in(packet, flow, now)
            if host is not None:
                return host, flow.destination[1]
        if flow.protocol not in _PORTS:
            return self._portless_inside(packet, flow, now)
        mapping = self.mappings.at_outside(flow.protocol, flow.destination)
        if mapping is not None:
            if not mapping.lets_in(flow.source, self.behaviour.filtering):
                raise Refused(DropReason.NAT_FILTERED, "nobody inside has spoken to this peer")
            return mapping.inside
        rule = self.mappings.forward_for(flow.protocol, flow.destination[1])
        if rule is not None:
            return self.mappings.admit(flow, rule, now).inside
        if self._is_own(flow):
            return None
        if self.mappings.has_been(flow.protocol, flow.destination):
            raise Refused(DropReason.NAT_MAPPING_EXPIRED, f"port {flow.destination[1]}")
        raise Refused(DropReason.NAT_NO_MAPPING, f"port {flow.destination[1]}")

    def _portless_inside(self, packet: bytes, flow: Flow, now: Instant) -> Endpoint | None:
        host = self._flows_of(flow).come_in(flow.source[0], self._spi(packet, flow), now)
        if host is None:
            rule = self.mappings.forward_for(flow.protocol, 0)
            host = None if rule is None else rule.inside
        if host is not None:
            return host, 0
        if self._is_own(flow):
            return None
        raise Refused(DropReason.NAT_NO_MAPPING, "nobody inside sends this protocol to this peer")

    def _is_own(self, flow: Flow) -> bool:
        """Does the box itself answer there: a port it listens on, or a ping?"""
        if flow.protocol == IpProtocol.UDP:
            return flow.destination[1] in self._box.ports
        if flow.protocol == IpProtocol.ICMP:
            return not flow.destination[1]
        return flow.protocol in self._box.protocols

    def _flows_of(self, flow: Flow) -> PortlessFlows:
        flows = self._portless.get(flow.protocol)  # type: ignore[call-overload]
        if not isinstance(flows, PortlessFlows):
            raise Refused(DropReason.NAT_PROTO, f"protocol {flow.protocol}")
        return flows

    def _spi(self, packet: bytes, flow: Flow) -> int:
        return spi_of(packet, flow.protocol, ipv4.header_length(packet))

    # -- errors about what was translated -------------------------------------------------------

    def _error_in(self, packet: bytes, about: bytes) -> bytes:
        """An error about a packet that went out: for who sent it (RFC 5508 REQ-4). Raises Refused."""
        flow = flow_of(about)
        mapping = None if flow is None else self.mappings.at_outside(flow.protocol, flow.source)
        if flow is None or mapping is None:
            if flow is not None and self._is_own(Flow(flow.protocol, flow.destination, flow.source)):
                return packet
            raise Refused(DropReason.NAT_NO_MAPPING, "an ICMP error about nothing of ours")
        changed = error_exchanged(packet, End.DESTINATION, mapping.inside, mapping.inside)
        self._tell(End.DESTINATION, (bytes(packet[ipv4.DESTINATION]), 0), (mapping.inside[0], 0))
        return changed

    def _error_out(self, packet: bytes, about: bytes) -> bytes:
        """An error about a packet that came in: outside nobody knows the address in it (RFC 5508 REQ-5)."""
        flow = flow_of(about)
        mapping = None
        if flow is not None:
            mapping = self.mappings.to_inside(flow.protocol, flow.destination, flow.source)
        if mapping is None:
            raise Refused(DropReason.NAT_NO_MAPPING, "an ICMP error about nothing that came in")
        changed = error_exchanged(packet, End.SOURCE, mapping.outside, mapping.outside)
        self._tell(End.SOURCE, (bytes(packet[ipv4.SOURCE]), 0), (mapping.outside[0], 0))
        return changed

    def _translated(self, packet: bytes, end: End, flow: Flow, new: Endpoint) -> bytes:
        self._tell(end, flow.at(end), new)
        return exchanged(packet, end, new)

    def _tell(self, end: End, before: Endpoint, after: Endpoint) -> None:
        if self.tap is not None:
            self.tap(PacketTranslated(end.value, before, after))
