"""The mappings of one NAT: which inside endpoint is which outside one, to whom, and for how long."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.nat.behaviour import Behaviour, Dependence, Forward, Timeouts
from ipsecsim.stack.nat.events import MappingEnded, MappingMade
from ipsecsim.stack.nat.ports import FIRST_PORT, LAST_PORT, Exhausted, PortChoice
from ipsecsim.stack.nat.rewriting import End, Endpoint, Flow
from ipsecsim.stack.nat.tcp import Connection
from ipsecsim.wire.numbers import IpProtocol

MOST_PEERS = 256  # that one mapping lets in
MOST_REMEMBERED = 1024  # of those that are gone, so that a drop can say so

_WITH_PORTS = (IpProtocol.UDP, IpProtocol.TCP)

InsideKey = tuple[int, Endpoint, object]
OutsideKey = tuple[int, Endpoint]


@dataclass(slots=True)
class Mapping:
    """`peers` are the outside endpoints that the inside one has spoken to, the last of them at the end.

    Of TCP each has a connection. A mapping that was `led_in` is that of a rule, and lets everybody in.
    """

    protocol: int
    inside: Endpoint
    outside: Endpoint
    key: InsideKey
    lifetime: Duration
    led_in: bool = False
    peers: OrderedDict[Endpoint, Connection] = field(default_factory=OrderedDict)

    def spoke_to(self, peer: Endpoint) -> None:
        """Remember a peer; of many the oldest is forgotten."""
        if peer not in self.peers:
            self.peers[peer] = Connection()
        self.peers.move_to_end(peer)
        if len(self.peers) > MOST_PEERS:
            self.peers.popitem(last=False)

    def lets_in(self, peer: Endpoint, filtering: Dependence) -> bool:
        """May a packet of this peer come in (RFC 4787 5)?"""
        if self.led_in or filtering is Dependence.NOTHING:
            return True
        if filtering is Dependence.ADDRESS:
            return any(known[0] == peer[0] for known in self.peers)
        return peer in self.peers

    def time_to_live(self, timeouts: Timeouts) -> Duration:
        """How long it may be idle, as it is now."""
        if self.protocol == IpProtocol.TCP:
            is_open = any(connection.is_established for connection in self.peers.values())
            return timeouts.tcp if is_open else timeouts.tcp_transitory
        return timeouts.icmp if self.protocol == IpProtocol.ICMP else timeouts.udp


class MappingTable:
    """Bounded by the ports there are, and by host. `reserved` are ports that the box itself listens on."""

    def __init__(
        self,
        behaviour: Behaviour,
        addresses: Sequence[bytes],
        entropy: Entropy,
        reserved: Collection[int],
        tap: Tap | None,
    ) -> None:
        self.addresses = list(addresses)
        self._behaviour = behaviour
        self._reserved = reserved
        self._tap = tap
        self._choice = PortChoice(behaviour, entropy)
        self._inside: dict[InsideKey, Mapping] = {}
        self._outside: dict[OutsideKey, Mapping] = {}
        self._per_host: Counter[bytes] = Counter()
        self._taken: Counter[tuple[int, bytes]] = Counter()  # ports, by protocol and outside address
        self._gone: OrderedDict[OutsideKey, None] = OrderedDict()
        self._avoided: frozenset[OutsideKey] = frozenset()
        self._ends: dict[Duration, OrderedDict[OutsideKey, Instant]] = {}  # by lifetime, the first first

    def __iter__(self) -> Iterator[Mapping]:
        return iter(self._outside.values())

    def __len__(self) -> int:
        return len(self._outside)

    # -- finding --------------------------------------------------------------------------------

    def from_inside(self, flow: Flow, now: Instant) -> Mapping:
        """The mapping of a flow that goes out, made if need be, its time begun anew. Raises Exhausted."""
        key = self._key(flow)
        mapping = self._inside.get(key) or self._led_out(flow, key) or self._make(flow, key)
        mapping.spoke_to(flow.destination)
        self._refresh(mapping, now)
        return mapping

    def at_outside(self, protocol: int, outside: Endpoint) -> Mapping | None:
        """Whose endpoint this is, seen from outside."""
        return self._outside.get((protocol, outside))

    def outside_of(self, protocol: int, inside: Endpoint, peer: Endpoint) -> Endpoint | None:
        """The endpoint at which the peer knows an inside one, for what is said about a packet that came in."""
        mapping = self._inside.get(self._key(Flow(protocol, inside, peer)))
        if mapping is not None:
            return mapping.outside
        rule = self.forward_for(protocol, inside[1])
        return (self.address_of(inside[0]), inside[1]) if rule and rule.inside == inside[0] else None

    def led_inside(self, protocol: int, outside: Endpoint) -> Endpoint | None:
        """Where a rule leads what comes to an outside endpoint."""
        rule = self.forward_for(protocol, outside[1])
        if rule is None or self.address_of(rule.inside) != outside[0]:
            return None
        return rule.inside, outside[1]

    def has_been(self, protocol: int, outside: Endpoint) -> bool:
        """Was there a mapping for it that has come to its end?"""
        return (protocol, outside) in self._gone

    def forward_for(self, protocol: int, port: int) -> Forward | None:
        """The rule that leads packets to an outside port inside, those with ports first."""
        fitting = [rule for rule in self._behaviour.forwards if rule.protocol in (None, protocol)]
        for rule in fitting if protocol in _WITH_PORTS else ():
            if any(first <= port <= last for first, last in rule.ports):
                return rule
        return next((rule for rule in fitting if not rule.ports), None)

    def is_led_by_port(self, protocol: int, port: int) -> bool:
        """Is there a rule for just this port?"""
        rule = self.forward_for(protocol, port)
        return rule is not None and bool(rule.ports)

    def address_of(self, host: bytes) -> bytes:
        """One outside address for each host, always the same one (RFC 4787 REQ-2)."""
        return self.addresses[int.from_bytes(host, "big") % len(self.addresses)]

    # -- making ---------------------------------------------------------------------------------

    def _led_out(self, flow: Flow, key: InsideKey) -> Mapping | None:
        """What comes from an endpoint that a rule leads to keeps its port; None where others have it."""
        host = flow.source[0]
        rule = self.forward_for(flow.protocol, flow.source[1])
        if rule is None or rule.inside != host:
            return None
        outside = self.address_of(host), flow.source[1]
        mapping = self._outside.get((flow.protocol, outside))
        if mapping is None:
            return self._install(flow, outside, key, led_in=True)
        return mapping if mapping.led_in else None

    def _make(self, flow: Flow, key: InsideKey) -> Mapping:
        address = self.address_of(flow.source[0])
        return self._install(flow, (address, self._free_port(flow, address)), key)

    def _free_port(self, flow: Flow, address: bytes) -> int:
        """An outside port that nobody has: none is ever shared (RFC 4787 REQ-3). Raises Exhausted."""
        if self._taken[flow.protocol, address] > LAST_PORT - FIRST_PORT:
            raise Exhausted("every outside port is taken")
        avoided = None
        for port in self._choice.candidates(flow.source, address):
            outside = flow.protocol, (address, port)
            if outside in self._outside or port in self._reserved or self.is_led_by_port(flow.protocol, port):
                continue
            if outside not in self._avoided:
                return port
            avoided = avoided or port
        if avoided is not None:
            return avoided
        raise Exhausted("no outside port is free for this host")

    def _install(self, flow: Flow, outside: Endpoint, key: InsideKey, *, led_in: bool = False) -> Mapping:
        inside = flow.source
        if self._per_host[inside[0]] >= self._behaviour.most_per_host:
            raise Exhausted(f"{self._per_host[inside[0]]} mappings of this host")
        mapping = Mapping(flow.protocol, inside, outside, key, 0, led_in)
        mapping.lifetime = mapping.time_to_live(self._behaviour.timeouts)
        self._inside[key] = self._outside[flow.protocol, outside] = mapping
        self._per_host[inside[0]] += 1
        self._taken[flow.protocol, outside[0]] += 1
        self._gone.pop((flow.protocol, outside), None)
        if self._tap is not None:
            self._tap(MappingMade(flow.protocol, inside, outside, mapping.lifetime))
        return mapping

    def _key(self, flow: Flow) -> InsideKey:
        """What has to be equal for the mapping to be the same (RFC 4787 4.1)."""
        on = self._behaviour.mapping
        peer: object = None
        if on is Dependence.ADDRESS:
            peer = flow.destination[0]
        elif on is Dependence.ADDRESS_AND_PORT:
            peer = flow.destination
        return flow.protocol, flow.source, peer

    # -- over time ------------------------------------------------------------------------------

    def saw_segment(self, mapping: Mapping, peer: Endpoint, flags: int, inside: End, now: Instant) -> None:
        """A TCP segment passed: idle is a connection on which nothing goes either way (RFC 5382 5)."""
        connection = mapping.peers.get(peer)
        if connection is not None:
            connection.saw(flags, inside)
            self._refresh(mapping, now)

    def _refresh(self, mapping: Mapping, now: Instant) -> None:
        outside = mapping.protocol, mapping.outside
        lifetime = mapping.time_to_live(self._behaviour.timeouts)
        if lifetime != mapping.lifetime:
            self._ends.get(mapping.lifetime, OrderedDict()).pop(outside, None)
            mapping.lifetime = lifetime
        ends = self._ends.setdefault(lifetime, OrderedDict())
        ends[outside] = now + lifetime
        ends.move_to_end(outside)

    def ends_at(self, mapping: Mapping) -> Instant | None:
        """When a mapping runs out if nobody uses it; None for one that a rule keeps."""
        ends = self._ends.get(mapping.lifetime)
        return None if ends is None else ends.get((mapping.protocol, mapping.outside))

    def next_deadline(self) -> Instant | None:
        """When the first mapping runs out."""
        return min((next(iter(ends.values())) for ends in self._ends.values() if ends), default=None)

    def expire(self, now: Instant) -> None:
        """Forget what nobody inside has used for its time."""
        for ends in self._ends.values():
            while ends and next(iter(ends.values())) <= now:
                self._end(self._outside[next(iter(ends))], "nobody inside has used it")

    def clear(self, why: str) -> None:
        """Forget all of them."""
        for mapping in list(self):
            self._end(mapping, why)

    def avoid_old_ports(self) -> None:
        """From now on give a port that was given before only where no other is left."""
        self._avoided = frozenset(self._gone)

    def avoid_ports_of(self, before: "MappingTable") -> None:
        """The same for what another table avoids."""
        self._avoided = before._avoided

    def _end(self, mapping: Mapping, why: str) -> None:
        outside, host = (mapping.protocol, mapping.outside), mapping.inside[0]
        del self._outside[outside], self._inside[mapping.key]
        del self._ends[mapping.lifetime][outside]
        self._taken[mapping.protocol, mapping.outside[0]] -= 1
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]
            self._choice.release(host)
        self._gone[outside] = None
        if len(self._gone) > MOST_REMEMBERED:
            self._gone.popitem(last=False)
        if self._tap is not None:
            self._tap(MappingEnded(mapping.protocol, mapping.inside, mapping.outside, why))
