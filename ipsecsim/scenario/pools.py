"""Pools of virtual addresses under `ipsec:`, from text to the model and on to what IKE lends from."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.ike.pools import Pool
from ipsecsim.scenario.model import InterfaceSpec, RouteSpec
from ipsecsim.scenario.model_ipsec import PoolSpec
from ipsecsim.scenario.routes import Routes
from ipsecsim.scenario.scalars import ADDRESSES, NETMASK, POOL_ADDRS, PREFIXES
from ipsecsim.scenario.tree import Map
from ipsecsim.wire.ike.numbers import CfgAttribute

_ADDRESSES = {
    ("dns", 4): CfgAttribute.INTERNAL_IP4_DNS,
    ("dns", 16): CfgAttribute.INTERNAL_IP6_DNS,
    ("nbns", 4): CfgAttribute.INTERNAL_IP4_NBNS,
    ("dhcp", 4): CfgAttribute.INTERNAL_IP4_DHCP,
    ("dhcp", 16): CfgAttribute.INTERNAL_IP6_DHCP,
}


def read_pool(name: str, node: Map) -> PoolSpec:
    """A pool whose values the schema has checked."""
    addrs = node.text("addrs")
    first, last = POOL_ADDRS.read("" if addrs is None else addrs.value)
    netmask = node.text("netmask")
    return PoolSpec(
        name,
        first,
        last,
        dns=tuple(ADDRESSES.values(node.get("dns"))),
        nbns=tuple(ADDRESSES.values(node.get("nbns"))),
        dhcp=tuple(ADDRESSES.values(node.get("dhcp"))),
        netmask=None if netmask is None else NETMASK.read(netmask.value),
        subnet=tuple(PREFIXES.values(node.get("subnet"))),
    )


def networks(pool: PoolSpec) -> list[Prefix]:
    """The fewest networks that hold a pool's addresses and, where it is a network but for its ends, these too."""
    first, last = ipaddress.ip_address(pool.first), ipaddress.ip_address(pool.last)
    whole = _network_around(pool.first, pool.last)
    if whole is not None:
        return [whole]
    assert type(first) is type(last)  # noqa: S101 - they were read together
    return [Prefix.parse(str(each)) for each in ipaddress.summarize_address_range(first, last)]


def _network_around(first: bytes, last: bytes) -> Prefix | None:
    low, high = int.from_bytes(first, "big") - 1, int.from_bytes(last, "big") + 1
    size = high - low + 1
    if low < 0 or size < 4 or size & (size - 1) or low % size:
        return None
    return Prefix(low.to_bytes(len(first), "big"), 8 * len(first) - size.bit_length() + 1)


def routes_to(
    pools: Iterable[PoolSpec], known: Routes, interfaces: Sequence[InterfaceSpec]
) -> Iterator[RouteSpec]:
    """The ways to virtual addresses on a node that knows no way to everywhere: across its IPsec boundary.

    Nobody on that link has such an address; what goes there is put into a tunnel first, or does not leave.
    """
    outside = next((each.name for each in interfaces if not each.protected), None)
    for network in (each for pool in pools for each in networks(pool)):
        if outside is not None and not known.knows(network.first):
            yield RouteSpec(network, None, outside)


def lending(pool: PoolSpec) -> Pool:
    """What IKE lends from, and tells along with each address."""
    attributes: list[tuple[int, bytes]] = [
        (_ADDRESSES[key, len(address)], address)
        for key, said in (("dns", pool.dns), ("nbns", pool.nbns), ("dhcp", pool.dhcp))
        for address in said
    ]
    if pool.netmask is not None:
        attributes.append((CfgAttribute.INTERNAL_IP4_NETMASK, pool.netmask))
    attributes += map(_subnet, pool.subnet)
    return Pool(pool.name, pool.first, pool.last, tuple(attributes))


def show_pool(pool: PoolSpec) -> dict[str, str]:
    """A pool as text that reads back to it."""
    made = {"addrs": f"{unpack(pool.first)}-{unpack(pool.last)}"}
    for key, said in (("dns", pool.dns), ("nbns", pool.nbns), ("dhcp", pool.dhcp)):
        if said:
            made[key] = ", ".join(map(unpack, said))
    if pool.netmask is not None:
        made["netmask"] = unpack(pool.netmask)
    if pool.subnet:
        made["subnet"] = ", ".join(map(str, pool.subnet))
    return made


def _subnet(network: Prefix) -> tuple[int, bytes]:
    """RFC 7296 3.15.1: with a netmask in IPv4, with a prefix length in IPv6."""
    if network.version == 6:
        return CfgAttribute.INTERNAL_IP6_SUBNET, network.network + bytes([network.length])
    mask = (0xFFFFFFFF << (32 - network.length)) & 0xFFFFFFFF
    return CfgAttribute.INTERNAL_IP4_SUBNET, network.network + mask.to_bytes(4, "big")
