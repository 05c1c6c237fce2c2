"""Networks for links and addresses for their ends, where the file pins none.

A link that touches hosts gets 10.N.0.0/24 and fd00:10:N::/64, one behind a NAT 192.168.N.0/24 in IPv4, one between
routers and gateways a documentation prefix, in the file's order; `ip:` says which versions there are. On each link
gateways and routers come first, then hosts.
"""

import ipaddress
from collections.abc import Iterator
from itertools import pairwise

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import schema
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network, Wire
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Map, Text, one_or_many
from ipsecsim.wire.ipv6 import MINIMUM_MTU

_Net = ipaddress.IPv4Network | ipaddress.IPv6Network

_WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a link's network."""

_AROUND = {4: 24, 6: 64}
"""How long the prefix of a network is that the file pins by an address alone."""


def assign(network: Network, names: Names, problems: Problems) -> None:
    """Give every link its networks and every end its addresses."""
    for wire in network.wires.values():
        _check_versions(wire, network, problems)
        _check_mtu(wire, network, problems)
    problems.stop()
    for version in network.versions:
        _assign(network, version, problems)
        _check_overlaps(network, version, problems)
    for wire in network.wires.values():
        _number(wire, network, names, problems)


def _assign(network: Network, version: int, problems: Problems) -> None:
    """Networks of one version for all links."""
    taken: list[_Net] = []
    for wire in network.wires.values():
        pinned = _pinned_net(wire, version, problems)
        if pinned is not None:
            wire.nets[version] = _prefix(pinned)
            taken.append(pinned)
    problems.stop()
    # Pinned networks are few, so each candidate is held against all of them.
    inner, outer = _free(_HOST_NETS[version](), taken), _free(_OUTER_NETS[version](), taken)
    hidden = _free(_HIDDEN_NETS[version](), taken)
    for wire in network.wires.values():
        if version in wire.nets:
            continue
        left = hidden if network.is_behind_nat(wire) else inner if network.touches_hosts(wire) else outer
        found = next(left, None)
        if found is None:
            message = f"no IPv{version} network is left for link '{wire.name}'; pin smaller ones, or its own"
            raise ConfigError(message, wire.node.place)
        wire.nets[version] = _prefix(found)


def _check_overlaps(network: Network, version: int, problems: Problems) -> None:
    """A node that is on two links would not know on which of them an address is, if their networks overlapped."""
    for node, wires in network.wires_of.items():
        # of two that overlap one begins inside the other, and so do all between them
        ordered = sorted(wires, key=lambda wire: (wire.nets[version].network, wire.nets[version].length))
        for one, other in pairwise(ordered):
            if other.nets[version].network in one.nets[version]:
                first, second = sorted((one, other), key=lambda wire: wire.number)
                nets = (
                    f"{first.nets[version]} of '{first.name}' and {second.nets[version]} of '{second.name}'"
                )
                problems.add(f"{node} is on both {nets}, which overlap", second.node.place)


def _pinned_addresses(wire: Wire) -> Iterator[tuple[str, Text]]:
    """Each address that the file gives, with its node."""
    for node, entry in (wire.node.map("addrs") or Map(wire.node.place)).entries.items():
        for text in one_or_many(entry.node):
            yield node, text


def _version(text: str) -> int | None:
    """The IP version of an address or network; None for what is neither."""
    try:
        return ipaddress.ip_network(text, strict=False).version
    except ValueError:
        return None


def missing_version(version: int) -> str:
    """What to do about an address of a version that the topology does not have."""
    return f"this topology has no IPv{version}; write  ip: both  at the top, or  ip: {version}"


def _check_versions(wire: Wire, network: Network, problems: Problems) -> None:
    for text in (*one_or_many(wire.node.get("net")), *(text for _, text in _pinned_addresses(wire))):
        version = _version(text.value)
        if version is not None and version not in network.versions:
            problems.add(missing_version(version), text.place)


def _check_mtu(wire: Wire, network: Network, problems: Problems) -> None:
    mtu = wire.node.text("mtu")
    if 6 in network.versions and mtu is not None and schema.MTU.read(mtu.value) < MINIMUM_MTU:
        message = f"IPv6 needs links with an MTU of {MINIMUM_MTU} or more (RFC 8200 5)"
        problems.add(message, mtu.place)


def _pinned_net(wire: Wire, version: int, problems: Problems) -> _Net | None:
    """The network the file says, or the one around the first address it pins."""
    found = [text for text in one_or_many(wire.node.get("net")) if _version(text.value) == version]
    if len(found) > 1:
        problems.add(f"link '{wire.name}' has two IPv{version} networks; one is enough", found[1].place)
    if found:
        net = ipaddress.ip_network(found[0].value)
        if net.is_multicast or net.is_loopback:
            what = "groups" if net.is_multicast else "a node's talk to itself"
            problems.add(f"{net} is for {what}; take another network", found[0].place)
        elif net.prefixlen < _WIDEST[version]:
            problems.add(f"{net} is too wide for a link; write for example 10.1.0.0/24", found[0].place)
        return net
    first = next((text.value for _, text in _pinned_addresses(wire) if _version(text.value) == version), None)
    # an address that is none is said in `_take_pinned`, where every address is looked at
    return None if first is None else ipaddress.ip_network((first, _AROUND[version]), strict=False)


def _number(wire: Wire, network: Network, names: Names, problems: Problems) -> None:
    """Addresses for all ends of a link."""
    used = _take_pinned(wire, network, names, problems)
    ordered = sorted(wire.ends, key=lambda end: not network.forwards(end[0]))
    for version in network.versions:
        net = _net(wire, version)
        free = (address.packed for address in net.hosts())
        for node, _ in ordered:
            if wire.address(node, version) is not None:
                continue
            address = next((each for each in free if each not in used), None)
            if address is None:
                texts = [
                    text for text in one_or_many(wire.node.get("net")) if _version(text.value) == version
                ]
                place = texts[0].place if texts else wire.node.place
                message = f"{net} has no room for the {len(wire.ends)} ends of link '{wire.name}'"
                problems.add(message, place)
                break
            wire.addresses[version][node] = address
            used[address] = node


def _take_pinned(wire: Wire, network: Network, names: Names, problems: Problems) -> dict[bytes, str]:
    """Take over the addresses that the file gives; whose each of them is."""
    wire.addresses = {version: {} for version in network.versions}
    used: dict[bytes, str] = {}
    on_link = [node for node, _ in wire.ends]
    for holder in ("addrs", "from"):
        for key, entry in (wire.node.map(holder) or Map(wire.node.place)).entries.items():
            if key not in on_link:
                known = "is not on" if key in names.nodes else "is no node, so not on"
                message = f"'{key}' {known} link '{wire.name}'; on it: {', '.join(on_link)}"
                problems.add(message, entry.key.place)
    for node, text in _pinned_addresses(wire):
        if node not in on_link:
            continue
        try:
            address = ipaddress.ip_address(text.value)
        except ValueError:
            problems.add(f"'{text.value}' is no address; write for example 10.1.0.1", text.place)
            continue
        net = _net(wire, address.version)
        here = wire.addresses[address.version]
        if node in here:
            message = f"{node} has an IPv{address.version} address on link '{wire.name}' already"
            problems.add(message, text.place)
        elif address not in net:
            problems.add(f"{address} is outside the net {net} of link '{wire.name}'", text.place)
        elif _is_no_node(address, net):
            problems.add(f"{address} names the whole net {net}, no single node", text.place)
        elif address.packed in used:
            problems.add(f"{address} is the address of {used[address.packed]} already", text.place)
        else:
            used[address.packed] = node
            here[node] = address.packed
    return used


def _is_no_node(address: ipaddress.IPv4Address | ipaddress.IPv6Address, net: _Net) -> bool:
    """The network's own address and, in IPv4, the one of all its nodes."""
    if net.num_addresses <= 2:
        return False
    return address == net.network_address or (address.version == 4 and address == net.broadcast_address)


def _net(wire: Wire, version: int) -> _Net:
    net = wire.nets[version]
    return ipaddress.ip_network((net.network, net.length))


def address_towards(network: Network, node: str, peer: str, version: int | None = None) -> bytes | None:
    """The address that `node` is known by to `peer`; None when there is no way between them.

    Where nobody says which IP version, the first one of the topology.
    """
    way = network.path(node, peer)
    return None if way is None else way[0][1].address(node, version or network.versions[0])


def main_address(network: Network, node: str, version: int | None = None) -> bytes | None:
    """The address a bare node name stands for: the one on its first link, of a gateway or NAT the first outside."""
    wires = network.wires_of[node]
    outside = [
        wire
        for wire in wires
        if (network.kinds[node] == "gateway" or node in network.outside_of_nat)
        and not network.hides(node, wire)
    ]
    chosen = outside or wires
    return chosen[0].address(node, version or network.versions[0]) if chosen else None


def show(address: bytes) -> str:
    """An address as text."""
    return unpack(address)


def _prefix(net: _Net) -> Prefix:
    return Prefix(net.network_address.packed, net.prefixlen)


def _host_nets_ipv4() -> Iterator[_Net]:
    for third in range(256):
        for second in range(1, 256):
            yield ipaddress.IPv4Network(f"10.{second}.{third}.0/24")


def _outer_nets_ipv4() -> Iterator[_Net]:
    """The three networks set aside for examples (RFC 5737), then those for benchmarks and shared space."""
    documentation = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    yield from map(ipaddress.IPv4Network, documentation)
    for large in ("198.18.0.0/15", "100.64.0.0/10", "172.16.0.0/12"):
        yield from ipaddress.IPv4Network(large).subnets(new_prefix=24)


def _host_nets_ipv6() -> Iterator[_Net]:
    """Numbered as the IPv4 ones, in decimal digits: fd00:10:12::/64 goes with 10.12.0.0/24."""
    for third in range(10_000):
        for second in range(1, 256):
            yield ipaddress.IPv6Network(f"fd00:10:{second}:{third}::/64")


def _outer_nets_ipv6() -> Iterator[_Net]:
    """Parts of the network set aside for examples (RFC 3849)."""
    for third in range(10_000):
        for second in range(1, 10_000):
            yield ipaddress.IPv6Network(f"2001:db8:{second}:{third}::/64")


def _hidden_nets_ipv4() -> Iterator[_Net]:
    """What people find behind a NAT, and behind the first 255 of them something else."""
    for third in range(1, 256):
        yield ipaddress.IPv4Network(f"192.168.{third}.0/24")
    yield from ipaddress.IPv4Network("172.16.0.0/12").subnets(new_prefix=24)


_HIDDEN_NETS = {4: _hidden_nets_ipv4, 6: _host_nets_ipv6}
_HOST_NETS = {4: _host_nets_ipv4, 6: _host_nets_ipv6}
_OUTER_NETS = {4: _outer_nets_ipv4, 6: _outer_nets_ipv6}


def _free(nets: Iterator[_Net], taken: list[_Net]) -> Iterator[_Net]:
    ranges = [(int(net[0]), int(net[-1])) for net in taken]  # numbers: a wide network rules out all there are
    for net in nets:
        first = int(net.network_address)
        last = first + net.num_addresses - 1
        if not any(first <= end and start <= last for start, end in ranges):
            yield net
