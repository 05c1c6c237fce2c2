"""A look at what one live node knows, section by section, in plain values that can be kept and compared.

Times are instants, never "so much is left": while nothing happens nothing changes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.ike.v2.sa import IkeSa
from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.lifetime import ENDLESS
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.stack.nat.mappings import Mapping as NatMapping
from ipsecsim.wire.numbers import protocol_name

Value = str | int | bool
Entry = tuple[tuple[str, ...], Value]
"""Where a value stands in its section, and the value."""

_CELLS = 32


def interfaces(node: Node) -> Iterator[Entry]:
    """Interfaces with their addresses, and addresses that lie on none of them."""
    yield ("node", "is up"), node.is_up
    on_links: set[bytes] = set()
    for name, each in node.stack.interfaces.items():
        yield (name, "is up"), each.up
        yield (name, "mtu"), each.mtu
        on_links.update(address.packed for address in each.addresses)
        yield (name, "addresses"), ", ".join(unpack(address.packed) for address in each.addresses)
    for address in node.stack.addresses:
        if address not in on_links:
            yield ("virtual", unpack(address)), True


def routes(node: Node) -> Iterator[Entry]:
    """What the node was told; what it learns is worked out when a packet asks."""
    for each in node.stack.routes.all():
        via = each.interface if each.next_hop is None else f"{unpack(each.next_hop)} by {each.interface}"
        yield (str(each.prefix), each.interface), via


def fragments(node: Node) -> Iterator[Entry]:
    """Packets of which pieces are still to come."""
    for (source, destination, protocol, identification), pieces in node.stack.reassembler.unfinished():
        what = f"{protocol_name(protocol)} " if protocol else ""
        yield (f"{what}{unpack(source)} > {unpack(destination)} #{identification}", "pieces"), pieces


def mappings(node: Node) -> Iterator[Entry]:
    """The NAT's table (RFC 4787 4)."""
    if node.translation is not None:
        table = node.translation.nat.mappings
        for each in table:
            yield from _mapping(each, table.ends_at(each))


def _mapping(mapping: NatMapping, ends: int | None) -> Iterator[Entry]:
    outside = _end(mapping.outside)
    row = f"{protocol_name(mapping.protocol)} {outside}"
    yield (row, "inside"), _end(mapping.inside)
    yield (row, "outside"), outside
    yield (row, "remote"), ", ".join(_end(peer) for peer in list(mapping.peers)[-4:])
    if ends is not None:
        yield (row, "ends at"), ends


def _end(end: tuple[bytes, int]) -> str:
    address, port = end
    if not port:
        return unpack(address)
    return f"{unpack(address)}:{port}" if len(address) == 4 else f"[{unpack(address)}]:{port}"


def connections(node: Node) -> Iterator[Entry]:
    """What a stateful firewall knows of who speaks with whom."""
    if node.filtering is not None:
        for each in node.filtering.firewall.connections:
            protocol, source, source_port, destination, destination_port = each.key
            ends = f"{_end((source, source_port))} > {_end((destination, destination_port))}"
            row = f"{protocol_name(protocol)} {ends}"
            yield (row, "is answered"), each.is_answered
            yield (row, "ends at"), each.expires


def policies(node: Node) -> Iterator[Entry]:
    """The SPD, rule by rule in the order in which they are tried (RFC 4301 4.4.1)."""
    if isinstance(node, VpnGateway):
        for number, each in enumerate(node.ipsec.spd.policies, start=1):
            row = f"{number} {each.name}"
            way = "" if each.direction is None else f" {each.direction.value}"
            yield (row, "action"), each.action.value + way
            yield (row, "selectors"), ", ".join(map(str, each.selectors))
            yield (row, "hits"), each.hits


def sas(node: Node) -> Iterator[Entry]:
    """The SAD (RFC 4301 4.4.2)."""
    if isinstance(node, VpnGateway):
        for each in node.ipsec.sad.all():
            yield from sa(each)


def sa_row(each: SecurityAssociation) -> str:
    """'in 5e0d77aa'."""
    return f"{each.parameters.direction.value} {each.spi:08x}"


def sa(each: SecurityAssociation) -> Iterator[Entry]:
    """One SA."""
    row, parameters = sa_row(each), each.parameters
    in_udp = "" if parameters.udp_ports is None else " in UDP"
    is_inbound = parameters.direction is Direction.INBOUND
    yield (row, "kind"), f"{parameters.protocol.name} {parameters.mode.value}{in_udp}"
    words = parameters.suite.words
    yield (row, "suite"), f"{words}-esn" if parameters.extended_sequence else words
    yield (row, "outer"), f"{unpack(parameters.source)} > {unpack(parameters.destination)}"
    if parameters.udp_ports is not None:
        yield (row, "UDP ports"), "{} > {}".format(*parameters.udp_ports)
    yield (row, "selectors"), ", ".join(map(str, parameters.selectors))
    yield (row, "policy"), parameters.policy
    yield (row, "sequence"), each.replay.top if is_inbound else each.sequence
    if is_inbound:
        size = parameters.replay_window
        yield (row, "window size"), size
        if size:
            yield (row, "window"), each.replay.picture(_CELLS)
    yield (row, "packets"), each.packets
    yield (row, "octets"), each.octets
    if parameters.lifetime.hard.duration != ENDLESS:
        yield (row, "ends at"), each.installed_at + parameters.lifetime.hard.duration
    if each.path_mtu is not None:
        yield (row, "path MTU"), each.path_mtu
    yield (row, "keys", "encryption"), parameters.encryption_key.hex()
    yield (row, "keys", "integrity"), parameters.integrity_key.hex()


def held(node: Node) -> Iterator[Entry]:
    """Packets that wait for an SA (RFC 4301 5.1)."""
    if isinstance(node, VpnGateway):
        for (policy, selector), packets in node.ipsec.holding.items():
            yield (policy if selector is None else f"{policy} {selector}", "packets"), packets


def ike(node: Node) -> Iterator[Entry]:
    """IKE SAs, with their keys once there are some (RFC 7296 2.14)."""
    if isinstance(node, VpnGateway):
        for each in node.ike.sas:
            yield from _ike_sa(each)


def _ike_sa(each: IkeSa) -> Iterator[Entry]:
    row = f"{each.connection.name} {each.own_spi.hex()}"
    yield (row, "state"), each.state.name
    yield (row, "role"), "initiator" if each.is_initiator else "responder"
    yield (row, "SPI i"), each.spi_i.hex()
    yield (row, "SPI r"), each.spi_r.hex()
    yield (row, "local"), _end((each.path.local, each.path.local_port))
    yield (row, "remote"), _end((each.path.remote, each.path.remote_port))
    yield (row, "peer"), "" if each.peer is None else str(each.peer)
    yield (row, "we are behind a NAT"), each.we_are_behind_nat
    yield (row, "the peer is behind a NAT"), each.peer_is_behind_nat
    yield (row, "next request"), each.window.next_request
    yield (row, "expected request"), each.window.expected_request
    yield (row, "waits for an answer"), each.window.outstanding is not None
    for child in each.children:
        yield (row, "children", child.config.name), f"in {child.spi_in:08x}, out {child.spi_out:08x}"
    keys = getattr(each, "keys", None)
    if keys is not None:
        yield (row, "suite"), each.suite.words
        for name in ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr"):
            yield (row, "keys", name), getattr(keys, name).hex()


def pools(node: Node) -> Iterator[Entry]:
    """Who has which virtual address (RFC 7296 2.19)."""
    if isinstance(node, VpnGateway):
        for pool in dict.fromkeys(each for connection in node.ike.connections for each in connection.pools):
            for address, holder in node.ike.leases.lent(pool).items():
                yield (pool.name, unpack(address)), str(holder)


def path_mtus(node: Node) -> Iterator[Entry]:
    """What the node was told about paths (RFC 1191 3, RFC 8201 4)."""
    for source, table in (("told by routers", node.stack.paths), ("of tunnels", node.stack.tunnels)):
        for destination, (mtu, _) in table.known.items():
            yield (unpack(destination), source), mtu


Look = Callable[[Any], Iterator[Entry]]

SECTIONS: Mapping[str, Look] = {
    "interfaces": interfaces,
    "routes": routes,
    "ike": ike,
    "sas": sas,
    "policies": policies,
    "held": held,
    "pools": pools,
    "mappings": mappings,
    "connections": connections,
    "fragments": fragments,
    "path MTU": path_mtus,
}
"""Every section and who looks at it. A node without the matter has nothing there."""
