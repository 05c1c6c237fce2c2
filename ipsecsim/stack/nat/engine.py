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
from ipsecsim.stack.nat.portless import PortlessFlows, spi_in
from ipsecsim.stack.nat.rewriting import (
    End,
    Endpoint,
    Flow,
    exchanged,
    flow_of,
    quote_exchanged,
    quoted,
    readdressed,
)
from ipsecsim.stack.nat.tcp import flags_of
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol


class Listener(Protocol):
    """What the box takes for itself: UDP ports, and protocols."""

    ports: set[int]
    protocols: set[int]


_PORTS = (IpProtocol.UDP, IpProtocol.TCP, IpProtocol.ICMP)
_TCP = int(IpProtocol.TCP)


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
        self._outside_of = {each.inside: each.outside for each in behaviour.one_to_one}
        self._inside_of = {each.outside: each.inside for each in behaviour.one_to_one}
        self.addresses = (*addresses, *self._inside_of)
        lifetime = behaviour.timeouts.esp
        ah = EspHandling.ONE_FLOW if behaviour.ah else EspHandling.DROP
        self.portless: dict[int, PortlessFlows] = {
            IpProtocol.ESP: PortlessFlows(IpProtocol.ESP, behaviour.esp, lifetime, tap),
            IpProtocol.AH: PortlessFlows(IpProtocol.AH, ah, lifetime, tap),
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
        own = self._outside_of.get(bytes(packet[ipv4.SOURCE]))
        if own is not None:
            return self._readdressed(packet, End.SOURCE, own)
        flow = flow_of(packet)
        if flow is None:
            raise Refused(DropReason.NAT_PROTO, "a packet whose flow can't be told")
        if self._ike is not None and self._ike.is_for(flow, flow.source):
            self._ike.go_out(packet, flow, now)
            outside = self.mappings.address_of(flow.source[0]), flow.source[1]
        elif flow.protocol in _PORTS:
            mapping = self.mappings.from_inside(flow, now)
            if flow.protocol == _TCP:
                self.mappings.saw_segment(mapping, flow.destination, flags_of(packet), End.SOURCE, now)
            outside = mapping.outside
        else:
            outside = self._portless_outside(packet, flow, now)
        self._tell(End.SOURCE, flow.source, outside)
        return exchanged(packet, End.SOURCE, outside)

    def _portless_outside(self, packet: bytes, flow: Flow, now: Instant) -> Endpoint:
        host = flow.source[0]
        outside = self.mappings.address_of(host), 0
        if self.mappings.led_inside(flow.protocol, outside) != (host, 0):
            flows = self.portless.get(flow.protocol)
            if flows is None:
                raise Refused(DropReason.NAT_PROTO, f"protocol {flow.protocol}")
            flows.go_out(host, outside[0], flow.destination[0], spi_in(packet, flow), now)
        return outside

    # -- in -------------------------------------------------------------------------------------

    def inbound(self, packet: bytes, now: Instant) -> bytes:
        """A packet to an outside address, with its inside destination, or unchanged when it is for the box itself.

        Raises Refused.
        """
        about = quoted(packet)
        if about is not None:
            return self._error_in(packet, about)
        host = self._inside_of.get(bytes(packet[ipv4.DESTINATION]))
        if host is not None:
            return self._readdressed(packet, End.DESTINATION, host)
        flow = flow_of(packet)
        if flow is None:
            return packet  # malformed, or a message for the box: its stack says which
        inside = self._whose(packet, flow, now)
        if inside is None:
            return packet
        self._tell(End.DESTINATION, flow.destination, inside)
        return exchanged(packet, End.DESTINATION, inside)

    def hairpin(self, packet: bytes, now: Instant) -> bytes:
        """A packet from inside to an outside address goes back inside, as if it came from outside. Raises Refused.

        Its source is the outside endpoint of who sent it (RFC 4787 REQ-9a).
        """
        flow = flow_of(packet)
        is_for_host = bytes(packet[ipv4.DESTINATION]) in self._inside_of
        if flow is not None and not is_for_host and self._is_own(flow):
            return packet
        if not self.behaviour.hairpinning:
            raise Refused(DropReason.NAT_FILTERED, "no hairpinning")
        return self.inbound(self.outbound(packet, now), now)

    # -- over time ------------------------------------------------------------------------------

    def next_deadline(self) -> Instant | None:
        """When a mapping runs out."""
        tables: tuple[MappingTable | PortlessFlows, ...] = (self.mappings, *self.portless.values())
        return min((at for each in tables if (at := each.next_deadline()) is not None), default=None)

    def expire(self, now: Instant) -> None:
        """Forget what has run out."""
        self.mappings.expire(now)
        for flows in self.portless.values():
            flows.expire(now)

    def forget(self, why: str) -> None:
        """Lose every mapping."""
        self.mappings.clear(why)
        for flows in self.portless.values():
            flows.clear(why)
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
        self.addresses = (*addresses, *self._inside_of)

    # -- who is meant ---------------------------------------------------------------------------

    def _whose(self, packet: bytes, flow: Flow, now: Instant) -> Endpoint | None:
        """Who inside gets it; None when the box does. Raises Refused."""
        if self._ike is not None and self._ike.is_for(flow, flow.destination):
            host = self._ike.come_in(packet, flow, now)
            if host is not None:
                return host, flow.destination[1]
        protocol, outside = flow.protocol, flow.destination
        if protocol in _PORTS:
            mapping = self.mappings.at_outside(protocol, outside)
            if mapping is not None:
                if not mapping.lets_in(flow.source, self.behaviour.filtering):
                    raise Refused(DropReason.NAT_FILTERED, "nobody inside has spoken to this peer")
                if protocol == _TCP:
                    self.mappings.saw_segment(mapping, flow.source, flags_of(packet), End.DESTINATION, now)
                return mapping.inside
        elif protocol in self.portless:
            host = self.portless[protocol].come_in(flow.source[0], spi_in(packet, flow), now)
            if host is not None:
                return host, 0
        is_own = self._is_own(flow)
        if not is_own or self.mappings.is_led_by_port(protocol, outside[1]):
            led = self.mappings.led_inside(protocol, outside)
            if led is not None:
                return led
        if is_own:
            return None
        raise self._nobody(flow)

    def _nobody(self, flow: Flow) -> Refused:
        if flow.protocol not in _PORTS:
            return Refused(DropReason.NAT_NO_MAPPING, "nobody inside sends this protocol to this peer")
        was_there = self.mappings.has_been(flow.protocol, flow.destination)
        reason = DropReason.NAT_MAPPING_EXPIRED if was_there else DropReason.NAT_NO_MAPPING
        return Refused(reason, f"port {flow.destination[1]}")

    def _is_own(self, flow: Flow) -> bool:
        """Does the box itself answer there: a port it listens on, or a ping?"""
        if flow.protocol == IpProtocol.UDP:
            return flow.destination[1] in self._box.ports
        if flow.protocol == IpProtocol.ICMP:
            return not flow.destination[1]
        return flow.protocol in self._box.protocols

    # -- errors about what was translated -------------------------------------------------------

    def own_error(self, packet: bytes) -> bytes:
        """A packet that the box makes: an error about what came in speaks of it as it was outside."""
        about = quoted(packet)
        known = None if about is None else self._outside_endpoint(about)
        return packet if known is None else quote_exchanged(packet, End.DESTINATION, known)

    def _error_in(self, packet: bytes, about: bytes) -> bytes:
        """An error about a packet that went out: for who sent it (RFC 5508 REQ-4). Raises Refused."""
        flow = flow_of(about)
        inside = None if flow is None else self._sender(about, flow)
        if inside is None:
            if flow is not None and self._is_own(Flow(flow.protocol, flow.destination, flow.source)):
                return packet
            raise Refused(DropReason.NAT_NO_MAPPING, "an ICMP error about nothing of ours")
        changed = quote_exchanged(packet, End.SOURCE, inside)
        return self._readdressed(changed, End.DESTINATION, inside[0])

    def _error_out(self, packet: bytes, about: bytes) -> bytes:
        """An error about a packet that came in: outside nobody knows the address in it (RFC 5508 REQ-5)."""
        known = self._outside_endpoint(about)
        if known is None:
            raise Refused(DropReason.NAT_NO_MAPPING, "an ICMP error about nothing that came in")
        changed = quote_exchanged(packet, End.DESTINATION, known)
        sender = self._outside_of.get(bytes(packet[ipv4.SOURCE]), known[0])
        return self._readdressed(changed, End.SOURCE, sender)

    def _sender(self, sent: bytes, flow: Flow) -> Endpoint | None:
        """Who inside sent a packet that has gone out."""
        host = self._inside_of.get(flow.source[0])
        if host is not None:
            return host, flow.source[1]
        if flow.protocol in _PORTS:
            mapping = self.mappings.at_outside(flow.protocol, flow.source)
            return None if mapping is None else mapping.inside
        flows = self.portless.get(flow.protocol)
        host = flows.sent_by(flow.destination[0], spi_in(sent, flow)) if flows else None
        return self.mappings.led_inside(flow.protocol, flow.source) if host is None else (host, 0)

    def _outside_endpoint(self, came: bytes) -> Endpoint | None:
        """To whom a packet that came in was sent, as who sent it knows it."""
        flow = flow_of(came)
        if flow is None:
            return None
        inside = flow.destination
        own = self._outside_of.get(inside[0])
        if own is not None:
            return own, inside[1]
        flows = self.portless.get(flow.protocol)
        if flows is not None and flows.speaks(inside[0], flow.source[0]):
            return self.mappings.address_of(inside[0]), 0
        return self.mappings.outside_of(flow.protocol, inside, flow.source)

    def _readdressed(self, packet: bytes, end: End, address: bytes) -> bytes:
        """Another address and nothing else."""
        before = ipv4.SOURCE if end is End.SOURCE else ipv4.DESTINATION
        self._tell(end, (bytes(packet[before]), 0), (address, 0))
        return readdressed(packet, end, address)

    def _tell(self, end: End, before: Endpoint, after: Endpoint) -> None:
        if self.tap is not None:
            self.tap(PacketTranslated(end.value, before, after))
