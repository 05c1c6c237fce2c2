"""Networks for links and addresses for their ends, where the file pins none.

A link that touches hosts gets 10.N.0.0/24, one between routers and gateways a documentation prefix, in the
file's order. On each link gateways and routers come first, then hosts.
"""

import ipaddress
from collections.abc import Iterator
from itertools import chain

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network, Wire
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Map, Text

_Net = ipaddress.IPv4Network


def assign(network: Network, names: Names, problems: Problems) -> None:
    """Give every link its network and every end its address."""
    taken: list[_Net] = []
    for wire in network.wires.values():
        pinned = _pinned_net(wire, problems)
        if pinned is not None:
            wire.net = _prefix(pinned)
            taken.append(pinned)
    # Pinned networks are few, so each candidate is held against all of them.
    inner, outer = _free(_host_nets(), taken), _free(_outer_nets(), taken)
    for wire in network.wires.values():
        if wire.net is None:
            source = inner if network.touches_hosts(wire) else outer
            wire.net = _prefix(next(source))
        _number(wire, network, names, problems)


def _pinned_net(wire: Wire, problems: Problems) -> _Net | None:
    """The network the file says, or the /24 around the first address it pins."""
    text = wire.node.text("net")
    if text is None:
        addresses = wire.node.map("addrs")
        first = next(iter(addresses.entries.values())).node if addresses and addresses.entries else None
        if not isinstance(first, Text):
            return None
        try:
            return ipaddress.IPv4Network((first.value, 24), strict=False)
        except ValueError:
            return None  # said in `_number`, where every address is looked at
    net = ipaddress.ip_network(text.value)
    if isinstance(net, ipaddress.IPv6Network):
        problems.not_yet("IPv6 addresses", text.place)
        return None
    return net


def _number(wire: Wire, network: Network, names: Names, problems: Problems) -> None:
    assert wire.net is not None  # noqa: S101  # `assign` has just set it
    net = ipaddress.IPv4Network((wire.net.network, wire.net.length))
    used: dict[bytes, str] = {}
    _take_pinned(wire, net, used, names, problems)
    free = (address.packed for address in net.hosts())
    ordered = sorted(wire.ends, key=lambda end: not network.forwards(end[0]))
    for node, _ in ordered:
        if node in wire.addresses:
            continue
        address = next((each for each in free if each not in used), None)
        if address is None:
            text = wire.node.text("net")
            place = wire.node.place if text is None else text.place
            problems.add(f"{net} has no room for the {len(wire.ends)} ends of link '{wire.name}'", place)
            return
        wire.addresses[node] = address
        used[address] = node


def _take_pinned(wire: Wire, net: _Net, used: dict[bytes, str], names: Names, problems: Problems) -> None:
    on_link = [node for node, _ in wire.ends]
    for node, entry in (wire.node.map("addrs") or Map(wire.node.place)).entries.items():
        text = entry.node
        if not isinstance(text, Text):
            continue
        if node not in on_link:
            known = "is not on" if node in names.nodes else "is no node, so not on"
            message = f"'{node}' {known} link '{wire.name}'; on it: {', '.join(on_link)}"
            problems.add(message, entry.key.place)
            continue
        try:
            address = ipaddress.ip_address(text.value)
        except ValueError:
            problems.add(f"'{text.value}' is no address; write for example 10.1.0.1", text.place)
            continue
        if isinstance(address, ipaddress.IPv6Address):
            problems.not_yet("IPv6 addresses", text.place)
        elif address not in net:
            problems.add(f"{address} is outside the net {net} of link '{wire.name}'", text.place)
        elif net.prefixlen < 31 and address in (net.network_address, net.broadcast_address):
            problems.add(f"{address} names the whole net {net}, no single node", text.place)
        elif address.packed in used:
            problems.add(f"{address} is the address of {used[address.packed]} already", text.place)
        else:
            used[address.packed] = node
            wire.addresses[node] = address.packed


def address_towards(network: Network, node: str, peer: str) -> bytes | None:
    """The address that `node` is known by to `peer`; None when there is no way between them."""
    way = network.path(node, peer)
    return None if way is None else way[0][1].addresses.get(node)


def main_address(network: Network, node: str) -> bytes | None:
    """The address a bare node name stands for: the one on its first link, for a gateway the first outside."""
    wires = network.wires_of[node]
    outside = [
        wire for wire in wires if network.kinds[node] == "gateway" and not network.is_protected(node, wire)
    ]
    chosen = outside or wires
    return chosen[0].addresses.get(node) if chosen else None


def show(address: bytes) -> str:
    """An address as text."""
    return unpack(address)


def _prefix(net: _Net) -> Prefix:
    return Prefix(net.network_address.packed, net.prefixlen)


def _host_nets() -> Iterator[_Net]:
    for third in range(256):
        for second in range(1, 256):
            yield ipaddress.IPv4Network(f"10.{second}.{third}.0/24")


def _outer_nets() -> Iterator[_Net]:
    """The three networks set aside for examples (RFC 5737), then those for benchmarks and shared space."""
    documentation = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    yield from map(ipaddress.IPv4Network, documentation)
    for large in ("198.18.0.0/15", "100.64.0.0/10", "172.16.0.0/12"):
        yield from ipaddress.IPv4Network(large).subnets(new_prefix=24)


def _free(nets: Iterator[_Net], taken: list[_Net]) -> Iterator[_Net]:
    return chain(net for net in nets if not any(net.overlaps(other) for other in taken))
