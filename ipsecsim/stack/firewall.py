"""A packet filter: ordered rules, the first that fits decides; then answers may pass; then the default holds.

With `stateful` the firewall knows connections. What no rule speaks of may pass when it answers something that was
let through, or is an ICMP error about it. So a rule always has the last word, on answers too.

Later fragments show no ports, so no rule that names ports speaks of them (RFC 4301 4.4.1.1). A firewall that keeps
state lets them go the way of their first fragment, if that came before; others judge them by what they show.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.recent import Recent
from ipsecsim.base.trace import Tap
from ipsecsim.stack.conntrack import ConnectionTable
from ipsecsim.stack.events import FirewallLogged, RulesChanged
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.match import Match, Seen, State
from ipsecsim.wire import ip
from ipsecsim.wire.ip import FragmentKey

FRAGMENT_TIMEOUT = 30 * SECOND  # as long as fragments wait to be put together
MOST_FRAGMENTED = 256  # packets whose later fragments are waited for


class Verdict(Enum):
    """What becomes of a packet. REJECT drops it and says so to its sender."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `text` is the sentence it was made of, for who asks why. `ready_made`: it came with a preset."""

    verdict: Verdict
    match: Match
    text: str
    ready_made: bool = field(default=False, compare=False)

    @property
    def refuses_all(self) -> bool:
        """Does nothing get past it?"""
        return self.verdict is not Verdict.ACCEPT and not self.match.conditions


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All that a firewall goes by. `log` tells of every packet that it does not accept."""

    rules: tuple[Rule, ...] = ()
    default: Verdict = Verdict.ACCEPT
    stateful: bool = True
    log: bool = False

    @property
    def keeps_state(self) -> bool:
        """Does it take knowledge of connections to go by it? Not where everything may pass by default anyway."""
        if self.stateful and self.default is not Verdict.ACCEPT:
            return True
        return any(rule.match.asks_for_state for rule in self.rules)


class Judged(NamedTuple):
    """A verdict, the reason if the packet ends here, and what said so."""

    verdict: Verdict
    reason: DropReason | None
    by: str


_ANSWER = Judged(Verdict.ACCEPT, None, "an answer")


class Firewall:
    """Judges packets whose IP header was checked. `connections` is empty where nobody asks for state."""

    def __init__(self, ruleset: Ruleset, tap: Tap | None = None) -> None:
        self.tap = tap
        self.connections = ConnectionTable(tap)
        self._fragmented: Recent[FragmentKey, Judged] = Recent(FRAGMENT_TIMEOUT, MOST_FRAGMENTED)
        self._use(ruleset)

    def change(self, ruleset: Ruleset) -> None:
        """Go by other rules from now on. Connections that the old ones let through are forgotten, and ask anew."""
        forgotten = len(self.connections)
        self.forget("the rules are other ones")
        self._use(ruleset)
        if self.tap is not None:
            self.tap(RulesChanged(len(ruleset.rules), ruleset.default.value, forgotten))

    @property
    def fragments_known(self) -> int:
        """Of how many packets that come in fragments the verdict is remembered."""
        return len(self._fragmented)

    def forget(self, why: str) -> None:
        """Know no connection any more."""
        self.connections.clear(why)
        self._fragmented.clear()

    def check(
        self, packet: bytes, now: Instant, *, inbound: str | None = None, outbound: str | None = None
    ) -> None:
        """Return for a packet that may pass. Raises Refused (FW_RULE, FW_STATE); REJECT has a problem to tell."""
        seen = Seen(packet, inbound, outbound)
        judged = self._judge(seen, now) if self._keeps_state else self._by_rules(seen)
        if judged.reason is None:
            return
        if self.tap is not None and self.ruleset.log:
            self.tap(FirewallLogged(judged.verdict.value, judged.by, inbound, outbound, packet))
        problem = Problem.PROHIBITED if judged.verdict is Verdict.REJECT else None
        raise Refused(judged.reason, judged.by, problem)

    # -- inside ---------------------------------------------------------------------------------

    def _use(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self._keeps_state = ruleset.keeps_state
        self._rules = [(rule.match, _judged(rule.verdict, rule.text)) for rule in ruleset.rules]
        self._default = _judged(ruleset.default, f"default: {ruleset.default.value}")

    def _judge(self, seen: Seen, now: Instant) -> Judged:
        """With knowledge of connections."""
        is_fragment = ip.is_fragment(seen.packet)
        if is_fragment and seen.is_later_fragment:
            first = self._fragmented.get(ip.fragment_key(seen.packet), now)
            if first is not None:
                return first
        connection = self.connections.look_up(seen, now)
        judged = self._by_rules(seen)
        if judged.reason is None:
            self.connections.let_through(seen, connection, now)
        if is_fragment and not seen.is_later_fragment:
            self._fragmented.remember(ip.fragment_key(seen.packet), judged, now)
        return judged

    def _by_rules(self, seen: Seen) -> Judged:
        for match, judged in self._rules:
            if match.fits(seen):
                return judged
        if self._default.reason is None or not self.ruleset.stateful:
            return self._default
        if seen.state in (State.ESTABLISHED, State.RELATED):
            return _ANSWER
        if self._accepts(seen.backwards()):
            return self._default._replace(reason=DropReason.FW_STATE)
        return self._default

    def _accepts(self, seen: Seen) -> bool:
        """Would a rule let it through?"""
        found = next((judged for match, judged in self._rules if match.fits(seen)), self._default)
        return found.reason is None


def _judged(verdict: Verdict, by: str) -> Judged:
    return Judged(verdict, None if verdict is Verdict.ACCEPT else DropReason.FW_RULE, by)
