"""Packets that are to leave under an SA, or came in clear: policy decides, all arrives, and nothing leaks."""

from random import Random

from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ipsec.actions import Deliver, ReportError, SendDatagram, SendPacket
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import PacketSealed, SaExpired
from ipsecsim.ipsec.holding import HOLD_LIMIT
from ipsecsim.ipsec.policy import PolicyAction, first_match
from ipsecsim.ipsec.selector import flow_of
from ipsecsim.ipsec.surroundings import Nowhere
from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.ipv4 import SMALLEST_PATH_MTU
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile import mutators
from tests.hostile.packets import any_packet
from tests.hostile.packets6 import any_packet_6
from tests.hostile.sa_door import LEFT_OVER, is_error_about, place, residue
from tests.hostile.sa_shapes import OURS, STRANGERS, THEIRS, Shape, any_options, any_shape, policies
from tests.hostile.sa_targets import spoil_any
from tests.hostile.seeds import Finding
from tests.hostile.target import Target, outcome, require

_MTUS = (576, 1280, 1300, 1500, 9000, ipv4.LARGEST_PACKET)
_MOST_PIECES = 200  # of the largest packet on the smallest link


class _Host(Nowhere):
    """Knows how large a packet may be, and can cut one."""

    def __init__(self, mtu: int) -> None:
        super().__init__()
        self.mtu = mtu

    def mtu_towards(self, destination: bytes) -> int:
        return self.mtu

    def cut(self, packet: bytes, mtu: int) -> list[bytes]:
        return fragment(packet, mtu)


class Protecting(Target):
    """An engine with an SA that leads away from it, and the other end of that SA."""

    name = "SPD"
    share = 60

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        shape = any_shape(chance)
        mtu = chance.choice(_MTUS)
        # no link is smaller for IPv6 (RFC 8200 5)
        self.begin(shape, any_options(chance, shape), max(mtu, ipv6.MINIMUM_MTU) if shape.outer == 6 else mtu)

    def begin(self, shape: Shape, options: dict[str, object], mtu: int) -> None:
        """Start with an SA of this shape."""
        self.shape, self.options = shape, options
        self.now = 0
        self.events: list[TraceEvent] = []
        self.host = _Host(mtu)
        self.rules = policies(shape)
        self._sent = [bytes(40)]
        self._install()
        self._at_rest = self._residue()

    def _install(self) -> None:
        """Both ends of a fresh SA."""
        self.engine = IpsecEngine(self.rules, self.events.append, self.host)
        self.engine.install(self.shape.parameters(Direction.OUTBOUND, **self.options), self.now)
        self.far = IpsecEngine()
        self.far.install(self.shape.parameters(Direction.INBOUND, at_peer=True), self.now)

    # -- input ----------------------------------------------------------------------------------

    def next_input(self) -> bytes:
        chance = self.chance
        self.now += ms(1)
        if not self.engine.sad.all():
            self._install()  # its numbers are used up
        if chance.random() < 0.01:
            self.now += chance.choice((40, 700)) * SECOND
            self.engine.handle_timeout(self.now)
        if chance.random() < 0.02:
            self._hear_of_a_small_link()
        packet = self._any_packet()
        return spoil_any(chance, packet) if chance.random() < 0.6 else packet

    def _any_packet(self) -> bytes:
        chance, shape = self.chance, self.shape
        version = chance.choice(shape.versions if chance.random() < 0.9 else (4, 6))
        ours, theirs = shape.ours.get(version, OURS[version]), shape.theirs.get(version, THEIRS[version])
        if chance.random() < 0.2:
            ours, theirs = (*OURS[version], *ours), (*THEIRS[version], *STRANGERS[version])
        ends = (ours, theirs) if chance.random() < 0.8 else (theirs, ours)
        if chance.random() < 0.1:
            return self._large(version, chance.choice(ends[0]), chance.choice(ends[1]))
        if version == 4:
            return any_packet(chance, *ends)
        return any_packet_6(chance, chance.choice(ends[0]), chance.choice(ends[1]))

    def _large(self, version: int, source: bytes, destination: bytes) -> bytes:
        """About as large as the link takes, or any packet can be."""
        chance = self.chance
        largest = 0xFFFF if version == 4 else 0xFFFF + ipv6.HEADER_LENGTH
        length = chance.choice((self.host.mtu, 1280, largest)) - chance.randrange(120)
        if version == 6:
            return ipv6.build(source, destination, IpProtocol.UDP, bytes(length - ipv6.HEADER_LENGTH))
        options = chance.choice((b"", b"", b"\1\1\1\0", bytes(40)))
        data = bytes(length - ipv4.HEADER_LENGTH - len(options))
        may_cut = chance.random() < 0.5
        return ipv4.build(source, destination, 255, data, options=options, dont_fragment=not may_cut)

    def _hear_of_a_small_link(self) -> None:
        """Somebody quotes what was sent, more or less, and names any MTU."""
        quoted = self.chance.choice(self._sent)[: self.chance.choice((28, 36, 48, 100))]
        if self.chance.random() < 0.5:
            quoted = mutators.spoil(self.chance, quoted)
        self.engine.packet_too_big(quoted, mutators.number(self.chance), self.now)

    # -- what must hold -------------------------------------------------------------------------

    def feed(self, data: bytes) -> str:
        try:
            ip.check(data)  # the stack lets no other packet through
        except RemoteError as wrong:
            return wrong.reason.name
        self.events.clear()
        packet = data[: ip.total_length(data)]  # nor what a link put behind one
        result = self._leave(packet)
        self._arrive(packet)
        return result

    def _leave(self, packet: bytes) -> str:
        actions = self.engine.outbound(packet, self.now)
        rules = self._rules_for(packet, Direction.OUTBOUND)
        require(
            _is_allowed(rules, passed=actions is None), "it left in clear, or was kept, against the policy"
        )
        require(self.engine.held <= HOLD_LIMIT * len(self.rules), "too many packets wait")
        sent = [self._on_the_wire(a) for a in actions or () if isinstance(a, SendPacket | SendDatagram)]
        sealed = sum(isinstance(event, PacketSealed) for event in self.events)
        require(sealed == len(sent) <= _MOST_PIECES, "sealed and not sent, or too often")
        if sent:
            is_about = is_error_about(self.shape.selectors, packet, Direction.OUTBOUND)
            require(PolicyAction.PROTECT in rules or is_about, "protected against the policy")
            self._open(packet, sent)
            self._sent = [*self._sent[-20:], sent[0][:200]]
        for action in actions or ():
            if isinstance(action, ReportError):
                require(not sent, "sent, and refused at once")
                require(not ip.may_be_fragmented_on_the_way(packet), "refused instead of cut")
                require(action.mtu < len(packet), "its sender is told of an MTU that it kept")
        if actions is None:
            return "in clear"
        return outcome(self.events) if not sent else "sealed"

    def _on_the_wire(self, action: SendPacket | SendDatagram) -> bytes:
        """The IP packet that an action becomes, no larger than the link unless it may be cut."""
        if isinstance(action, SendPacket):
            packet = action.packet
        else:
            ends, ports = (action.source, action.destination), (action.source_port, action.destination_port)
            segment = udp.build(*ends, *ports, action.payload, checksum=action.checksum)
            packet = ip.build(
                *ends,
                IpProtocol.UDP,
                segment,
                traffic_class=action.tos,
                dont_fragment=action.dont_fragment,
            )
        ip.check(packet)
        require(len(packet) == ip.total_length(packet), "its length is not what it says")
        fits = len(packet) <= self.host.mtu or len(_outer_destination(action)) == 16
        require(fits or ip.may_be_fragmented_on_the_way(packet), "too long for the link, and DF is set")
        return packet

    def _open(self, packet: bytes, sent: list[bytes]) -> None:
        """The other end finds the packet in what was sent, or in pieces that are the whole of it."""
        found = []
        for each in sent:
            protocol, start = place(each)
            actions = self.far.inbound(protocol, each, start, self.now)
            found += [action.packet for action in actions if isinstance(action, Deliver)]
        if self.shape.mode is Mode.TRANSPORT:
            if self.shape.protocol == "ESP" and _names_no_next(packet):
                # RFC 4303 2.6: there is no telling it from one that is to be thrown away
                require(not found, "a dummy packet was taken")
                return
            if self.shape.protocol == "AH" and _has_a_way_to_go(packet):
                return  # signed as it is behind the last router that its own headers name; here is none
        require(len(found) == len(sent), "the other end could not open it")
        if self.shape.mode is Mode.TRANSPORT and self.shape.in_udp:
            # this node's stack makes a new header; and checksums are mended, as if a NAT were on the way
            require(_upper_length(found[0]) == _upper_length(packet), "it is not the packet")
        elif len(found) == 1 and len(found[0]) == len(packet):
            require(found[0] == packet, "it is not the packet")
        else:
            self._check_pieces(packet, found)

    def _check_pieces(self, packet: bytes, found: list[bytes]) -> None:
        require(ip.version(packet) == 4, "only IPv4 packets are cut before")
        whole, pieces = ipv4.payload(packet), b"".join(map(ipv4.payload, found))
        require({piece[4:6] + piece[12:20] for piece in found} == {packet[4:6] + packet[12:20]}, "not of it")
        is_over = any(isinstance(event, SaExpired) for event in self.events)
        require(pieces == whole or (is_over and whole.startswith(pieces)), "the pieces are not the packet")

    def _arrive(self, packet: bytes) -> None:
        self.engine.inbound_error(packet)
        passes = self.engine.inbound_clear(packet, self.now)
        rules = self._rules_for(packet, Direction.INBOUND)
        require(_is_allowed(rules, passed=passes), "it came in clear, or was kept out, against the policy")

    def _rules_for(self, packet: bytes, direction: Direction) -> list[PolicyAction | None]:
        """What may become of a packet; of a later fragment all that might, since its first one is elsewhere."""
        flow = flow_of(packet)
        first = first_match(self.rules, flow, direction)
        possible = [rule.action for rule in self.rules if rule.might_mean(flow, direction)]
        return [None if first is None else first.action, *possible]

    def _residue(self) -> int:
        self.now += 3600 * SECOND
        for sa in self.engine.sad.all():
            require((sa.path_mtu or SMALLEST_PATH_MTU) >= SMALLEST_PATH_MTU, "a lie made every packet tiny")
        self.far.sad.all()[0].accepted_flows.clear()
        left = residue(self.engine, self.now)
        self.events.clear()
        return left

    def finish(self) -> None:
        grown = self._residue() - self._at_rest
        require(grown <= LEFT_OVER, f"{grown} objects more than at the beginning stay behind")

    def explain(self) -> str:
        return f"{self.shape}; {self.options}; MTU {self.host.mtu}"

    def replay(self, finding: Finding) -> str:
        """`where` is the shape; the link is an Ethernet."""
        self.begin(Shape.parse(finding.where), {}, 1500)
        return super().replay(finding)


def _outer_destination(action: SendPacket | SendDatagram) -> bytes:
    return ip.destination(action.packet) if isinstance(action, SendPacket) else action.destination


def _is_allowed(rules: list[PolicyAction | None], *, passed: bool) -> bool:
    return (PolicyAction.BYPASS in rules) == passed or (len(rules) > 1 and not passed)


def _names_no_next(packet: bytes) -> bool:
    """Does the header behind which ESP goes in transport mode say that nothing follows?"""
    at = ipv6.per_hop_part(packet)[0] if ip.version(packet) == 6 else ipv4.PROTOCOL
    return packet[at] == IpProtocol.NO_NEXT


def _upper_length(packet: bytes) -> int:
    return len(packet) - ip.upper_layer(packet)[1]


def _has_a_way_to_go(packet: bytes) -> bool:
    """A route in its headers that is not at its end (RFC 791 3.1, RFC 2460 4.4)."""
    if ip.version(packet) == 4:
        options = packet[ipv4.HEADER_LENGTH : ipv4.header_length(packet)]
        return b"\x83" in options or b"\x89" in options
    found = (each for each in ipv6.chain(packet).extensions if each.kind == IpProtocol.ROUTING)
    return any(packet[each.start + 2] == 0 and packet[each.start + 3] for each in found)
