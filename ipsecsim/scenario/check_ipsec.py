"""Whether what nodes say about SAs and rules by hand fits together, at one node and between two."""

from collections.abc import Iterator, Mapping

from ipsecsim.base.address import unpack
from ipsecsim.ipsec.selector import Flow
from ipsecsim.scenario.check_children import check_children
from ipsecsim.scenario.model import NodeSpec
from ipsecsim.scenario.model_ipsec import ConnectionSpec, IpsecSpec, ManualSaSpec, RuleSpec
from ipsecsim.scenario.problems import Problems
from ipsecsim.wire.numbers import IKE_PORT, IpProtocol


def check(nodes: Mapping[str, NodeSpec], problems: Problems) -> None:
    """Note mistakes, and what looks like one: a lesson may want two ends that do not fit."""
    for node in nodes.values():
        if node.ipsec is not None:
            _check_spis(node.name, node.ipsec, problems)
            _check_rules(node, node.ipsec, problems)
            check_children(node.ipsec, problems)
    for name, sa in _outbound(nodes):
        for peer, other in _counterparts(nodes, sa):
            for difference in _differences(sa, other):
                problems.remark(
                    f"SA '{sa.name}' of {name} {difference[0]}, and '{other.name}' of {peer}, with the same SPI, "
                    f"{difference[1]}",
                    sa.place,
                )


def _outbound(nodes: Mapping[str, NodeSpec]) -> Iterator[tuple[str, ManualSaSpec]]:
    for node in nodes.values():
        for sa in () if node.ipsec is None else node.ipsec.sas.values():
            if sa.direction == "out":
                yield node.name, sa


# Two ends


def _counterparts(nodes: Mapping[str, NodeSpec], sa: ManualSaSpec) -> Iterator[tuple[str, ManualSaSpec]]:
    """What the node at the other end has under the same protocol and SPI."""
    for node in nodes.values():
        if node.ipsec is None or sa.destination not in own_addresses(node):
            continue
        for other in node.ipsec.sas.values():
            if (other.direction, other.protocol, other.spi) == ("in", sa.protocol, sa.spi):
                yield node.name, other


def _differences(sa: ManualSaSpec, other: ManualSaSpec) -> Iterator[tuple[str, str]]:
    """In what the sender's and the receiver's view of an SA differ, where that keeps packets from being read."""
    if sa.mode != other.mode:
        yield f"is in {sa.mode} mode", f"in {other.mode} mode"
    if sa.suite != other.suite:
        yield f"uses {sa.suite.words}", f"uses {other.suite.words}"
    elif sa.key != other.key:
        yield "has one key", "has another"
    if sa.extended_sequence != other.extended_sequence:
        words = {True: "has extended sequence numbers", False: "has not"}
        yield words[sa.extended_sequence], words[other.extended_sequence]


# One node


def own_addresses(node: NodeSpec) -> set[bytes]:
    """All addresses of a node."""
    return {address for interface in node.interfaces for address, _ in interface.addresses}


def _check_spis(node: str, ipsec: IpsecSpec, problems: Problems) -> None:
    """A receiver finds an SA by protocol and SPI alone (RFC 4301 4.1)."""
    seen: dict[tuple[IpProtocol, int], str] = {}
    for sa in ipsec.sas.values():
        if sa.direction != "in":
            continue
        first = seen.setdefault((sa.protocol, sa.spi), sa.name)
        if first != sa.name:
            problems.add(
                f"{node} receives {sa.protocol.name} with SPI 0x{sa.spi:08x} on SA '{first}' already",
                sa.place,
            )


def _check_rules(node: NodeSpec, ipsec: IpsecSpec, problems: Problems) -> None:
    rules = ipsec.rules or ()
    together: dict[str, RuleSpec] = {}
    for rule in rules:
        for name in rule.sas:
            first = together.setdefault(name, rule)
            if set(first.sas) != set(rule.sas):
                problems.add(
                    f"SA '{name}' serves '{first.text}' together with other SAs than here; name the same ones",
                    rule.place,
                )
            sa = ipsec.sas.get(name)
            if sa is not None and rule.mode and rule.mode != sa.mode:
                problems.add(
                    f"the rule wants {rule.mode} mode, and SA '{name}' is in {sa.mode} mode", rule.place
                )
    for sa in ipsec.sas.values():
        if sa.name not in together:
            problems.remark(
                f"no rule of {node.name} under spd names SA '{sa.name}', so no traffic uses it", sa.place
            )
    if ipsec.rules is not None:
        for connection in ipsec.connections.values():
            _check_ike_in_clear(node, connection, rules, problems)


def _check_ike_in_clear(
    node: NodeSpec, connection: ConnectionSpec, rules: tuple[RuleSpec, ...], problems: Problems
) -> None:
    """IKE crosses the boundary only by a rule, and nobody adds one to an SPD by hand (RFC 4301 5.2)."""
    own = [*connection.local_addrs, *sorted(own_addresses(node))]
    for peer in connection.remote_addrs:
        local = next((each for each in own if len(each) == len(peer)), None)
        if local is None:
            continue
        flow = Flow(local, peer, IpProtocol.UDP, IKE_PORT, IKE_PORT)
        if not all(_verdict(rules, flow, direction) == "bypass" for direction in ("out", "in")):
            problems.remark(
                f"connection '{connection.name}': no rule of {node.name} lets IKE to {unpack(peer)} through; "
                "write first  - bypass proto=udp sport=500|4500",
                connection.place,
            )


def _verdict(rules: tuple[RuleSpec, ...], flow: Flow, direction: str) -> str:
    """What the rules say about a flow as it leaves, or about its answer as it arrives."""
    for rule in rules:
        if rule.direction in ("", direction) and any(each.matches_outbound(flow) for each in rule.selectors):
            return rule.action
    return "discard"
