"""The Security Policy Database: ordered rules, the first match decides (RFC 4301 4.4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ipsecsim.ipsec.association import SecurityAssociation
from ipsecsim.ipsec.selector import (
    Selector,
    any_matches_inbound,
    any_matches_outbound,
    flow_key,
    flow_of,
)


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


@dataclass(slots=True)
class CacheEntry:
    """What was decided for one flow: the rule, and the SA that carries it once one does (RFC 4301 4.4.1)."""

    policy: Policy | None
    sa: SecurityAssociation | None = None


class SecurityPolicyDatabase:
    """The rules in order, with a cache of decided flows for each direction that every change empties.

    No match means DISCARD: nothing crosses the IPsec boundary without a rule (RFC 4301 4.4.1).
    """

    CACHE_LIMIT = 10_000

    def __init__(self, policies: Sequence[Policy] = ()) -> None:
        self._policies = list(policies)
        self._outbound: dict[bytes, CacheEntry] = {}
        self._inbound: dict[bytes, CacheEntry] = {}

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The rules in the order they are tried."""
        return tuple(self._policies)

    def replace(self, policies: Sequence[Policy]) -> None:
        """Put other rules in place."""
        self._policies = list(policies)
        self.forget_decisions()

    def forget_decisions(self) -> None:
        """Empty the caches: rules or SAs have changed."""
        self._outbound.clear()
        self._inbound.clear()

    def outbound(self, packet: bytes) -> CacheEntry:
        """What holds for a packet that leaves; its policy is None when no rule matches."""
        key = flow_key(packet)
        entry = self._outbound.get(key) if key is not None else None
        if entry is None:
            flow = flow_of(packet)
            entry = CacheEntry(
                next((p for p in self._policies if any_matches_outbound(p.selectors, flow)), None)
            )
            self._remember(self._outbound, key, entry)
        return entry

    def inbound(self, packet: bytes) -> CacheEntry:
        """What holds for a packet that arrives in clear; its policy is None when no rule matches."""
        key = flow_key(packet)
        entry = self._inbound.get(key) if key is not None else None
        if entry is None:
            flow = flow_of(packet)
            entry = CacheEntry(
                next((p for p in self._policies if any_matches_inbound(p.selectors, flow)), None)
            )
            self._remember(self._inbound, key, entry)
        return entry

    def _remember(self, cache: dict[bytes, CacheEntry], key: bytes | None, entry: CacheEntry) -> None:
        if key is None:
            return
        # packets from outside fill this cache: a flood of flows must not fill the memory
        if len(cache) >= self.CACHE_LIMIT:
            cache.clear()
        cache[key] = entry
