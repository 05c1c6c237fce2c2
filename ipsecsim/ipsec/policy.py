"""The Security Policy Database: ordered rules, the first match decides (RFC 4301 4.4.1)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.fragment_ports import FragmentPorts
from ipsecsim.ipsec.populate import Part, populate
from ipsecsim.ipsec.selector import (
    Flow,
    Selector,
    any_matches_inbound,
    any_matches_outbound,
    flow_key,
    flow_of,
)
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol

_SECURITY = frozenset((IpProtocol.ESP, IpProtocol.AH))


class PolicyAction(Enum):
    """What a rule does with the traffic it matches."""

    PROTECT = "protect"
    BYPASS = "bypass"
    DISCARD = "discard"


@dataclass(slots=True)
class Policy:
    """One rule. Its name is also that by which IKE is asked for an SA when a PROTECT rule has none.

    `direction` limits the rule to packets that leave or that arrive: it is then in SPD-O or SPD-I only. With
    `negotiable` False nobody is asked: the SAs of the rule are made by hand (RFC 4301 4.5.1).

    A rule that `follows_sas` has no selectors of its own: it speaks of what its SAs carry now. So each peer whose
    address comes from a pool gets what was agreed with it, and nobody else's (RFC 4301 4.4.1.1, names).

    `from_packet` are the parts that each SA takes from the packet that asks for it, so that one rule has many SAs.

    A rule that is there `only_with_sa` sleeps while it has none: later rules decide then, and may let pass in clear
    what this one would protect. RFC 4301 knows no such rules; it is how a host behaves that sets no trap.
    """

    name: str
    action: PolicyAction
    selectors: tuple[Selector, ...]
    hits: int = 0
    direction: Direction | None = None
    negotiable: bool = True
    follows_sas: bool = False
    from_packet: frozenset[Part] = frozenset()
    only_with_sa: bool = False
    is_asleep: bool = False

    def populated(self, flow: Flow) -> Selector | None:
        """What the SA for a leaving packet is to carry, where that is less than the rule; else None."""
        if not self.from_packet:
            return None
        row = next(each for each in self.selectors if each.matches_outbound(flow))
        return populate(row, flow, self.from_packet)

    @property
    def is_around_others(self) -> bool:
        """Does it protect, and names ESP or AH?"""
        names_security = all(row.protocol in _SECURITY for row in self.selectors)
        return self.action is PolicyAction.PROTECT and not self.follows_sas and names_security

    def matches(self, flow: Flow, direction: Direction) -> bool:
        """Does the rule speak of a packet that goes this way?"""
        is_meant = self.direction in (None, direction) and not self.is_asleep
        return is_meant and _any_matches(self.selectors, flow, direction)

    def might_mean(self, flow: Flow, direction: Direction) -> bool:
        """Could a later fragment be of a packet that the rule speaks of? Its ports are elsewhere."""
        if self.direction not in (None, direction) or self.is_asleep:
            return False
        if direction is Direction.OUTBOUND:
            return any(selector.might_mean_outbound(flow) for selector in self.selectors)
        return any(selector.might_mean_inbound(flow) for selector in self.selectors)

    def is_for_later_fragments(self, flow: Flow, direction: Direction) -> bool:
        """Does the rule speak of just those packets that hide their ports?"""
        rows = tuple(each for each in self.selectors if each.wants_no_ports)
        return _any_matches(rows, flow, direction)


def _any_matches(rows: Sequence[Selector], flow: Flow, direction: Direction) -> bool:
    if direction is Direction.OUTBOUND:
        return any_matches_outbound(rows, flow)
    return any_matches_inbound(rows, flow)


@dataclass(slots=True)
class Decision:
    """What was decided for one flow: the rule, and the SA that carries it once one does (RFC 4301 4.4.1).

    Without a rule, `refusal` says why not. `flow` is what the rules were asked about: a later fragment's has the
    ports of its first one where these were needed.
    """

    policy: Policy | None
    flow: Flow
    refusal: DropReason = DropReason.SPD_NO_MATCH
    sa: SecurityAssociation | None = None


def first_match(policies: Iterable[Policy], flow: Flow, direction: Direction) -> Policy | None:
    """The rule that decides about a packet that is whole, or a first fragment."""
    return next((policy for policy in policies if policy.matches(flow, direction)), None)


class SecurityPolicyDatabase:
    """The rules in order, with a cache of decided flows for each direction that every change empties.

    A flow is one value of each selector, so rules that overlap need no decorrelation before they are cached: the
    cache holds what an ordered search found for just this flow (RFC 4301 4.4.1). No match means DISCARD: nothing
    crosses the IPsec boundary without a rule. `revision` counts the changes of the rules.
    """

    CACHE_LIMIT = 10_000

    def __init__(self, policies: Sequence[Policy] = ()) -> None:
        self.revision = 0
        self._outbound: dict[bytes, Decision] = {}
        self._inbound: dict[bytes, Decision] = {}
        self._carried: dict[str, Counter[Selector]] = {}  # of rules for which it matters
        self.fragments = {direction: FragmentPorts() for direction in Direction}
        self.replace(policies)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The rules in the order they are tried."""
        return tuple(self._policies)

    def replace(self, policies: Sequence[Policy]) -> None:
        """Put other rules in place."""
        self._policies = list(policies)
        self._names = frozenset(policy.name for policy in policies)
        self._carried = {
            policy.name: self._carried.get(policy.name, Counter())
            for policy in policies
            if policy.follows_sas or policy.only_with_sa
        }
        self._around = [policy for policy in policies if policy.is_around_others]
        self._take_stock()

    def sa_came(self, policy: str, selectors: Sequence[Selector]) -> None:
        """A rule has one more SA: its flows are to find it."""
        self.forget_decisions()
        if policy in self._carried:
            self._carried[policy].update(selectors)
            self._take_stock()

    def sa_went(self, policy: str, selectors: Sequence[Selector]) -> None:
        """A rule has one SA less."""
        self.forget_decisions()
        if policy in self._carried:
            self._carried[policy] -= Counter(selectors)
            self._take_stock()

    def _take_stock(self) -> None:
        """The rules speak of other traffic than before."""
        for policy in self._policies:
            if policy.follows_sas:
                policy.selectors = tuple(self._carried[policy.name])
            policy.is_asleep = policy.only_with_sa and not self._carried[policy.name]
        self._names_ports = any(row.names_ports for policy in self._policies for row in policy.selectors)
        self.revision += 1
        self.forget_decisions()

    def protects_again(self, packet: bytes, direction: Direction) -> bool:
        """Is an ESP or AH packet itself to be protected? Only a rule that names its protocol says so.

        This is how SAs are nested, AH around ESP for one: each has a rule of its own (RFC 4301 4.1, appendix E).
        A rule for any protocol speaks of what is inside, or there would be no end to it.
        """
        if not self._around:
            return False
        policy = self.search(flow_of(packet), direction)
        return policy is not None and policy.is_around_others

    def has(self, name: str) -> bool:
        """Is there a rule of this name?"""
        return name in self._names

    def forget_decisions(self) -> None:
        """Empty the caches: rules or SAs have changed."""
        self._outbound.clear()
        self._inbound.clear()

    def outbound(self, packet: bytes, now: Instant) -> Decision:
        """What holds for a packet that leaves; its policy is None when no rule matches."""
        key = flow_key(packet)
        if key is None:
            return self._decide(packet, Direction.OUTBOUND, now)
        decision = self._outbound.get(key)
        if decision is None:
            decision = self._decide(packet, Direction.OUTBOUND, now)
            self._remember(self._outbound, key, decision)
        return decision

    def inbound(self, packet: bytes, now: Instant) -> Decision:
        """What holds for a packet that arrives in clear; its policy is None when no rule matches."""
        key = flow_key(packet)
        if key is None:
            return self._decide(packet, Direction.INBOUND, now)
        decision = self._inbound.get(key)
        if decision is None:
            decision = self._decide(packet, Direction.INBOUND, now)
            self._remember(self._inbound, key, decision)
        return decision

    def search(self, flow: Flow, direction: Direction) -> Policy | None:
        """The first rule that matches a flow; no cache is asked."""
        return first_match(self._policies, flow, direction)

    def _decide(self, packet: bytes, direction: Direction, now: Instant) -> Decision:
        flow = flow_of(packet)
        if flow.is_later_fragment:
            return self._decide_later(packet, flow, direction, now)
        if self._names_ports and ip.is_fragment(packet):
            self.fragments[direction].remember(packet, flow, now)
        return Decision(self.search(flow, direction), flow)

    def _decide_later(self, packet: bytes, flow: Flow, direction: Direction, now: Instant) -> Decision:
        """A later fragment matches no rule that names ports (RFC 4301 4.4.1.1), but may belong to one.

        With its first fragment known, all rules are asked with the ports of that one. Else it goes by a later rule
        only where this cannot be a hole: the rules it may belong to all say BYPASS. A rule for hidden ports decides
        in any case: that is what it is for.
        """
        doubts: list[Policy] = []
        found: Policy | None = None
        for policy in self._policies:
            if policy.matches(flow, direction):
                found = policy
                break
            if policy.might_mean(flow, direction):
                doubts.append(policy)
        if not doubts or (found is not None and found.is_for_later_fragments(flow, direction)):
            return Decision(found, flow)
        first = self.fragments[direction].first_of(packet, now)
        if first is not None:
            whole = flow.with_ports_of(first)
            return Decision(self.search(whole, direction), whole)
        if found is None or any(doubt.action is not PolicyAction.BYPASS for doubt in doubts):
            return Decision(None, flow, DropReason.FRAG_NO_PORTS)
        return Decision(found, flow)

    def _remember(self, cache: dict[bytes, Decision], key: bytes, decision: Decision) -> None:
        # packets from outside fill this cache: a flood of flows must not fill the memory
        if len(cache) >= self.CACHE_LIMIT:
            cache.clear()
        cache[key] = decision
