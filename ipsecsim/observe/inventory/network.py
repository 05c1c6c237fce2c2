"""What the IP stack of a node knows, its NAT, its firewall, and the programs that run there."""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice

from ipsecsim.base.address import unpack
from ipsecsim.net.application import Application
from ipsecsim.net.apps.dns import DnsServer
from ipsecsim.net.apps.flow import Flow, FlowListener
from ipsecsim.net.apps.replay import Replay
from ipsecsim.net.apps.voice import Voice, VoiceListener
from ipsecsim.net.node import Node
from ipsecsim.observe.inventory.section import Entry, Row, Section, Value, as_one, each, end
from ipsecsim.stack.conntrack import Connection
from ipsecsim.stack.nat.mappings import Mapping
from ipsecsim.stack.nat.portless import PortlessFlow
from ipsecsim.wire.numbers import IpProtocol, protocol_name

# -- the stack ------------------------------------------------------------------------------------


def _interfaces(node: Node) -> Iterator[Entry]:
    """Interfaces with their addresses, and addresses that lie on none of them."""
    yield ("node", "is up"), node.is_up
    on_links: set[bytes] = set()
    for name, interface in node.stack.interfaces.items():
        yield (name, "is up"), interface.up
        yield (name, "mtu"), interface.mtu
        on_links.update(address.packed for address in interface.addresses)
        yield (name, "addresses"), ", ".join(unpack(address.packed) for address in interface.addresses)
    for address in node.stack.addresses:
        if address not in on_links:
            yield ("virtual", unpack(address)), True


def _routes(node: Node) -> Iterator[Entry]:
    """What the node was told; what it learns is worked out when a packet asks."""
    for route in node.stack.routes.all():
        via = route.interface if route.next_hop is None else f"{unpack(route.next_hop)} by {route.interface}"
        yield (str(route.prefix), route.interface), via


def _fragments(node: Node) -> Iterator[Entry]:
    """Packets of which pieces are still to come."""
    for (source, destination, protocol, identification), pieces in node.stack.reassembler.unfinished():
        what = f"{protocol_name(protocol)} " if protocol else ""
        yield (f"{what}{unpack(source)} > {unpack(destination)} #{identification}", "pieces"), pieces


def _path_mtus(node: Node) -> Iterator[Entry]:
    """What the node was told about paths (RFC 1191 3, RFC 8201 4)."""
    for source, table in (("told by routers", node.stack.paths), ("of tunnels", node.stack.tunnels)):
        for destination, (mtu, _) in table.known.items():
            yield (unpack(destination), source), mtu


INTERFACES = Section(as_one, _interfaces)
ROUTES = Section(as_one, _routes)
FRAGMENTS = Section(as_one, _fragments)
PATH_MTUS = Section(as_one, _path_mtus)

# -- a NAT's table (RFC 4787 4) -------------------------------------------------------------------

_WITH_PORTS = (IpProtocol.UDP, IpProtocol.TCP, IpProtocol.ICMP)
_PEERS = 4  # that are named, of the many that one mapping may have spoken to

_Mapped = tuple[Mapping, int | None]  # with its end
_Portless = tuple[PortlessFlow, int]  # with its protocol


def _mappings(node: Node) -> Iterator[Row]:
    if node.translation is not None:
        nat = node.translation.nat
        for mapping in nat.mappings:
            yield id(mapping), (mapping, nat.mappings.ends_at(mapping))
        for protocol, flows in nat.portless.items():
            for flow in flows:
                yield id(flow), (flow, protocol)


def _mappings_at(node: Node, outside: Hashable) -> Iterator[Row]:
    """Those with an outside end, which may be one for each protocol."""
    assert isinstance(outside, tuple)  # noqa: S101 - as `handle` makes them
    if node.translation is not None:
        nat = node.translation.nat
        for with_ports in _WITH_PORTS:
            mapping = nat.mappings.at_outside(with_ports, outside)
            if mapping is not None:
                yield id(mapping), (mapping, nat.mappings.ends_at(mapping))
        for protocol, flows in nat.portless.items() if not outside[1] else ():
            for flow in flows:
                if flow.outside == outside[0]:
                    yield id(flow), (flow, protocol)


def _mapping_name(thing: _Mapped | _Portless) -> str:
    mapping, other = thing
    if isinstance(mapping, Mapping):
        return f"{protocol_name(mapping.protocol)} {end(mapping.outside)}"
    spi = f" SPI {mapping.spi_out:08x}" if mapping.spi_out else ""
    return f"{protocol_name(other or 0)} {unpack(mapping.inside)} > {unpack(mapping.peer)}{spi}"


def _mapping_facts(thing: _Mapped | _Portless) -> Iterator[Entry]:
    mapping, row = thing[0], _mapping_name(thing)
    if isinstance(mapping, Mapping):
        yield (row, "inside"), end(mapping.inside)
        yield (row, "outside"), end(mapping.outside)
        if mapping.led_in:
            yield (row, "is led in"), True
    else:
        yield (row, "inside"), unpack(mapping.inside)
        yield (row, "outside"), unpack(mapping.outside)


def _mapping_moving(thing: _Mapped | _Portless) -> tuple[Value | None, ...]:
    mapping, other = thing
    if isinstance(mapping, Mapping):
        return ", ".join(end(peer) for peer in islice(reversed(mapping.peers), _PEERS)), None, other
    return unpack(mapping.peer), f"{mapping.spi_in:08x}" if mapping.spi_in else None, mapping.ends


MAPPINGS = Section(
    _mappings,
    _mapping_facts,
    still=lambda thing: thing[0].inside,
    counters=("remote", "SPI in", "ends at"),
    moving=_mapping_moving,
    name=_mapping_name,
    handle=lambda thing: thing[0].outside if isinstance(thing[0], Mapping) else (thing[0].outside, 0),
    find=_mappings_at,
)

# -- a firewall's connections ---------------------------------------------------------------------

RECENT = 16
"""One packet on its way through a node is looked at less often than this; each look puts its connection last."""


def _connections(node: Node) -> Iterable[Row]:
    return () if node.filtering is None else each(node.filtering.firewall.connections)


def _connections_at(node: Node, key: Hashable) -> Iterator[Row]:
    """The one with a key; of None, those that were used last."""
    if node.filtering is None:
        return
    table = node.filtering.firewall.connections
    if key is None:
        yield from each(islice(reversed(table), RECENT))
    elif (known := table.known(key)) is not None:  # type: ignore[arg-type]  # as `handle` makes them
        yield id(known), known


def _connection_name(connection: Connection) -> str:
    protocol, source, source_port, destination, destination_port = connection.key
    ends = f"{end((source, source_port))} > {end((destination, destination_port))}"
    return f"{protocol_name(protocol)} {ends}"


CONNECTIONS = Section(
    _connections,
    lambda _: iter(()),
    still=lambda _: None,
    counters=("is answered", "ends at"),
    moving=lambda connection: (connection.is_answered, connection.expires),
    name=_connection_name,
    handle=lambda connection: connection.key,
    find=_connections_at,
)

# -- programs -------------------------------------------------------------------------------------


def _programs(node: Node) -> Iterator[Row]:
    return each(program for program in node.programs if not isinstance(program, DnsServer | Replay))


def _counts(program: Application) -> Iterator[Entry]:
    """Both ends of a flow share what is found out; each shows what it has seen itself."""
    row, result = program.name, program.result
    if not isinstance(program, FlowListener | VoiceListener):
        yield (row, "sent"), result.sent
        yield (row, "refused"), result.refused
    if not isinstance(program, Flow | Voice):
        yield (row, "received"), result.received
        yield (row, "repeated"), result.repeated
        yield (row, "overtaken"), result.overtaken


APPLICATIONS = Section(_programs, _counts, handle=lambda program: program.name)
