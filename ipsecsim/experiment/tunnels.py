"""Which findings concern a tunnel: what the file calls one, in the words of the recording."""

from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.why import Shown, Side, is_about
from ipsecsim.scenario.build_ipsec import policy_name
from ipsecsim.scenario.model import NodeSpec, TunnelEnd, TunnelSpec
from ipsecsim.scenario.world import World


class Tunnels:
    """The tunnels of a world as they stand now, for who has many findings to ask about."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sides: dict[str, list[Side]] = {}
        self._gateways = {
            address
            for node in world.simulator.nodes.values()
            if isinstance(node, VpnGateway)
            for address in _addresses(world, node.name)
        }

    def is_about(self, shown: Shown, tunnel: str) -> bool:
        """Does it concern the tunnel of that name, by its connections, its rules or its packets?"""
        if tunnel not in self._sides:
            spec = self._world.topology.tunnels[tunnel]
            self._sides[tunnel] = [_side(self._world, spec, end) for end in spec.ends]
        return is_about(shown, self._sides[tunnel], self._gateways)


def _side(world: World, spec: TunnelSpec, end: TunnelEnd) -> Side:
    rules = frozenset(rules_of(world.topology.nodes[end.node], spec, end))
    return Side(end.node, end.connection, rules, _addresses(world, end.node))


def rules_of(node: NodeSpec, spec: TunnelSpec, end: TunnelEnd) -> set[str]:
    """What the SPD rules of a tunnel's children are called at one end."""
    if node.ipsec is None:
        return set()
    if spec.by_hand:
        sas = {sa for child in spec.by_hand for sa in child.sas}
        return {rule.policy for rule in node.ipsec.rules or () if sas.intersection(rule.sas)}
    connection = node.ipsec.connections[end.connection]
    children = (connection.children[name] for name in spec.children if name in connection.children)
    return {policy_name(node, connection, child) for child in children}


def _addresses(world: World, node: str) -> frozenset[bytes]:
    """All that a node has, on interfaces that are down too."""
    interfaces = world.simulator.nodes[node].stack.interfaces.values()
    return frozenset(address.packed for each in interfaces for address in each.addresses)
