"""What would have helped against what stands between two ends: firewalls, NATs, links that reorder or lose."""

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import ReplayRejected
from ipsecsim.net.events import FrameLost, FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.scenario.swanctl.values import show_selector
from ipsecsim.stack.match import Seen
from ipsecsim.stack.nat.events import MappingEnded, PacketTranslated
from ipsecsim.study.case import Case
from ipsecsim.study.rules import firewall_rules
from ipsecsim.wire import ip, udp
from ipsecsim.wire.layers import layers
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol

_WINDOWS = (32, 64, 128, 256, 512, 1024, 2048, 4096)


def open_firewall(case: Case) -> str:
    """The firewall that dropped it lets everything through."""
    return f"nodes.{case.node}.firewall=open"


def esp_in_udp(case: Case) -> str:
    """ESP goes into UDP, if that is let through where it was dropped bare."""
    event = case.trouble.rows[0].event
    if not isinstance(event, PacketDropped) or case.tunnel is None or not case.tunnel.written:
        return open_firewall(case)
    is_bare = event.reason is DropReason.FW_RULE and "udp" not in layers(event.packet)
    if is_bare and _lets_udp_through(case, *ip.addresses(event.packet)):
        return f"tunnels.{case.tunnel.name}.encap=yes"
    return open_firewall(case)


def _lets_udp_through(case: Case, source: bytes, destination: bytes) -> bool:
    """Would the firewall take NAT traversal between the same two?"""
    filtering = case.evidence.world.simulator.nodes[case.node].filtering
    datagram = udp.build(source, destination, NAT_T_PORT, NAT_T_PORT, b"")
    seen = Seen(ip.build(source, destination, IpProtocol.UDP, datagram))
    return filtering is None or firewall_rules(filtering.firewall.ruleset, seen)[-1].verdict == "accept"


def ike_fragments(case: Case) -> str:
    """IKE cuts its messages itself, and each piece has ports."""
    if case.tunnel is None or not case.tunnel.written:
        return ""
    return f"tunnels.{case.tunnel.name}.fragmentation=yes"


def let_icmp_through(case: Case) -> str:
    """The firewall that took the ICMP error out is opened."""
    for row, event in case.evidence.recorder.of(PacketDropped):
        is_later = row.sequence > case.trouble.rows[0].sequence
        if is_later and event.reason is DropReason.FW_RULE and _is_icmp(event.packet):
            return f"nodes.{row.node}.firewall=open"
    return ""


def _is_icmp(packet: bytes) -> bool:
    return ip.upper_layer(packet)[0] in (IpProtocol.ICMP, IpProtocol.ICMPV6)


def exemption(case: Case) -> str:
    """What goes to the other site is not translated."""
    event = case.trouble.rows[0].event
    if not isinstance(event, PacketDropped):
        return ""
    destination = ip.destination(event.packet)
    both = case.children()
    networks = both[0].remote_ts if both is not None else ()
    shown = [show_selector(each) for each in networks if each.start <= destination <= each.end]
    return f"nodes.{case.node}.nat.exempt=[dst={shown[0] if shown else unpack(destination)}]"


def without_nat(case: Case) -> str:
    """The box that changed the address no longer does."""
    translated = case.evidence.recorder.of(PacketTranslated)
    before = [row.node for row, _ in translated if row.sequence < case.trouble.rows[0].sequence]
    return f"nodes.{before[-1]}.nat.preset=none" if before else ""


def forward(case: Case) -> str:
    """The ports of IKE are led to the end of the tunnel that stands behind the NAT: the one that waits."""
    responder = "" if case.tunnel is None else case.tunnel.ends[-1].node
    return f"nodes.{case.node}.nat.forward=[proto=udp port=500|4500 to={responder}]" if responder else ""


def wider_window(case: Case) -> str:
    """The smallest window that would have taken the latest of them."""
    turns = {row.turn.number for row in case.trouble.rows}
    behind = [
        event.window_top - event.sequence
        for row, event in case.evidence.recorder.of(ReplayRejected)
        if row.turn.number in turns
    ]
    enough = next((size for size in _WINDOWS if size > max(behind, default=0)), None)
    if enough is None or case.tunnel is None or not case.tunnel.written:
        return ""
    return f"tunnels.{case.tunnel.name}.child.replay_window={enough}"


def keepalive(case: Case) -> str:
    """Whoever is inside says something twice as often as the NAT forgets."""
    for row, event in case.evidence.recorder.of(MappingEnded):
        owner = _owner(case, event.inside[0])
        spec = case.ipsec(owner) if owner else None
        if spec is not None and row.sequence < case.trouble.rows[-1].sequence:
            nat = case.evidence.world.topology.nodes[row.node].nat
            times = None if nat is None else nat.behaviour.timeouts.udp
            if times:
                return f"nodes.{owner}.ipsec.keepalive={max(1, times // (2 * SECOND))}s"
    return ""


def _owner(case: Case, address: bytes) -> str:
    nodes = case.evidence.world.simulator.nodes.values()
    return next((node.name for node in nodes if address in node.stack.addresses), "")


def a_way(case: Case) -> str:
    """What took most of the packets of whoever looked for a way: a link that loses, or a firewall."""
    own = case.evidence.world.simulator.nodes[case.node].stack.addresses
    found: dict[str, int] = {}
    for row, event in case.evidence.recorder.of(PacketDropped):
        if row.sequence > case.trouble.rows[-1].sequence or ip.source(event.packet) not in own:
            continue
        if event.reason is DropReason.LINK_LOSS:
            setting = f"links.{_link(case, row)}.loss=0%"
        elif event.reason is DropReason.FW_RULE:
            setting = f"nodes.{row.node}.firewall=open"
        else:
            continue
        found[setting] = found.get(setting, 0) + 1
    return max(found, key=lambda setting: found[setting]) if found else ""


def _link(case: Case, dropped: Record) -> str:
    """The link on which a packet was lost: that is told just before."""
    rows = case.evidence.recorder.turn(dropped.turn.number)
    earlier = [row.event for row in rows if row.sequence < dropped.sequence]
    return next(event.link for event in reversed(earlier) if isinstance(event, FrameLost | FrameSent))


def faster(case: Case) -> str:
    """Cores that are quicker; more of them would be of no use."""
    return f"nodes.{case.node}.device=server"


def renumber(case: Case) -> str:
    """The link where the other one stands is given a network that nobody has."""
    event = case.trouble.rows[0].event
    if not isinstance(event, PacketDropped):
        return ""
    there = _owner(case, ip.destination(event.packet))
    topology = case.evidence.world.topology
    taken = [net for link in topology.links.values() for net in link.nets]
    free = (Prefix(bytes((10, number, 0, 0)), 24) for number in range(2, 256))
    network = next((each for each in free if not any(each.first in net for net in taken)), None)
    links = [each.link for each in topology.nodes[there].interfaces] if there else []
    if network is None or not links:
        return ""
    ends = ", ".join(node for node, _ in topology.links[links[0]].endpoints)
    return f"links.{links[0]}={{endpoints: [{ends}], net: {network}}}"
