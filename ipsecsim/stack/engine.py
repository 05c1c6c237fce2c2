"""The IP stack of one node: receive, forward, deliver, send; IPv4 and IPv6 on one path."""

from collections.abc import Iterable, Set

from ipsecsim.base.actions import Action
from ipsecsim.base.budget import Budget
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.stack import extensions, icmp, path_mtu
from ipsecsim.stack.actions import (
    DatagramArrived,
    EchoReplyArrived,
    IcmpErrorArrived,
    PacketArrived,
    Transmit,
)
from ipsecsim.stack.events import (
    FORWARDED,
    AddressReleased,
    AddressTaken,
    EchoAnswered,
    IcmpErrorSent,
    PacketDelivered,
    PacketFragmented,
    PacketOriginated,
)
from ipsecsim.stack.fragments import fragment
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.own_addresses import OwnAddresses, Ranges
from ipsecsim.stack.path import HookTable, Passage, walk
from ipsecsim.stack.path_mtu import PathMtuTable
from ipsecsim.stack.reassembly import Reassembler
from ipsecsim.stack.routes import Route, RouteTable
from ipsecsim.wire import icmpv4, icmpv6, ip, ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.reader import Malformed

_UDP = int(IpProtocol.UDP)  # to look into an Enum takes long, per packet
_ICMP = {4: int(IpProtocol.ICMP), 6: int(IpProtocol.ICMPV6)}


class HostStack:
    """One node's interfaces, routes, hooks and ports. A host does not forward, a router does."""

    def __init__(
        self, interfaces: Iterable[Interface], entropy: Entropy, *, forwards: bool, tap: Tap | None = None
    ) -> None:
        self.interfaces = {interface.name: interface for interface in interfaces}
        self.routes = RouteTable(self.interfaces)
        self.hooks = HookTable()
        self.ports: set[int] = set()  # UDP ports that somebody listens on
        self.protocols: set[int] = set()  # IP protocols that somebody above the stack takes
        self.groups: set[bytes] = set()  # multicast groups that somebody here listens to
        self.forwards = forwards
        self.tap = tap
        self._identification = entropy.fork("ip identification").below(0x10000)
        self._fragment_identification = entropy.fork("ipv6 identification").below(1 << 32)
        self.reassembler = Reassembler(tap)
        self.paths = PathMtuTable(tap)  # what routers told
        self.tunnels = PathMtuTable(tap)  # what was told by `report_error` about packets of this node
        self._error_budget = Budget()
        self._own = OwnAddresses(self.interfaces, self.routes)
        self.addresses: Set[bytes] = self._own.all
        for interface in self.interfaces.values():
            for address in interface.addresses:
                self.routes.add(Route(address.network, None, interface.name))

    # -- feed verbs -----------------------------------------------------------------------------

    def receive(self, interface: str, packet: bytes, now: Instant) -> list[Action]:
        """Take in a packet from a link."""
        return self._enter(packet, Passage(interface), now)

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
        """Make a packet and send it. Without `source`, the address of the interface it leaves by is used.

        `dont_fragment` keeps an IPv6 packet whole too: it is then dropped where this node would have to cut it.
        """
        if source is None:
            source = self.address_towards(destination)
        packet = ip.build(
            source,
            destination,
            protocol,
            payload,
            identification=self.fresh_identification() if len(destination) == 4 else 0,
            traffic_class=tos,
            dont_fragment=dont_fragment,
            hop_limit=1 if ip.is_multicast(destination) else 64,  # not beyond the link (RFC 1112 6.1)
        )
        return self._originate(packet, destination, exempt=exempt, whole=dont_fragment)

    def send_packet(self, packet: bytes, *, exempt: bool = True, whole: bool = False) -> list[Action]:
        """Send a finished packet of either version, such as the IPsec engine makes."""
        return self._originate(packet, ip.destination(packet), exempt=exempt, whole=whole)

    def fresh_identification(self) -> int:
        """A value for IPv4's Identification. None comes again soon, which a counter does best (RFC 6864 4.1)."""
        self._identification = (self._identification + 1) & 0xFFFF
        return self._identification

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
        """Send a UDP datagram. Over IPv6 it has a checksum, come what may (RFC 8200 8.1)."""
        if source is None:
            source = self.address_towards(destination)
        checksum = checksum or len(destination) == 16
        segment = udp.build(source, destination, source_port, destination_port, payload, checksum=checksum)
        return self.send(
            source, destination, _UDP, segment, tos=tos, dont_fragment=dont_fragment, exempt=exempt
        )

    def report_error(
        self, packet: bytes, problem: Problem, now: Instant, *, mtu: int = 0, may_cut: bool = True
    ) -> list[Action]:
        """Tell the source of a packet by ICMP what became of it; a source on this node is told directly.

        For whoever takes packets at a hook. With TOO_BIG `mtu` is what would have fitted: this node's own packets
        to that destination are cut to it, before they come to the hooks, for ten minutes, unless not `may_cut`.
        """
        if ip.source(packet) not in self.addresses:
            return self._complain(packet, problem, mtu, now)
        if problem is Problem.TOO_BIG and may_cut:
            self.tunnels.lower(ip.destination(packet), mtu, now)
        return self._tell_own(packet, problem, mtu)

    def exchange_address(self, interface: str, old: bytes, new: bytes) -> None:
        """Have another address on a link, in the same network."""
        self.interfaces[interface].exchange(old, new)
        self._own.interfaces_changed()

    def use_address(self, address: bytes, destinations: Ranges) -> None:
        """Take a virtual address, and let packets to `destinations` come from it."""
        self._own.use(address, destinations)
        if self.tap is not None:
            self.tap(AddressTaken(address))

    def release_address(self, address: bytes) -> None:
        """Give a virtual address up; harmless when it is not there."""
        if self._own.release(address) and self.tap is not None:
            self.tap(AddressReleased(address))

    def address_towards(self, destination: bytes) -> bytes:
        """The source address a packet to `destination` gets; the destination itself when there is no route."""
        return self._own.towards(destination)

    def mtu_towards(self, destination: bytes) -> int:
        """The largest packet that gets to `destination` in one piece, as far as is known: link or path MTU.

        Without a route it is that of the largest packet there is.
        """
        route = self.routes.lookup(destination)
        return ipv4.LARGEST_PACKET if route is None else self._mtu_by(route, destination)

    def next_deadline(self) -> Instant | None:
        """When fragments run out of time, or a path MTU is to be forgotten."""
        if not self.paths.known and not self.tunnels.known:
            return self.reassembler.next_deadline()
        tables = (self.reassembler, self.paths, self.tunnels)
        return min(at for table in tables if (at := table.next_deadline()) is not None)

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        self.paths.forget_old(now)
        self.tunnels.forget_old(now)
        actions: list[Action] = []
        for first in self.reassembler.expire(now):
            actions += self._complain(first, Problem.REASSEMBLY, 0, now)
        return actions

    @property
    def fragments_waiting(self) -> int:
        """How many fragments wait for the others of their packet."""
        return self.reassembler.waiting

    # -- the path -------------------------------------------------------------------------------

    def _enter(self, packet: bytes, passage: Passage, now: Instant) -> list[Action]:
        try:
            if packet and packet[0] >> 4 == 6:
                total = ipv6.check(packet)
                destination = packet[ipv6.DESTINATION]
            else:
                total = ipv4.check(packet)
                destination = packet[ipv4.DESTINATION]
        except RemoteError as wrong:
            return self._drop(wrong.reason, packet, str(wrong))
        if len(packet) > total:
            packet = packet[:total]  # what stands behind it only fills a link's shortest frame
        if self.hooks.prerouting:
            verdict = walk(self.hooks.prerouting, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
            destination = ip.destination(packet)
        if destination in self.addresses or destination in self.groups:
            return self._deliver(packet, passage, now)
        if not self.forwards:
            return self._drop(DropReason.IP_NOT_LOCAL, packet)
        return self._forward(packet, destination, passage, now)

    def _forward(self, packet: bytes, destination: bytes, passage: Passage, now: Instant) -> list[Action]:
        hops_at = ipv4.TTL if len(destination) == 4 else ipv6.HOP_LIMIT
        if packet[hops_at] <= 1:
            self._drop(DropReason.IP_TTL, packet)
            return self._complain(packet, Problem.HOPS, 0, now)
        route = self.routes.lookup(destination)
        if route is None:
            self._drop(DropReason.IP_NO_ROUTE, packet)
            return self._complain(packet, Problem.NO_ROUTE, 0, now)
        passage.outbound = route.interface
        if self.hooks.forward:
            verdict = walk(self.hooks.forward, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        changed = bytearray(packet)
        if hops_at == ipv4.TTL:
            ipv4.decrement_ttl(changed)
        else:
            changed[hops_at] -= 1  # no checksum to mend
        if self.tap is not None:
            next_hop = route.next_hop or destination
            self.tap((FORWARDED, route.interface, next_hop, changed[hops_at], changed[0] >> 4))
        packet = bytes(changed)
        mtu = self.interfaces[route.interface].mtu
        if len(packet) <= mtu and not self.hooks.postrouting:  # as most packets leave
            return [Transmit(route.interface, route.next_hop or destination, packet)]
        return self._leave(packet, destination, route, passage, mtu, now)

    def _originate(
        self, packet: bytes, destination: bytes, *, exempt: bool, whole: bool = False
    ) -> list[Action]:
        """A packet made here sets out. `whole`: this node does not cut it either."""
        if self.tap is not None:
            self.tap(PacketOriginated(packet))
        if destination in self.addresses:
            return self._deliver(packet, Passage(), 0)
        route = self.routes.lookup_from(ip.source(packet), destination)
        if route is None:
            self._drop(DropReason.IP_NO_ROUTE, packet)
            return self._tell_own(packet, Problem.NO_ROUTE)
        passage = Passage(outbound=route.interface, exempt=exempt)
        mtu = self._mtu_by(route, destination) if self.paths.known else self.interfaces[route.interface].mtu
        if whole or self.tunnels.known:
            limit = None if exempt else self.tunnels.get(destination)
            if limit is not None or (whole and len(destination) == 16):
                largest = mtu if limit is None else min(limit, mtu)
                if len(packet) > largest:
                    if whole or not _source_may_cut(packet):
                        return self._refuse_own(packet, largest)
                    pieces = self._cut(packet, largest)
                    return [a for one in pieces for a in self._output(one, destination, route, passage, mtu)]
        if self.hooks.output:
            return self._output(packet, destination, route, passage, mtu)
        return self._leave(packet, destination, route, passage, mtu, 0)

    def _output(
        self, packet: bytes, destination: bytes, route: Route, passage: Passage, mtu: int
    ) -> list[Action]:
        verdict = walk(self.hooks.output, packet, passage)
        if isinstance(verdict, list):
            return verdict
        packet = verdict
        return self._leave(packet, destination, route, passage, mtu, 0)

    def _leave(
        self, packet: bytes, destination: bytes, route: Route, passage: Passage, mtu: int, now: Instant
    ) -> list[Action]:
        if self.hooks.postrouting:
            verdict = walk(self.hooks.postrouting, packet, passage)
            if isinstance(verdict, list):
                return verdict
            packet = verdict
        next_hop = route.next_hop or destination
        if len(packet) <= mtu:
            return [Transmit(route.interface, next_hop, packet)]
        if passage.inbound is None and not passage.decapsulated:
            if not _source_may_cut(packet):
                return self._refuse_own(packet, mtu)
        elif not ip.may_be_fragmented_on_the_way(packet):
            self._drop(DropReason.IP_DF_TOO_BIG, packet, f"{len(packet)} bytes, MTU {mtu}")
            return self._complain(packet, Problem.TOO_BIG, mtu, now)
        return [Transmit(route.interface, next_hop, piece) for piece in self._cut(packet, mtu)]

    def _cut(self, packet: bytes, mtu: int) -> list[bytes]:
        """The fragments of a packet; none, and a drop, when it can't be cut so small."""
        self._fragment_identification = (self._fragment_identification + 1) & 0xFFFFFFFF
        try:
            pieces = fragment(packet, mtu, self._fragment_identification)
        except RemoteError as refused:
            self._drop(refused.reason, packet, str(refused))
            return []
        if self.tap is not None:
            self.tap(PacketFragmented(len(pieces), mtu, ip.version(packet)))
        return pieces

    # -- for this node --------------------------------------------------------------------------

    def _deliver(self, packet: bytes, passage: Passage, now: Instant) -> list[Action]:
        try:
            if packet[0] >> 4 == 6 or ipv4.is_fragment(packet):
                whole = self.reassembler.whole(packet, now)
                if whole is None:
                    return []
                packet = whole
            if self.hooks.input:
                verdict = walk(self.hooks.input, packet, passage)
                if isinstance(verdict, list):
                    return verdict
                packet = verdict
            protocol, offset = ip.upper_layer(packet)
            if protocol in self.protocols:
                return [PacketArrived(protocol, packet, offset)]
            if protocol == _UDP:
                return self._deliver_udp(packet, offset, now)
            if protocol == _ICMP[packet[0] >> 4]:
                return self._deliver_icmp(packet, offset, now)
        except Refused as refused:
            self._drop(refused.reason, packet, str(refused))
            if refused.problem is None:
                return []
            return self._complain(packet, refused.problem, refused.pointer, now)
        except RemoteError as wrong:
            return self._drop(wrong.reason, packet, str(wrong))
        self._drop(DropReason.PORT_CLOSED, packet, f"protocol {protocol}")
        if protocol == IpProtocol.NO_NEXT:
            return []  # nothing follows, so nobody is missing (RFC 8200 4.7)
        pointer = extensions.where_protocol_stands(packet) if ip.version(packet) == 6 else 0
        return self._complain(packet, Problem.PROTOCOL, pointer, now)

    def _deliver_udp(self, packet: bytes, offset: int, now: Instant) -> list[Action]:
        source, destination = ip.addresses(packet)
        segment = packet[offset : ip.total_length(packet)]
        udp.check(source, destination, segment)
        if len(source) == 16 and segment[6:8] == b"\0\0":  # RFC 8200 8.1: over IPv6 it is not optional
            raise Malformed("a UDP datagram over IPv6 without a checksum", DropReason.UDP_CHECKSUM)
        source_port, destination_port, payload = udp.parse(segment)
        if destination_port in self.ports:
            return [DatagramArrived(source, source_port, destination, destination_port, payload, packet)]
        self._drop(DropReason.PORT_CLOSED, packet, f"UDP port {destination_port}")
        return self._complain(packet, Problem.PORT, 0, now)

    def _deliver_icmp(self, packet: bytes, offset: int, now: Instant) -> list[Action]:
        message = icmp.parse(packet, offset)
        source, destination = ip.addresses(packet)
        if self.tap is not None:
            self.tap(PacketDelivered(icmp.protocol_for(source), "icmp"))
        if isinstance(message, icmpv4.Echo | icmpv6.Echo):
            if message.is_reply:
                return [EchoReplyArrived(source, message.identifier, message.sequence, message.data)]
            if self.tap is not None:
                self.tap(EchoAnswered(source, message.sequence))
            answer = icmp.answer(message, destination, source)
            own = destination if destination in self.addresses else None  # no packet comes from a group
            return self.send(own, source, icmp.protocol_for(source), answer, tos=ip.traffic_class(packet))
        if isinstance(message, icmpv4.IcmpError | icmpv6.IcmpError):
            self._learn(message, now)
            return [IcmpErrorArrived(source, message)]
        return []

    # -- path MTUs and errors -------------------------------------------------------------------

    def _mtu_by(self, route: Route, destination: bytes) -> int:
        mtu = self.interfaces[route.interface].mtu
        if self.paths.known:
            return min(mtu, self.paths.get(destination) or mtu)
        return mtu

    def _learn(self, error: icmp.IcmpError, now: Instant) -> None:
        """A router said that a packet of this node was too big."""
        if not icmp.is_too_big(error):
            return
        told = path_mtu.told_by(error)
        if told is not None and told[0] in self.addresses and error.mtu < self.mtu_towards(told[1]):
            self.paths.lower(told[1], error.mtu, now)

    def _tell_own(self, packet: bytes, problem: Problem, rest: int = 0) -> list[Action]:
        """Tell a program on this node."""
        return [IcmpErrorArrived(ip.source(packet), icmp.error_about(packet, problem, rest))]

    def _complain(self, packet: bytes, problem: Problem, rest: int, now: Instant) -> list[Action]:
        """Tell the sender, unless that is forbidden, or there is no way to it, or too much was said already."""
        sender = ip.source(packet)
        if sender in self.addresses or not icmp.may_complain_about(packet, problem):
            return []
        if self.routes.lookup(sender) is None:
            return []
        addressed = ip.destination(packet)
        # RFC 4443 2.2 (a): who was addressed answers
        own = addressed if addressed in self.addresses else self.address_towards(sender)
        error = icmp.error_about(packet, problem, rest)
        message = icmp.emit(error, own, sender)
        if not self._error_budget.spend(now):
            # the error that is not sent counts as a packet made and dropped
            unsent = ip.build(own, sender, icmp.protocol_for(sender), message)
            if self.tap is not None:
                self.tap(PacketOriginated(unsent))
            return self._drop(DropReason.ICMP_RATE, unsent)
        if self.tap is not None:
            mtu = rest if problem is Problem.TOO_BIG else 0
            self.tap(IcmpErrorSent(sender, error.type, error.code, mtu))
        return self.send(own, sender, icmp.protocol_for(sender), message)

    def _refuse_own(self, packet: bytes, mtu: int) -> list[Action]:
        self._drop(DropReason.IP_DF_TOO_BIG, packet, f"{len(packet)} bytes, MTU {mtu}")
        return self._tell_own(packet, Problem.TOO_BIG, mtu)

    def _drop(self, reason: DropReason, packet: bytes, detail: str = "") -> list[Action]:
        if self.tap is not None:
            self.tap(PacketDropped(reason, packet, detail))
        return []


def _source_may_cut(packet: bytes) -> bool:
    return ip.version(packet) == 6 or ip.may_be_fragmented_on_the_way(packet)
