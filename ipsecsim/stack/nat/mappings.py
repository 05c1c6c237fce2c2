"""The mappings of one NAT: which inside endpoint is which outside one, to whom, and for how long."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import Behaviour, Dependence, Forward, Ports
from ipsecsim.stack.nat.events import MappingEnded, MappingMade
from ipsecsim.stack.nat.rewriting import Endpoint, Flow
from ipsecsim.wire.numbers import IpProtocol

FIRST_PORT, LAST_PORT = 1024, 0xFFFF
MOST_PEERS = 256  # that one mapping lets in
MOST_REMEMBERED = 1024  # of those that are gone, so that a drop can say so

InsideKey = tuple[int, Endpoint, object]
OutsideKey = tuple[int, Endpoint]


@dataclass(slots=True)
class Mapping:
    """`peers` are the outside endpoints that the inside one has spoken to, the last of them at the end."""

    protocol: int
    inside: Endpoint
    outside: Endpoint
    key: InsideKey
    lifetime: Duration
    lets_all_in: bool = False
    peers: OrderedDict[Endpoint, None] = field(default_factory=OrderedDict)

    def spoke_to(self, peer: Endpoint) -> None:
        """Remember a peer; of many the oldest is forgotten."""
        self.peers[peer] = None
        self.peers.move_to_end(peer)
        if len(self.peers) > MOST_PEERS:
            self.peers.popitem(last=False)

    def lets_in(self, peer: Endpoint, filtering: Dependence) -> bool:
        """May a packet of this peer come in (RFC 4787 5)?"""
        if self.lets_all_in or filtering is Dependence.NOTHING:
            return True
        if filtering is Dependence.ADDRESS:
            return any(known[0] == peer[0] for known in self.peers)
        return peer in self.peers


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
        self._entropy = entropy
        self._reserved = reserved
        self._tap = tap
        self._inside: dict[InsideKey, Mapping] = {}
        self._outside: dict[OutsideKey, Mapping] = {}
        self._per_host: Counter[bytes] = Counter()
        self._taken: Counter[tuple[int, bytes]] = Counter()  # ports, by protocol and outside address
        self._gone: OrderedDict[OutsideKey, None] = OrderedDict()
        self._avoided: frozenset[OutsideKey] = frozenset()
        self._ends: dict[Duration, OrderedDict[OutsideKey, Instant]] = {}  # by lifetime, the first first
        self._next_port = FIRST_PORT

    def __iter__(self) -> Iterator[Mapping]:
        return iter(self._outside.values())

    def __len__(self) -> int:
        return len(self._outside)

    # -- finding --------------------------------------------------------------------------------

    def from_inside(self, flow: Flow, now: Instant) -> Mapping:
        """The mapping of a flow that goes out, made if need be, its time begun anew. Raises Refused."""
        key = self._key(flow)
        mapping = self._inside.get(key) or self._make(flow, key)
        mapping.spoke_to(flow.destination)
        self._refresh(mapping, now)
        return mapping

    def to_inside(self, protocol: int, inside: Endpoint, peer: Endpoint) -> Mapping | None:
        """The mapping that let a packet to `inside` in, for what is said about it."""
        return self._inside.get(self._key(Flow(protocol, inside, peer)))

    def at_outside(self, protocol: int, outside: Endpoint) -> Mapping | None:
        """Whose endpoint this is, seen from outside."""
        return self._outside.get((protocol, outside))

    def has_been(self, protocol: int, outside: Endpoint) -> bool:
        """Was there a mapping for it that has come to its end?"""
        return (protocol, outside) in self._gone

    # -- making ---------------------------------------------------------------------------------

    def admit(self, flow: Flow, forward: Forward, now: Instant) -> Mapping:
        """The mapping of a packet that comes in because a rule leads it inside."""
        outside = flow.destination
        inside = (forward.inside, outside[1])
        mapping = self._outside.get((flow.protocol, outside))
        if mapping is None:
            key = self._key(Flow(flow.protocol, inside, flow.source))
            mapping = self._install(flow.protocol, inside, outside, key, lets_all_in=True)
        mapping.spoke_to(flow.source)
        self._refresh(mapping, now)
        return mapping

    def forward_for(self, protocol: int, port: int) -> Forward | None:
        """The rule that leads packets to an outside port inside."""
        for rule in self._behaviour.forwards:
            if rule.protocol not in (None, protocol):
                continue
            if not rule.ports or any(first <= port <= last for first, last in rule.ports):
                return rule
        return None

    def _make(self, flow: Flow, key: InsideKey) -> Mapping:
        host = flow.source[0]
        if self._per_host[host] >= self._behaviour.most_per_host:
            raise Refused(DropReason.NAT_PORTS_EXHAUSTED, f"{self._per_host[host]} mappings of this host")
        address = self._address_of(host)
        rule = self.forward_for(flow.protocol, flow.source[1])
        if rule is not None and rule.inside == host:
            outside = (address, flow.source[1])
            if (flow.protocol, outside) not in self._outside:
                return self._install(flow.protocol, flow.source, outside, key, lets_all_in=True)
        port = self._free_port(flow, address)
        return self._install(flow.protocol, flow.source, (address, port), key)

    def _install(
        self, protocol: int, inside: Endpoint, outside: Endpoint, key: InsideKey, *, lets_all_in: bool = False
    ) -> Mapping:
        mapping = Mapping(protocol, inside, outside, key, self._lifetime(protocol), lets_all_in)
        self._inside[key] = self._outside[protocol, outside] = mapping
        self._per_host[inside[0]] += 1
        self._taken[protocol, outside[0]] += 1
        self._gone.pop((protocol, outside), None)
        if self._tap is not None:
            self._tap(MappingMade(protocol, inside, outside, mapping.lifetime))
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

    def _address_of(self, host: bytes) -> bytes:
        """One outside address for each host, always the same one (RFC 4787 REQ-2)."""
        return self.addresses[int.from_bytes(host, "big") % len(self.addresses)]

    def _lifetime(self, protocol: int) -> Duration:
        timeouts = self._behaviour.timeouts
        known = {IpProtocol.TCP: timeouts.tcp, IpProtocol.ICMP: timeouts.icmp}
        return known.get(protocol, timeouts.udp)  # type: ignore[call-overload,no-any-return]

    # -- ports ----------------------------------------------------------------------------------

    def _free_port(self, flow: Flow, address: bytes) -> int:
        """An outside port that nobody has: none is ever shared (RFC 4787 REQ-3). Raises Refused."""
        if self._taken[flow.protocol, address] > LAST_PORT - FIRST_PORT:
            raise Refused(DropReason.NAT_PORTS_EXHAUSTED, "every outside port is taken")
        avoided = None
        for port in self._candidates(flow):
            outside = flow.protocol, (address, port)
            if outside in self._outside or port in self._reserved or self.forward_for(flow.protocol, port):
                continue
            if outside not in self._avoided:
                return port
            avoided = avoided or port
        if avoided is not None:
            return avoided
        raise Refused(DropReason.NAT_PORTS_EXHAUSTED, "no outside port is free")

    def _candidates(self, flow: Flow) -> Iterator[int]:
        first, last, wanted = FIRST_PORT, LAST_PORT, flow.source[1]
        kind = self._behaviour.ports
        if kind is Ports.CONTIGUOUS:
            blocks = (LAST_PORT + 1 - FIRST_PORT) // self._behaviour.block
            number = int.from_bytes(flow.source[0], "big") % blocks
            first = FIRST_PORT + number * self._behaviour.block
            last = first + self._behaviour.block - 1
            start = first
        elif kind is Ports.PRESERVING:
            yield wanted
            start = max(wanted + 1, first)
        elif kind is Ports.RANDOM:
            start = first + self._entropy.fork("port").below(last + 1 - first)
        else:
            start = self._next_port
            self._next_port = first if start == last else start + 1
        yield from range(start, last + 1)
        yield from range(first, start)

    # -- ending ---------------------------------------------------------------------------------

    def _refresh(self, mapping: Mapping, now: Instant) -> None:
        ends = self._ends.setdefault(mapping.lifetime, OrderedDict())
        ends[mapping.protocol, mapping.outside] = now + mapping.lifetime
        ends.move_to_end((mapping.protocol, mapping.outside))

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
        outside = mapping.protocol, mapping.outside
        del self._outside[outside], self._inside[mapping.key]
        del self._ends[mapping.lifetime][outside]
        self._taken[mapping.protocol, mapping.outside[0]] -= 1
        self._per_host[mapping.inside[0]] -= 1
        if not self._per_host[mapping.inside[0]]:
            del self._per_host[mapping.inside[0]]
        self._gone[outside] = None
        if len(self._gone) > MOST_REMEMBERED:
            self._gone.popitem(last=False)
        if self._tap is not None:
            self._tap(MappingEnded(mapping.protocol, mapping.inside, mapping.outside, why))
