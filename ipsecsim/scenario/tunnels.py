"""`tunnels:` said once becomes `ipsec:` at both ends, in swanctl's keys. What a node says itself wins."""

import ipaddress
from collections.abc import Iterator
from hashlib import sha256

from ipsecsim.base.address import unpack
from ipsecsim.scenario.addresses import address_towards
from ipsecsim.scenario.manual_tunnels import (
    End,
    Share,
    ike_in_clear,
    manual_children,
    selections,
    share,
)
from ipsecsim.scenario.name_table import Names, children_of, is_manual
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.schema_ipsec import CONNECTION_FIELDS
from ipsecsim.scenario.swanctl.values import items
from ipsecsim.scenario.tree import Map, Node, Seq, Text, build, overlay, plain

_MIRRORED = {"local": "remote", "remote": "local", "local_ts": "remote_ts", "remote_ts": "local_ts"}
_MIRRORED |= {"local_addrs": "remote_addrs", "remote_addrs": "local_addrs"}
_MIRRORED |= {"local_port": "remote_port", "remote_port": "local_port"}

_ONE_SIDED = {"vips": True, "pools": False}
"""The first end asks for a virtual address, and the second one lends it."""


def identity(node: str) -> str:
    """Who a node says it is, when the file does not say."""
    return f"{node}.example"


def expand(root: Map, network: Network, names: Names, seed: str, problems: Problems) -> None:
    """Write every tunnel into the `ipsec:` of both its ends, in place."""
    made: dict[str, Map] = {}
    rules: dict[str, list[Text]] = {}
    for name, tunnel in (root.map("tunnels") or Map(root.place)).maps():
        ends = tunnel.get("ends")
        if not isinstance(ends, Seq):
            continue
        nodes = [text.value for text in ends.items if isinstance(text, Text)]
        version = _outer_version(tunnel, network)
        addresses = [address_towards(network, node, peer, version) for node, peer in (nodes, nodes[::-1])]
        if None in addresses:
            problems.add(f"tunnel '{name}': no path leads from {nodes[0]} to {nodes[1]}", ends.place)
            continue
        known = {node: unpack(address) for node, address in zip(nodes, addresses, strict=True) if address}
        if is_manual(tunnel):
            for node, mine in _by_hand(tunnel, name, nodes, known, network, seed).items():
                sas = Map(tunnel.place)
                sas.put("sas", mine.sas)
                _add(made.setdefault(node, Map(tunnel.place)), sas)
                rules.setdefault(node, []).extend(mine.rules)
            continue
        shared = {f"ike-{name}": _secret(tunnel, name, nodes, seed)} if _has_secret(tunnel) else {}
        for first in (True, False):
            own, peer = nodes if first else nodes[::-1]
            connection = _connection(tunnel, name, (own, peer), known, network, first=first)
            parts = {"connections": {name: connection}, "secrets": shared}
            part = build(parts, tunnel.place)
            assert isinstance(part, Map)  # noqa: S101  # built from a dict
            _add(made.setdefault(own, Map(tunnel.place)), part)
    for node, ipsec in made.items():
        said = names.nodes[node].map("ipsec")
        whole = ipsec if said is None else overlay(ipsec, said)
        if node in rules and whole.get("spd") is None:
            spd = [*_beside_ike(node, whole, network), *rules[node]]
            whole.put("spd", Seq(ipsec.place, list(spd)), ipsec.place)
        names.nodes[node].put("ipsec", whole, ipsec.place)


def _by_hand(
    tunnel: Map, name: str, nodes: list[str], known: dict[str, str], network: Network, seed: str
) -> dict[str, Share]:
    """What both ends of a tunnel get whose keys come by hand."""
    made = {node: Share(Map(tunnel.place)) for node in nodes}
    for child in manual_children(tunnel, name):
        ends: list[End] = []
        for node, key in zip(nodes, ("local_ts", "remote_ts"), strict=True):
            protects = child.said.get(key) or _selectors(network, node, known, child.said)
            ends.append(End(node, known[node], protects))
        for own, peer_end in (ends, ends[::-1]):
            part = share(tunnel, child, own, peer_end, seed)
            made[own.node].sas.entries |= part.sas.entries
            made[own.node].rules += part.rules
    return made


def _beside_ike(node: str, ipsec: Map, network: Network) -> Iterator[Text]:
    """The rules that a node with IKE connections has without being told; beside rules by hand they are written."""
    connections = ipsec.map("connections")
    if connections is None or not connections.entries:
        return
    outside = [wire for wire in network.wires_of[node] if not network.is_protected(node, wire)]
    own = [wire.address(node, version) for wire in outside for version in network.versions]
    yield plain(ike_in_clear([unpack(address) for address in own if address is not None]), ipsec.place)
    for name, connection in connections.maps():
        peers = "|".join(text.value for text in items(connection.get("remote_addrs")))
        for child, said in (connection.map("children") or Map(connection.place)).maps():
            local, remote = (
                said.get(key) or plain("dynamic", said.place) for key in ("local_ts", "remote_ts")
            )
            for words in selections(local, node, remote, peers):
                yield plain(f"protect {words} tunnel={name}/{child}", said.place)


def _outer_version(tunnel: Map, network: Network) -> int:
    """The IP version between the ends: that of an address the file gives one of them, else the first one."""
    for key in ("local_addrs", "remote_addrs"):
        listed = tunnel.get(key)
        for text in items(listed):
            try:
                return ipaddress.ip_address(text.value).version
            except ValueError:
                continue  # a node's name
    return network.versions[0]


def _add(ipsec: Map, part: Map) -> None:
    """Put one more tunnel's share into a node's `ipsec:`. Tunnels have names of their own, so nothing clashes."""
    for section, entry in part.entries.items():
        known = ipsec.map(section)
        if known is None:
            ipsec.entries[section] = entry
        elif isinstance(entry.node, Map):
            known.entries |= entry.node.entries


def _has_secret(tunnel: Map) -> bool:
    """Does one of the ends prove itself by a secret?"""
    usual = tunnel.text("auth")
    for side in ("local", "remote"):
        said = (tunnel.map(side) or Map(tunnel.place)).text("auth") or usual
        if said is None or said.value == "psk":
            return True
    return False


def _secret(tunnel: Map, name: str, nodes: list[str], seed: str) -> Map:
    """The shared secret of a tunnel: as written, else made from the seed."""
    fresh = sha256(f"ipsecsim psk\0{seed}\0{name}".encode()).hexdigest()[:32]
    written = tunnel.text("secret")
    made = Map(tunnel.place)
    for number, node in enumerate(nodes, 1):
        made.put(f"id-{number}", Text(_id(tunnel, number == 1, node), tunnel.place, ()))
    made.put("secret", written or Text(fresh, tunnel.place, ()))
    return made


def _id(tunnel: Map, is_first: bool, node: str) -> str:  # noqa: FBT001  # private, called with names in sight
    """A node's identity in a tunnel: what `local:` or `remote:` says, else its own."""
    side = tunnel.map("local" if is_first else "remote")
    said = None if side is None else side.text("id")
    return identity(node) if said is None else said.value


def _connection(
    tunnel: Map,
    name: str,
    nodes: tuple[str, str],
    addresses: dict[str, str],
    network: Network,
    *,
    first: bool,
) -> Map:
    """One end's connection. `nodes` are its own and the peer's."""
    own, peer = nodes
    is_hidden = network.crosses_nat(peer, own)
    auth = tunnel.text("auth")
    method = "psk" if auth is None else auth.value
    base = build(
        {
            "local_addrs": addresses[own],
            # who is behind a NAT can't be called, and is known by its name only
            "remote_addrs": "any" if is_hidden else addresses[peer],
            "local": {"auth": method, "id": identity(own)},
            "remote": {"auth": method, "id": identity(peer)},
            "children": {},
        },
        tunnel.place,
    )
    written = Map(tunnel.place)
    for key, entry in tunnel.entries.items():
        if key in _ONE_SIDED and _ONE_SIDED[key] is not first:
            continue
        if key in CONNECTION_FIELDS or key.split("-")[0] in ("local", "remote"):
            written.put(_side(key, first=first), entry.node, entry.key.place)
    assert isinstance(base, Map)  # noqa: S101  # built from a dict
    made = overlay(base, written)
    children = Map(tunnel.place)
    for child in children_of(tunnel, name):
        said = tunnel.map("child") or Map(tunnel.place)
        several = tunnel.map("children")
        if several is not None and several.map(child) is not None:
            said = overlay(said, several.map(child) or said)
        part = _child(said, nodes, addresses, network, first=first)
        if is_hidden:
            part.put("start_action", Text("none", said.place, ()))
        if tunnel.get("vips") is not None:
            _put_virtual(part, "local_ts" if first else "remote_ts", said)
        children.put(child, part, tunnel.place)
    made.put("children", children, tunnel.place)
    return made


def _put_virtual(child: Map, key: str, said: Map) -> None:
    """What the first end protects is its virtual address, where the file does not say otherwise."""
    if said.get("local_ts") is None:
        child.put(key, Text("dynamic", said.place, ()))


def _side(key: str, *, first: bool) -> str:
    """A key as the second end knows it: what is local to the first is remote to it."""
    if first:
        return key
    word, dash, suffix = key.partition("-")
    return _MIRRORED.get(word, word) + dash + suffix


def _child(
    said: Map, nodes: tuple[str, str], addresses: dict[str, str], network: Network, *, first: bool
) -> Map:
    own, peer = nodes
    made = Map(said.place)
    made.put("local_ts", _selectors(network, own, addresses, said))
    made.put("remote_ts", _selectors(network, peer, addresses, said))
    made.put("start_action", Text("trap", said.place, ()))
    written = Map(said.place)
    for key, entry in said.entries.items():
        if key == "start_action" and not first:
            # Who starts is the first end's affair; the second waits for traffic, unless nobody is to start.
            node = entry.node
            if isinstance(node, Text) and node.value != "none":
                continue
        written.put(_side(key, first=first), entry.node, entry.key.place)
    return overlay(made, written)


def _selectors(network: Network, node: str, addresses: dict[str, str], said: Map) -> Node:
    """What one end protects by default: the networks behind a gateway, else itself."""
    if network.kinds[node] == "gateway":
        nets = [str(wire.nets[version]) for version in network.versions for wire in network.behind(node)]
        if nets:
            return Text(", ".join(nets), said.place, ())
    return Text(str(ipaddress.ip_network(addresses[node])), said.place, ())
