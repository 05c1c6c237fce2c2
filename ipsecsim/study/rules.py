"""Why a rule did not match: of each rule before the verdict the first selector that did not fit the packet.

Pure functions of rules and packet, for SPD rules (RFC 4301 4.4.1) and those of a firewall.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipsecsim.base.address import unpack
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.policy import Policy
from ipsecsim.ipsec.selector import ANY_PORT, ANY_PROTOCOL, Flow, Selector
from ipsecsim.stack.firewall import Rule, Ruleset
from ipsecsim.stack.match import Condition, Seen
from ipsecsim.wire.layers import layers
from ipsecsim.wire.numbers import protocol_name


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was asked. `why_not` is '' for the one that fitted."""

    rule: str
    verdict: str
    why_not: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.why_not or f'fits: {self.verdict.upper()}'}"


def spd_rules(policies: Sequence[Policy], flow: Flow, direction: Direction) -> list[Tried]:
    """The rules of an SPD in their order, up to the one that fits; all of them where none does."""
    tried: list[Tried] = []
    for policy in policies:
        why_not = _policy_misfit(policy, flow, direction)
        tried.append(Tried(policy.name, policy.action.value, why_not))
        if not why_not:
            break
    return tried


def firewall_rules(ruleset: Ruleset, seen: Seen) -> list[Tried]:
    """The rules of a firewall in their order, up to the one that fits; the default last where none does."""
    tried: list[Tried] = []
    for rule in ruleset.rules:
        why_not = _rule_misfit(rule, seen)
        tried.append(Tried(f"'{rule.text}'", rule.verdict.value, why_not))
        if not why_not:
            return tried
    return [*tried, Tried("default", ruleset.default.value, "")]


def misfit(row: Selector, flow: Flow, direction: Direction) -> str:
    """'remote 10.3.0.0/24, the packet goes to 10.2.0.9': the first thing that does not fit; '' when all does."""
    return next(_misfits(row, flow, direction), "")


def _policy_misfit(policy: Policy, flow: Flow, direction: Direction) -> str:
    if policy.direction not in (None, direction):
        return f"only for packets that {'leave' if policy.direction is Direction.OUTBOUND else 'arrive'}"
    if policy.is_asleep:
        return "asleep while it has no SA"
    if not policy.selectors:
        return "for what its SAs carry, and there is none"
    if policy.matches(flow, direction):
        return ""
    # of several rows the one that comes nearest: the fewest things are wrong with it
    nearest = min(policy.selectors, key=lambda row: len(list(_misfits(row, flow, direction))))
    return misfit(nearest, flow, direction)


def _misfits(row: Selector, flow: Flow, direction: Direction) -> Iterator[str]:
    is_leaving = direction is Direction.OUTBOUND
    seen = flow if is_leaving else flow.backwards()
    comes, goes = ("comes from", "goes to") if is_leaving else ("goes to", "comes from")
    if len(row.local[0]) != len(seen.source):
        yield f"for IPv{_version(row.local[0])}, the packet is IPv{_version(seen.source)}"
        return
    for name, (first, last), verb, address in (
        ("local", row.local, comes, seen.source),
        ("remote", row.remote, goes, seen.destination),
    ):
        if not first <= address <= last:
            yield f"{name} {_span(row, name)}, the packet {verb} {unpack(address)}"
    if row.protocol not in (ANY_PROTOCOL, seen.protocol):
        yield f"protocol {protocol_name(row.protocol)}, the packet is {protocol_name(seen.protocol)}"
    elif not row.matches_outbound(seen):
        yield from _port_misfits(row, seen)


def _port_misfits(row: Selector, seen: Flow) -> Iterator[str]:
    for name, (first, last), port in (
        ("local", row.local_ports, seen.source_port),
        ("remote", row.remote_ports, seen.destination_port),
    ):
        if (first, last) == ANY_PORT:
            continue
        wanted = "hidden" if first > last else str(first) if first == last else f"{first}-{last}"
        if port is None and first <= last:
            yield f"{name} port {wanted}, the packet shows none"
        elif port is not None and not first <= port <= last:
            yield f"{name} port {wanted}, the packet has {port}"


def _version(address: bytes) -> int:
    return 4 if len(address) == 4 else 6


def _span(row: Selector, end: str) -> str:
    """One side of a row as it writes itself."""
    local, _, remote = str(row).partition(", ")[0].partition(" === ")
    return local if end == "local" else remote


def _rule_misfit(rule: Rule, seen: Seen) -> str:
    for condition in rule.match.conditions:
        if not condition.test()(seen):
            return f"{_word(rule, condition)}, the packet {_shown(condition.key, seen)}"
    return ""


def _word(rule: Rule, condition: Condition) -> str:
    """The word of the rule's sentence that a condition was made of."""
    found = re.search(rf"(?<!\S){condition.key}(=|!=|<=|>=|<|>)\S+", rule.text)
    return condition.key if found is None else found[0]


def _shown(key: str, seen: Seen) -> str:
    """What the packet has of what a word asks for."""
    ports = f"{seen.source_port} > {seen.destination_port}"
    has_ports = seen.source_port is not None
    words = {
        "src": f"comes from {unpack(seen.source)}",
        "dst": f"goes to {unpack(seen.destination)}",
        "proto": f"is {protocol_name(seen.protocol)}",
        "sport": f"has port {ports}" if has_ports else "shows no ports",
        "dport": f"has port {ports}" if has_ports else "shows no ports",
        "port": f"has port {ports}" if has_ports else "shows no ports",
        "icmp": "is another message of ICMP" if seen.icmp is not None else "is no ICMP",
        "size": f"has {seen.size} B",
        "dscp": f"has DSCP {seen.dscp}",
        "in": f"came in by {seen.inbound}" if seen.inbound else "was made here",
        "out": f"goes out by {seen.outbound}" if seen.outbound else "is for this node",
        "state": "belongs to no such connection",
        "layer": f"shows {', '.join(layers(seen.packet))}",
        "spi": "has another SPI",
    }
    return words[key]
