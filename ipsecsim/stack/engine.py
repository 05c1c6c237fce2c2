"""The IP stack of one node: receive, forward, deliver, send."""

from collections.abc import Iterable

from ipsecsim.base.actions import Action
from ipsecsim.base.address import Prefix
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import (
    DatagramArrived,
    EchoReplyArrived,
    IcmpErrorArrived,
    PacketArrived,
    Transmit,
)
from ipsecsim.stack.events import (
    EchoAnswered,
    FragmentStored,
    IcmpErrorSent,
    PacketDelivered,
    PacketForwarded,
    PacketFragmented,
    PacketOriginated,
    PacketReassembled,
)
from ipsecsim.stack.fragments import Reassembler, fragment
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.path import HookTable, Passage, walk
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import icmpv4, ipv4, udp
from ipsecsim.wire.icmpv4 import Echo, IcmpError, IcmpType, TimeExceededCode, UnreachableCode
from ipsecsim.wire.numbers import IpProtocol


class HostStack:
    """One node's interfaces, routes, hooks and ports. A host does not forward, a router does."""

    def __init__(
        self, interfaces: Iterable[Interface], entropy: Entropy, *, forwards: bool, tap: Tap | None = None
    ) -> None:
        self.interfaces = {interface.name: interface for interface in interfaces}
        self.routes = RouteTable()
        self.hooks = HookTable()
        self.ports: set[int] = set()  # UDP ports that somebody listens on
        self.protocols: set[int] = set()  # IP protocols that somebody above the stack takes
        self.forwards = forwards
        self.tap = tap
        self._identification = entropy.fork("ip identification").below(0x10000)
        self._reassembler = Reassembler()
        self.addresses = frozenset(interface.address for interface in self.interfaces.values())
        for interface in self.interfaces.values():
            network = _network_of(interface)
            self.routes.add(Route(network, None, interface.name))

    # -- feed verbs -----------------------------------------------------------------------------

    def receive(self, interface: str, packet: bytes, now: Instant) -> list[Action]:
        """Take in a packet from a link."""
        return self._enter(packet, Passage(inbound=interface), now)

    def receive_decapsulated(self, packet: bytes, now: Instant) -> list[Action]:
        """A packet came out of its tunnel: it walks the path once more, from the start."""
        return self._enter(packet, Passage(decapsulated=True), now)

    def send(
        self,
        source: bytes | None,
        destination: bytes,
        protocol: int,
        payload: bytes,
        *,
        tos: int = 0,
        dont_fragment: bool = False,
        exempt: bool = False,
    ) -> list[Action]:
        """Make a packet and send it. Without `source`, the address of the interface it leaves by is used."""
        route = self.routes.lookup(destination)
        if source is None:
            source = destination if route is None else self.interfaces[route.interface].address
        packet = ipv4.build(
            source,
            destination,
            protocol,
            payload,
            identification=self.fresh_identification(),
            tos=tos,
            dont_fragment=dont_fragment,
        )
        return self._originate(packet, destination, route, exempt=exempt)

    def send_packet(self, packet: bytes, *, exempt: bool = False) -> list[Action]:
        """Send a finished packet of this node's own."""
        destination = packet[ipv4.DESTINATION]
        return self._originate(packet, destination, self.routes.lookup(destination), exempt=exempt)

    def fresh_identification(self) -> int:
        """A value for the Identification field. None comes again soon, which a counter does best (RFC 6864 4.1)."""
        self._identification = (self._identification + 1) & 0xFFFF
        return self._identification

    def _originate(
        self, packet: bytes, destination: bytes, route: Route | None, *, exempt: bool
    ) -> list[Action]:
        if self.tap is not None:
            self.tap(PacketOriginated(packet))
        if destination in self.addresses:
            return self._deliver(packet, Passage(), 0)
        if route is None:
            return self._drop(DropReason.IP_NO_ROUTE, packet)
        passage = Passage(outbound=route.interface, exempt=exempt)
        if self.hooks.output:
            verdict = walk(self.hooks.output, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        return self._leave(packet, route, passage)

    def send_datagram(
        self,
        source: bytes | None,
        source_port: int,
        destination: bytes,
        destination_port: int,
        payload: bytes,
        *,
        tos: int = 0,
        dont_fragment: bool = False,
        checksum: bool = True,
        exempt: bool = False,
    ) -> list[Action]:
        """Send a UDP datagram."""
        if source is None:
            source = self.address_towards(destination)
        segment = udp.build(source, destination, source_port, destination_port, payload, checksum=checksum)
        return self.send(
            source,
            destination,
            IpProtocol.UDP,
            segment,
            tos=tos,
            dont_fragment=dont_fragment,
            exempt=exempt,
        )

    def address_towards(self, destination: bytes) -> bytes:
        """The source address a packet to `destination` gets; the destination itself when there is no route."""
        route = self.routes.lookup(destination)
        return destination if route is None else self.interfaces[route.interface].address

    def next_deadline(self) -> Instant | None:
        """When fragments run out of time."""
        return self._reassembler.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        for partial in self._reassembler.pop_expired(now):
            # each waiting piece is a packet that ends here
            for _ in partial.pieces:
                self._drop(DropReason.FRAG_TIMEOUT, partial.first)
        return []

    @property
    def fragments_waiting(self) -> int:
        """How many fragments wait for the others of their packet."""
        return self._reassembler.waiting

    # -- the path -------------------------------------------------------------------------------

    def _enter(self, packet: bytes, passage: Passage, now: Instant) -> list[Action]:
        try:
            ipv4.check(packet)
        except RemoteError as wrong:
            return self._drop(wrong.reason, packet, str(wrong))
        if self.hooks.prerouting:
            verdict = walk(self.hooks.prerouting, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        if packet[ipv4.DESTINATION] in self.addresses:
            return self._deliver(packet, passage, now)
        if not self.forwards:
            return self._drop(DropReason.IP_NOT_LOCAL, packet)
        return self._forward(packet, passage)

    def _forward(self, packet: bytes, passage: Passage) -> list[Action]:
        if packet[ipv4.TTL] <= 1:
            self._drop(DropReason.IP_TTL, packet)
            return self._complain(packet, IcmpType.TIME_EXCEEDED, TimeExceededCode.IN_TRANSIT)
        route = self.routes.lookup(packet[ipv4.DESTINATION])
        if route is None:
            self._drop(DropReason.IP_NO_ROUTE, packet)
            return self._complain(packet, IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.NET)
        passage.outbound = route.interface
        if self.hooks.forward:
            verdict = walk(self.hooks.forward, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        changed = bytearray(packet)
        ipv4.decrement_ttl(changed)
        if self.tap is not None:
            self.tap(
                PacketForwarded(
                    route.interface, route.next_hop or packet[ipv4.DESTINATION], changed[ipv4.TTL]
                )
            )
        return self._leave(bytes(changed), route, passage)

    def _leave(self, packet: bytes, route: Route, passage: Passage) -> list[Action]:
        if self.hooks.postrouting:
            verdict = walk(self.hooks.postrouting, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        next_hop = route.next_hop or packet[ipv4.DESTINATION]
        mtu = self.interfaces[route.interface].mtu
        if len(packet) <= mtu:
            return [Transmit(route.interface, next_hop, packet)]
        if packet[6] & 0x40:  # DF
            self._drop(DropReason.IP_DF_TOO_BIG, packet, f"{len(packet)} bytes, MTU {mtu}")
            return self._complain(
                packet, IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.FRAGMENTATION_NEEDED, mtu
            )
        try:
            pieces = fragment(packet, mtu)
        except RemoteError as refused:
            return self._drop(refused.reason, packet, str(refused))
        if self.tap is not None:
            self.tap(PacketFragmented(len(pieces), mtu))
        return [Transmit(route.interface, next_hop, piece) for piece in pieces]

    # -- for this node --------------------------------------------------------------------------

    def _deliver(self, packet: bytes, passage: Passage, now: Instant) -> list[Action]:
        if ipv4.is_fragment(packet):
            whole = self._reassemble(packet, now)
            if whole is None:
                return []
            packet = whole
        if self.hooks.input:
            verdict = walk(self.hooks.input, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        protocol = packet[ipv4.PROTOCOL]
        try:
            if protocol == IpProtocol.UDP:
                return self._deliver_udp(packet)
            if protocol == IpProtocol.ICMP:
                return self._deliver_icmp(packet)
        except RemoteError as wrong:
            return self._drop(wrong.reason, packet, str(wrong))
        if protocol in self.protocols:
            return [PacketArrived(protocol, packet)]
        self._drop(DropReason.PORT_CLOSED, packet, f"protocol {protocol}")
        return self._complain(packet, IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.PROTOCOL)

    def _deliver_udp(self, packet: bytes) -> list[Action]:
        source, destination = packet[ipv4.SOURCE], packet[ipv4.DESTINATION]
        segment = ipv4.payload(packet)
        udp.check(source, destination, segment)
        source_port, destination_port, payload = udp.parse(segment)
        if destination_port in self.ports:
            return [DatagramArrived(source, source_port, destination, destination_port, payload, packet)]
        self._drop(DropReason.PORT_CLOSED, packet, f"UDP port {destination_port}")
        return self._complain(packet, IcmpType.DESTINATION_UNREACHABLE, UnreachableCode.PORT)

    def _deliver_icmp(self, packet: bytes) -> list[Action]:
        message = icmpv4.parse(ipv4.payload(packet))
        source, destination = packet[ipv4.SOURCE], packet[ipv4.DESTINATION]
        if self.tap is not None:
            self.tap(PacketDelivered(IpProtocol.ICMP, "icmp"))
        if isinstance(message, Echo) and not message.is_reply:
            if self.tap is not None:
                self.tap(EchoAnswered(source, message.sequence))
            return self.send(
                destination, source, IpProtocol.ICMP, icmp.answer_echo(message), tos=packet[ipv4.TOS]
            )
        if isinstance(message, Echo):
            return [EchoReplyArrived(source, message.identifier, message.sequence, message.data)]
        if isinstance(message, IcmpError):
            return [IcmpErrorArrived(source, message)]
        return []

    def _reassemble(self, packet: bytes, now: Instant) -> bytes | None:
        try:
            whole = self._reassembler.add(packet, now)
        except RemoteError as refused:
            self._drop(refused.reason, packet, str(refused))
            return None
        identification = int.from_bytes(packet[4:6], "big")
        if whole is None:
            if self.tap is not None:
                self.tap(FragmentStored(identification, int.from_bytes(packet[6:8], "big") % 0x2000 * 8))
            return None
        if self.tap is not None:
            self.tap(PacketReassembled(identification, whole[1], whole[0]))
        return whole[0]

    # -- helpers --------------------------------------------------------------------------------

    def _complain(self, packet: bytes, kind: IcmpType, code: int, mtu: int = 0) -> list[Action]:
        """Tell the sender, unless that is forbidden or there is no way to it."""
        if not icmp.may_complain_about(packet):
            return []
        sender = bytes(packet[ipv4.SOURCE])
        if sender in self.addresses or self.routes.lookup(sender) is None:
            return []
        if self.tap is not None:
            self.tap(IcmpErrorSent(sender, kind, code, mtu))
        return self.send(None, sender, IpProtocol.ICMP, icmp.error_about(packet, kind, code, mtu).emit())

    def _drop(self, reason: DropReason, packet: bytes, detail: str = "") -> list[Action]:
        if self.tap is not None:
            self.tap(PacketDropped(reason, packet, detail))
        return []


def _network_of(interface: Interface) -> Prefix:
    host_bits = 8 * len(interface.address) - interface.prefix_length
    number = int.from_bytes(interface.address, "big") >> host_bits << host_bits
    return Prefix(number.to_bytes(len(interface.address), "big"), interface.prefix_length)
