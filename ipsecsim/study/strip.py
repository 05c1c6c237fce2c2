"""The order of operations at the node where a packet died: what each check saw, and why rules did not match."""

from dataclasses import dataclass

from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.selector import flow_of
from ipsecsim.net.events import FrameArrived
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.record import Record
from ipsecsim.observe.turn_story import Hook
from ipsecsim.stack.match import Seen
from ipsecsim.study.rules import Tried, firewall_rules, spd_rules
from ipsecsim.study.trouble import Evidence
from ipsecsim.wire import ip


@dataclass(frozen=True, slots=True)
class Strip:
    """The checks in their order, and the rules that the failing one went through, as they stood then.

    `say` is the sentence of the turn.
    """

    say: str = ""
    hooks: tuple[Hook, ...] = ()
    rules: tuple[Tried, ...] = ()


def strip(evidence: Evidence, row: Record) -> Strip:
    """That of a turn in which a packet died; empty for any other."""
    dropped = [each.event for each in evidence.recorder.turn(row.turn.number)]
    packet = next((event.packet for event in dropped if isinstance(event, PacketDropped)), b"")
    if not packet:
        return Strip()
    story = evidence.teller.tell(row.turn.number)
    failed = next((hook.name for hook in story.hooks if hook.verdict == "fail"), "")
    return Strip(story.say, story.hooks, tuple(_rules(evidence, row, packet, failed)))


def _rules(evidence: Evidence, row: Record, packet: bytes, failed: str) -> list[Tried]:
    node = evidence.then.node(row.node, row.turn.number)
    if failed.startswith("SPD") and isinstance(node, VpnGateway):
        direction = Direction.OUTBOUND if failed.endswith("out") else Direction.INBOUND
        return spd_rules(node.ipsec.spd.policies, flow_of(packet), direction)
    if failed.startswith("filter") and node.filtering is not None:
        arrived = [each.event for each in evidence.recorder.turn(row.turn.number)]
        inbound = next((event.interface for event in arrived if isinstance(event, FrameArrived)), None)
        return firewall_rules(node.filtering.firewall.ruleset, Seen(packet, inbound, _outbound(node, packet)))
    return []


def _outbound(node: Node, packet: bytes) -> str | None:
    """The interface by which a packet would leave; None for one that is for this node."""
    destination = ip.destination(packet)
    if destination in node.stack.addresses:
        return None
    # the most specific one is first; to look it up would fill a cache of the node
    return next((route.interface for route in node.stack.routes.all() if destination in route.prefix), None)
