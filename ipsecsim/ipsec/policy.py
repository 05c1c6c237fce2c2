"""The Security Policy Database: ordered rules, the first match decides (RFC 4301 4.4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ipsecsim.ipsec.selector import Flow, Selector, any_matches_inbound, any_matches_outbound


class PolicyAction(Enum):
    """What a rule does with the traffic it matches."""

    PROTECT = "protect"
    BYPASS = "bypass"
    DISCARD = "discard"


@dataclass(slots=True)
class Policy:
    """One rule. Its name is also that by which IKE is asked for an SA when a PROTECT rule has none."""

    name: str
    action: PolicyAction
    selectors: tuple[Selector, ...]
    hits: int = 0


class SecurityPolicyDatabase:
    """The rules in order, with a cache of decided flows that every change empties.

    No match means DISCARD: nothing crosses the IPsec boundary without a rule (RFC 4301 4.4.1).
    """

    CACHE_LIMIT = 10_000

    def __init__(self, policies: Sequence[Policy] = ()) -> None:
        self._policies = list(policies)
        self._outbound: dict[Flow, Policy | None] = {}
        self._inbound: dict[Flow, Policy | None] = {}

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The rules in the order they are tried."""
        return tuple(self._policies)

    def named(self, name: str) -> Policy | None:
        """The rule called `name`."""
        return next((policy for policy in self._policies if policy.name == name), None)

    def replace(self, policies: Sequence[Policy]) -> None:
        """Put other rules in place."""
        self._policies = list(policies)
        self._outbound.clear()
        self._inbound.clear()

    def outbound(self, flow: Flow) -> Policy | None:
        """The rule for a packet that leaves; None when no rule matches."""
        if flow not in self._outbound:
            found = next((p for p in self._policies if any_matches_outbound(p.selectors, flow)), None)
            self._remember(self._outbound, flow, found)
        return self._outbound[flow]

    def inbound(self, flow: Flow) -> Policy | None:
        """The rule for a packet that arrives; None when no rule matches."""
        if flow not in self._inbound:
            found = next((p for p in self._policies if any_matches_inbound(p.selectors, flow)), None)
            self._remember(self._inbound, flow, found)
        return self._inbound[flow]

    def _remember(self, cache: dict[Flow, Policy | None], flow: Flow, found: Policy | None) -> None:
        # packets from outside fill this cache: a flood of flows must not fill the memory
        if len(cache) >= self.CACHE_LIMIT:
            cache.clear()
        cache[flow] = found
