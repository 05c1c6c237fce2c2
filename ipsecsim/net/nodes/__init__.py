"""The kinds of node."""

from ipsecsim.net.node import Node
from ipsecsim.net.nodes.attacker import Attacker
from ipsecsim.net.nodes.firewall_box import FirewallBox
from ipsecsim.net.nodes.host import Host
from ipsecsim.net.nodes.laptop import Laptop
from ipsecsim.net.nodes.nat_box import NatBox
from ipsecsim.net.nodes.router import Router
from ipsecsim.net.nodes.vpn_gateway import VpnGateway

KINDS: dict[str, type[Node]] = {
    "attacker": Attacker,
    "host": Host,
    "laptop": Laptop,
    "router": Router,
    "gateway": VpnGateway,
    "nat": NatBox,
    "firewall": FirewallBox,
}
