"""The way of a packet to an IPsec engine, as in a node, and what must hold for whatever comes out."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, Instant, ms
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ipsec.access import MOST_ACCEPTED_FLOWS
from ipsecsim.ipsec.actions import Deliver, SenderMoved
from ipsecsim.ipsec.association import Direction, Mode, SecurityAssociation
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.policy import SecurityPolicyDatabase, first_match
from ipsecsim.ipsec.selector import Selector, any_matches_inbound, flow_of
from ipsecsim.wire import ip, udp
from ipsecsim.wire.nat_t import Encapsulated, classify
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.hostile.sa_shapes import OWN, SPI, Shape, policies
from tests.hostile.target import outcome, reachable, require

OTHERWISE = "not for IPsec"
LEFT_OVER = 60
_MOST_NESTED = 8


class Door:
    """An engine with one SA towards it, and an eye on all that it gives away."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.now = 0
        self.events: list[TraceEvent] = []
        self.rules = policies(shape)
        self.engine = IpsecEngine(self.rules, self.events.append)
        self.engine.install(shape.parameters(Direction.INBOUND), 0)
        self.events.clear()

    @property
    def sa(self) -> SecurityAssociation:
        """The SA towards this node."""
        (found,) = [each for each in self.engine.sad.all() if each.spi == SPI]
        return found

    def state(self) -> tuple[int, int, int, int]:
        """What only authentic packets may change."""
        sa = self.sa
        return sa.replay.top, sa.replay.seen, sa.packets, sa.octets

    def receive(self, packet: bytes) -> tuple[list[bytes], str]:
        """Take a packet in, and what comes out of it in turn: what was delivered last, and the first reason."""
        self.events.clear()
        self.now += ms(1)
        delivered: list[bytes] = []
        for _ in range(_MOST_NESTED):
            try:
                protocol, start = place(packet)
            except RemoteError as wrong:
                return delivered, wrong.reason.name
            if not protocol:
                return delivered, outcome(self.events) if delivered else OTHERWISE
            actions = self.engine.inbound(protocol, packet, start, self.now)
            out = [action.packet for action in actions if isinstance(action, Deliver)]
            moved = [action for action in actions if isinstance(action, SenderMoved)]
            require(
                len(out) + len(moved) == len(actions) and len(moved) <= len(out) <= 1,
                "a received packet led to something but one delivery and news of its sender",
            )
            if not out:
                return [], outcome(self.events)
            delivered = out
            packet = out[0]
            self._check(packet)
            if ip.destination(packet) not in OWN.values():
                break
        return delivered, outcome(self.events)

    def _check(self, inner: bytes) -> None:
        ip.check(inner)
        require(ip.total_length(inner) == len(inner), "a packet came out with something behind it")
        flow = flow_of(inner)
        if not any_matches_inbound(self.shape.selectors, flow) and not flow.is_later_fragment:
            is_about = is_error_about(self.shape.selectors, inner, Direction.INBOUND)
            require(is_about, "outside the selectors, and came out")
        elif not flow.is_later_fragment:
            rule = first_match(self.rules, flow, Direction.INBOUND)
            require(rule is None or rule.name == "net", "another rule stands before, and it came out")
        is_whole = ip.is_whole(inner)
        require(self.shape.mode is Mode.TUNNEL or is_whole, "a fragment came out of transport mode")

    def residue(self) -> int:
        """Let an hour pass, and count what is left. Raises Broken when anything waits or has no end."""
        self.now += 3600 * SECOND
        left = residue(self.engine, self.now)
        self.events.clear()
        return left


def place(packet: bytes) -> tuple[int, int]:
    """ESP or AH, and where it begins in a packet that came off a link. Raises RemoteError; (0, 0): neither."""
    ip.check(packet)
    protocol, start = ip.upper_layer(packet)
    if protocol in (IpProtocol.ESP, IpProtocol.AH):
        return protocol, start
    if protocol != IpProtocol.UDP or not ip.is_whole(packet):
        return 0, 0
    segment = packet[start : ip.total_length(packet)]
    udp.check(ip.source(packet), ip.destination(packet), segment)
    _, port, payload = udp.parse(segment)
    if port == NAT_T_PORT and classify(payload) is Encapsulated.ENCAPSULATED_ESP:
        return IpProtocol.ESP, start + udp.HEADER_LENGTH
    return 0, 0


def is_error_about(selectors: tuple[Selector, ...], packet: bytes, direction: Direction) -> bool:
    """Does an ICMP error quote a packet, from where it goes, whose answers the selectors let go the same way?"""
    protocol, at = ip.upper_layer(packet)
    if (ip.version(packet), protocol) not in ((4, IpProtocol.ICMP), (6, IpProtocol.ICMPV6)):
        return False
    quoted = packet[at + 8 :]
    if len(quoted) < (20 if ip.version(packet) == 4 else 40) or ip.version(quoted) != ip.version(packet):
        return False
    source, destination = ip.source(quoted), ip.destination(quoted)
    ours, theirs = (destination, source) if direction is Direction.OUTBOUND else (source, destination)
    return source == ip.destination(packet) and any(
        len(ours) == len(row.local[0])
        and row.local[0] <= ours <= row.local[1]
        and row.remote[0] <= theirs <= row.remote[1]
        for row in selectors
    )


def residue(engine: IpsecEngine, now: Instant) -> int:
    """What is left in an engine when all its timers have rung, caches aside; these must have an end."""
    engine.handle_timeout(now)
    require(engine.next_deadline() is None, "a timer is left")
    require(engine.held == 0, "packets wait for ever")
    flows = [sa.accepted_flows for sa in engine.sad.all()]
    require(all(len(each) <= MOST_ACCEPTED_FLOWS for each in flows), "too many flows are remembered")
    cached = reachable(engine.spd) // 4
    require(cached <= 2 * SecurityPolicyDatabase.CACHE_LIMIT, "the SPD cache has no end")
    # a table of trailers for each next header that was sent, and these are 256
    transforms = [sa.transform for sa in engine.sad.all()]
    trailers = [each._trailers for each in transforms if isinstance(each, Esp)]
    return reachable(engine, without=(engine.spd, engine.tap, *flows, *trailers))
