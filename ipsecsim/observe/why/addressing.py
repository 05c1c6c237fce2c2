"""Addresses that policy never gets to see, or that it does not speak of."""

from collections.abc import Iterator

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Flow, Selector, flow_of
from ipsecsim.net.events import FrameLost
from ipsecsim.net.node import Node
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.stack.nat.events import PacketTranslated
from ipsecsim.wire import ip


def subnet_overlap(case: Case) -> Iterator[Finding]:
    """A node looked for its peer on its own link, since the peer's network, elsewhere, has the same prefix."""
    found: dict[tuple[str, str, bytes], list[Record]] = {}
    for row, event in case.drops(DropReason.NO_NEIGHBOUR):
        lost = case.before(row)[-1].event
        if isinstance(lost, FrameLost):
            found.setdefault((row.node, lost.link, ip.destination(event.packet)), []).append(row)
    for (node, link, destination), rows in found.items():
        own = _network_of(case.simulator.nodes[node], destination)
        elsewhere = _where_it_is(case, destination, link)
        if own is None or elsewhere is None:
            continue
        peer, there = elsewhere
        sentence = (
            f"{node} looks for {unpack(destination)} on its own network, {own}, and {peer} has it on {there}, "
            "with the same prefix: no gateway gets to see the packet"
        )
        yield Finding(Diagnosis.SUBNET_OVERLAP, tuple(rows), sentence)


def src_not_in_ts(case: Case) -> Iterator[Finding]:
    """A rule would protect what goes to that destination, had it come from elsewhere."""
    found: dict[tuple[str, str, bytes], list[Record]] = {}
    for row, event in case.drops(DropReason.SPD_NO_MATCH):
        gateway = case.gateways.get(row.node)
        if gateway is None or _is_translated(case, row):
            continue
        flow = flow_of(event.packet)
        policy = next((each for each in gateway.ipsec.spd.policies if _misses_source(each, flow)), None)
        if policy is not None:
            found.setdefault((row.node, policy.name, flow.source), []).append(row)
    for (node, rule, source), rows in found.items():
        sentence = (
            f"{node}: {count(len(rows), 'packet')} from {unpack(source)} met no rule; "
            f"rule {rule} is for what goes there, but not for what comes from there"
        )
        yield Finding(Diagnosis.SRC_NOT_IN_TS, tuple(rows), sentence, ((node, rule),))


def _network_of(node: Node, destination: bytes) -> Prefix | None:
    """The network of the node's own in which the destination lies."""
    networks = (each.network for own in node.stack.interfaces.values() for each in own.addresses)
    return next((each for each in networks if destination in each), None)


def _where_it_is(case: Case, address: bytes, not_on: str) -> tuple[str, str] | None:
    """Who has this address on another link, and on which."""
    return next(
        (
            (link.owners[address][0].name, name)
            for name, link in case.simulator.links.items()
            if name != not_on and address in link.owners
        ),
        None,
    )


def _is_translated(case: Case, row: Record) -> bool:
    """Did a NAT on the node itself give the packet its source? That is another matter."""
    return any(isinstance(each.event, PacketTranslated) for each in case.before(row))


def _misses_source(policy: Policy, flow: Flow) -> bool:
    return policy.action is PolicyAction.PROTECT and any(
        _is_met_from_elsewhere(row, flow) for row in policy.selectors
    )


def _is_met_from_elsewhere(row: Selector, flow: Flow) -> bool:
    moved = Flow(row.local[0], flow.destination, flow.protocol, flow.source_port, flow.destination_port)
    return row.matches_outbound(moved) and not row.local[0] <= flow.source <= row.local[1]
