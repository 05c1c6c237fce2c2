"""From a node's part of a topology to the node: its interfaces, engines, connections and routes."""

from ipsecsim.base.wall_clock import WallClock
from ipsecsim.ike.config import (
    ANYWHERE,
    ChildConfig,
    Childless,
    Connection,
    Fragmentation,
    Mobike,
    StartAction,
    Uniqueness,
)
from ipsecsim.ike.identity import Identity, expected
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.lifetime import Limits
from ipsecsim.net.cores import DEVICES, Cores
from ipsecsim.net.node import Node
from ipsecsim.net.nodes import KINDS
from ipsecsim.net.nodes.attacker import Attacker
from ipsecsim.net.nodes.keepalives import INTERVAL
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.scenario import model
from ipsecsim.scenario.build_auth import Proofs
from ipsecsim.scenario.build_ipsec import (
    by_hand,
    connections,
    options,
    policies,
    policy_name,
    traffic_selectors,
)
from ipsecsim.scenario.build_ways import learned, other_ways_out, to_route
from ipsecsim.scenario.model_ipsec import ChildSpec, ConnectionSpec
from ipsecsim.scenario.pools import lending
from ipsecsim.stack.interface import Address, Interface

DPD_ACTIONS = {"clear": StartAction.NONE, "trap": StartAction.TRAP, "restart": StartAction.START}
"""swanctl has words of its own for what it does about a dead peer."""


def build_node(topology: model.Topology, spec: model.NodeSpec, simulator: Simulator, proofs: Proofs) -> Node:
    """A node on its links, in the place of one of the same name that is there already."""
    links = [simulator.links[each.link] for each in spec.interfaces]
    interfaces = [
        (_interface(each, link.options.mtu), link) for each, link in zip(spec.interfaces, links, strict=True)
    ]
    standing = simulator.nodes.get(spec.name)
    clock = WallClock(spec.clock) if standing is None else standing.clock  # which has a battery
    node: Node
    if spec.ipsec is None and KINDS[spec.kind] is not VpnGateway:
        node = KINDS[spec.kind](spec.name, simulator, interfaces)
    else:
        node = VpnGateway(
            spec.name,
            simulator,
            interfaces,
            forwards=KINDS[spec.kind].forwards,
            unprotected=[each.name for each in spec.interfaces if not each.protected],
            policies=policies(spec),
            manual=by_hand(spec, simulator.entropy),
            connections=[_connection(spec, each, proofs) for each in connections(spec)],
            credentials=proofs.credentials(spec, clock),
            keepalive=INTERVAL if spec.ipsec is None else spec.ipsec.keepalive,
        )
    node.clock = clock
    if spec.device in DEVICES:
        node.cores = Cores(node, DEVICES[spec.device])
    if isinstance(node, Attacker):
        for tapped in spec.taps:
            node.tap_link(simulator.links[tapped])
    if spec.nat is not None:
        node.translate(spec.nat.behaviour, spec.nat.outside, spec.nat.pool)
    if spec.firewall is not None:
        node.filter(spec.firewall)
    for way in other_ways_out(topology, spec):
        node.add_route(way)
    for route in spec.routes.given:
        node.add_route(to_route(route))
    node.stack.routes.learn_from(learned(spec.routes))
    return node


def _interface(spec: model.InterfaceSpec, mtu: int) -> Interface:
    (address, prefix_length), *others = spec.addresses
    further = tuple(Address(*each) for each in others)
    return Interface(spec.name, address, prefix_length, mtu, further, spec.up)


def _connection(node: model.NodeSpec, spec: ConnectionSpec, proofs: Proofs) -> Connection:
    pools = {} if node.ipsec is None else node.ipsec.pools
    return Connection(
        spec.name,
        *_ends(node, spec),
        Identity.from_text(spec.local.id),
        expected(spec.remote.id),
        spec.proposals,
        tuple(_child(node, spec, each) for each in spec.children.values()),
        encap=spec.encap,
        dpd_delay=spec.dpd_delay,
        rekey_time=spec.rekey_time,
        over_time=spec.over_time,
        rand_time=spec.rand_time,
        reauth_time=spec.reauth_time,
        keyingtries=spec.keyingtries,
        local_auth=proofs.local(node, spec),
        remote_auth=proofs.remote(spec),
        vips=spec.vips,
        pools=tuple(lending(pools[name]) for name in spec.pools),
        unique=Uniqueness(spec.unique),
        childless=Childless(spec.childless),
        fragmentation=Fragmentation(spec.fragmentation),
        fragment_size=spec.fragment_size,
        mobike=Mobike() if spec.mobike else None,
    )


def _ends(node: model.NodeSpec, spec: ConnectionSpec) -> tuple[bytes, bytes]:
    """A node's own address on a connection, of its far side where it has one, and the peer's."""
    sides = sorted(node.interfaces, key=lambda each: each.protected)
    own = [*spec.local_addrs, *(packed for each in sides for packed, _ in each.addresses)]
    if not spec.remote_addrs:
        return own[0], ANYWHERE
    versions = {len(each) for each in spec.local_addrs or spec.remote_addrs}
    remote = next(each for each in spec.remote_addrs if len(each) in versions)
    return next(each for each in own if len(each) == len(remote)), remote


def _child(node: model.NodeSpec, connection: ConnectionSpec, spec: ChildSpec) -> ChildConfig:
    return ChildConfig(
        spec.name,
        traffic_selectors(spec.local_ts),
        traffic_selectors(spec.remote_ts),
        spec.proposals,
        policy_name(node, connection, spec),
        StartAction(spec.start_action),
        options(spec),
        Mode(spec.mode),
        jitter=Limits(spec.rand_time, spec.rand_bytes, spec.rand_packets),
        inactivity=spec.inactivity,
        close_action=StartAction(spec.close_action),
        dpd_action=DPD_ACTIONS[spec.dpd_action],
    )
