"""Virtual addresses: a client asks for one, the gateway lends it for the life of the IKE SA (RFC 7296 2.19, 3.15).

    CP(CFG_REQUEST) {INTERNAL_IP4_ADDRESS(), INTERNAL_IP4_DNS()}  -->
                        <--  CP(CFG_REPLY) {INTERNAL_IP4_ADDRESS(10.9.0.1), INTERNAL_IP4_DNS(10.1.0.53)}

The payload stands before SA in the request that asks for a child. The client's side of the child is then that
address and nothing else, whatever traffic selectors it offers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.address import Prefix, unpack
from ipsecsim.ike.actions import ReleaseAddress, UseAddress
from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.errors import FailedCpRequired, InternalAddressFailure, InvalidSyntax
from ipsecsim.ike.events import AddressLent, AddressReturned, ConfigurationReceived, PoolsExhausted
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import narrow, traffic_selector
from ipsecsim.ike.pools import Pool
from ipsecsim.ike.v2.messages.message import first
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import CfgAttribute, CfgType, name_of
from ipsecsim.wire.ike.traffic_selector import TrafficSelector

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

A = CfgAttribute
VERSION = b"ipsecsim"
MOST_ADDRESSES = 4
"""Virtual addresses in one IKE SA. One of each IP version is usual."""

LENGTHS: dict[int, tuple[int, ...]] = {
    A.INTERNAL_IP4_ADDRESS: (0, 4),
    A.INTERNAL_IP4_NETMASK: (0, 4),
    A.INTERNAL_IP4_DNS: (0, 4),
    A.INTERNAL_IP4_NBNS: (0, 4),
    A.INTERNAL_IP4_DHCP: (0, 4),
    A.INTERNAL_IP6_ADDRESS: (0, 17),
    A.INTERNAL_IP6_DNS: (0, 16),
    A.INTERNAL_IP6_DHCP: (0, 16),
    A.INTERNAL_IP4_SUBNET: (0, 8),
    A.INTERNAL_IP6_SUBNET: (0, 17),  # 17 by RFC 7296 3.15.1; an empty one asks for it, as with all others
}
"""The lengths that a value may have (RFC 7296 3.15.1). What is not listed may have any."""

_ADDRESS = {4: A.INTERNAL_IP4_ADDRESS, 16: A.INTERNAL_IP6_ADDRESS}
_DNS = {4: A.INTERNAL_IP4_DNS, 16: A.INTERNAL_IP6_DNS}
_SIZES: dict[int, int] = {kind: size for size, kind in _ADDRESS.items()}
_HOST = b"\x80"  # the prefix length of a lone IPv6 address
_SUPPORTED = (*LENGTHS, A.APPLICATION_VERSION, A.SUPPORTED_ATTRIBUTES)


@dataclass(slots=True)
class Assigned:
    """The virtual addresses of an IKE SA: those that we got, and those that we lent to the peer."""

    own: tuple[bytes, ...] = ()
    lent: list[tuple[Pool, bytes]] = field(default_factory=list)

    @property
    def at_peer(self) -> tuple[bytes, ...]:
        """The addresses that the peer got."""
        return tuple(address for _, address in self.lent)


def check(payloads: Sequence[Payload]) -> None:
    """Look at the lengths of known attributes; unknown ones are ignored. Raises InvalidSyntax."""
    payload = first(payloads, Configuration)
    for kind, value in () if payload is None else payload.attributes:
        if kind in LENGTHS and len(value) not in LENGTHS[kind]:
            raise InvalidSyntax(f"{name_of(CfgAttribute, kind)} of {len(value)} bytes")


# -- the client -------------------------------------------------------------------------------------


def request(sa: "IkeSa") -> list[Payload]:
    """What a client asks for that has no virtual address yet: addresses, and who knows names there.

    One that authenticates anew, beside the IKE SA that it has, asks for the addresses of that.
    """
    vips = sa.connection.vips
    if not vips or sa.assigned.own:
        return []
    beside = (each.assigned.own for each in sa.node.sas if each.connection is sa.connection)
    wishes = next(filter(None, beside), vips)
    addresses = [(_ADDRESS[len(wish)], _wish(wish)) for wish in wishes]
    servers = [(_DNS[size], b"") for size in dict.fromkeys(map(len, wishes))]
    return [Configuration(CfgType.CFG_REQUEST, [*addresses, *servers])]


def accept(sa: "IkeSa", payloads: Sequence[Payload]) -> list[Action]:
    """Take the addresses that a client asked for. Raises InvalidSyntax, and InternalAddressFailure without any.

    More than it asked for it does not take, nor a reply that it did not ask for.
    """
    vips = sa.connection.vips
    if not vips or sa.assigned.own:
        return []
    check(payloads)
    reply = first(payloads, Configuration)
    given = [] if reply is None or reply.cfg_type != CfgType.CFG_REPLY else reply.attributes
    addresses: list[bytes] = []
    for kind, size in _SIZES.items():
        asked = sum(len(vip) == size for vip in vips)
        usable = [value[:size] for it, value in given if it == kind and _is_usable(value[:size])]
        addresses += list(dict.fromkeys(usable))[:asked]
    if not addresses:
        raise InternalAddressFailure("the gateway gave us no virtual address")
    sa.assigned.own = tuple(addresses)
    if sa.tap is not None:
        sa.tap(
            ConfigurationReceived(
                tuple(map(unpack, addresses)),
                tuple(unpack(value) for kind, value in given if kind in _DNS.values() and value),
                tuple(_network(value) for kind, value in given if kind in _SUBNETS and value),
            )
        )
    ranges = [(each.start, each.end) for child in sa.connection.children for each in child.remote_ts]
    return [
        UseAddress(own, tuple(dict.fromkeys(each for each in ranges if len(each[0]) == len(own))))
        for own in addresses
    ]


def _wish(vip: bytes) -> bytes:
    """Nothing for any address; IPv6 has a prefix length behind it (RFC 7296 3.15.1)."""
    if not any(vip):
        return b""
    return vip if len(vip) == 4 else vip + _HOST


def _is_usable(address: bytes) -> bool:
    """Can it be the address of one machine, and of this one (RFC 1122 3.2.1.3, RFC 4291 2.4)?"""
    if len(address) == 4:
        return 0 < address[0] < 224 and address[0] != 127
    return len(address) == 16 and any(address[:15]) and address[0] != 0xFF


# -- the gateway ------------------------------------------------------------------------------------


def answer(sa: "IkeSa", payloads: Sequence[Payload]) -> list[Payload]:
    """Lend what the peer asks for, and tell what goes with it. Raises InternalAddressFailure, FailedCpRequired.

    An address that was lent before in this IKE SA stays the peer's (RFC 7296 3.15.1).
    """
    asked = _question(payloads)
    pools, holder, given = sa.connection.pools, sa.peer, sa.assigned.lent
    wishes = [] if asked is None else [(_SIZES[it], value) for it, value in asked.attributes if it in _SIZES]
    if holder is not None and not given:
        _lend(sa, wishes[:MOST_ADDRESSES], holder)
    if wishes and not given:
        if sa.tap is not None:
            sa.tap(PoolsExhausted(str(holder), tuple(pool.name for pool in pools)))
        raise InternalAddressFailure(f"no address is left for {holder}")
    if pools and not given:
        raise FailedCpRequired(f"{sa.connection.name} lends addresses, and the peer asked for none")
    if asked is None:
        return []
    addresses = [(_ADDRESS[len(each)], each if len(each) == 4 else each + _HOST) for _, each in given]
    beside = dict.fromkeys(attribute for pool, _ in given for attribute in pool.attributes)
    return [Configuration(CfgType.CFG_REPLY, [*addresses, *beside, *_about_us(asked)])]


def _lend(sa: "IkeSa", wishes: Sequence[tuple[int, bytes]], holder: Identity) -> None:
    """An address for each wish that a pool can grant; what cannot be granted is passed over (RFC 7296 3.15.4)."""
    for size, value in wishes:
        wish = value[:size] if any(value[:size]) else None
        if wish in sa.assigned.at_peer:
            continue
        for pool in sa.connection.pools:
            address = sa.node.leases.lend(pool, holder, wish) if len(pool.first) == size else None
            if address is not None:
                sa.assigned.lent.append((pool, address))
                if sa.tap is not None:
                    sa.tap(AddressLent(unpack(address), str(holder), pool.name))
                break


def tell_about_us(payloads: Sequence[Payload]) -> list[Payload]:
    """Answer a peer that only wants to know who we are, in INFORMATIONAL (RFC 7296 2.20)."""
    asked = _question(payloads)
    return [] if asked is None else [Configuration(CfgType.CFG_REPLY, _about_us(asked))]


def _question(payloads: Sequence[Payload]) -> Configuration | None:
    """What the peer asks for; nobody has to look at a CFG_SET (RFC 7296 3.15.1)."""
    asked = first(payloads, Configuration)
    return None if asked is None or asked.cfg_type != CfgType.CFG_REQUEST else asked


def _about_us(asked: Configuration) -> list[tuple[int, bytes]]:
    kinds = {kind for kind, _ in asked.attributes}
    told: list[tuple[int, bytes]] = []
    if A.APPLICATION_VERSION in kinds:
        told.append((A.APPLICATION_VERSION, VERSION))
    if A.SUPPORTED_ATTRIBUTES in kinds:
        told.append((A.SUPPORTED_ATTRIBUTES, b"".join(kind.to_bytes(2, "big") for kind in _SUPPORTED)))
    return told


# -- both -------------------------------------------------------------------------------------------


def local_side(sa: "IkeSa", child: ChildConfig) -> Sequence[TrafficSelector]:
    """Our side of a child: a client's is its virtual address."""
    return _only(child.local_ts, sa.assigned.own)


def remote_side(sa: "IkeSa", child: ChildConfig) -> Sequence[TrafficSelector]:
    """The peer's side of a child: a client's is the address that it got, so that no other can be taken for it."""
    return _only(child.remote_ts, sa.assigned.at_peer)


def is_foreign(sa: "IkeSa", child: ChildConfig, source: bytes) -> bool:
    """Is this no source that a client's child could ever carry, since it is not the virtual address?"""
    if not sa.assigned.own:
        return False
    return not any(
        each.start <= source <= each.end for each in local_side(sa, child) if len(each.start) == len(source)
    )


def give_back(sa: "IkeSa") -> list[Action]:
    """The IKE SA ends, and with it every address that it had."""
    gone, sa.assigned = sa.assigned, Assigned()
    for pool, address in gone.lent:
        if sa.node.leases.give_back(pool, address) and sa.tap is not None:
            sa.tap(AddressReturned(unpack(address), pool.name))
    return [ReleaseAddress(address) for address in gone.own]


def _only(said: Sequence[TrafficSelector], addresses: Sequence[bytes]) -> Sequence[TrafficSelector]:
    """The part that is about these addresses; all of it where there are none, or where it is about others."""
    hosts = [traffic_selector(Prefix(each, 8 * len(each))) for each in addresses]
    return narrow(said, hosts) or said


_SUBNETS = (A.INTERNAL_IP4_SUBNET, A.INTERNAL_IP6_SUBNET)


def _network(value: bytes) -> str:
    """A subnet in words: an address with its netmask, or with its prefix length (RFC 7296 3.15.1)."""
    if len(value) == 17:
        return f"{unpack(value[:16])}/{value[16]}"
    return f"{unpack(value[:4])}/{int.from_bytes(value[4:], 'big').bit_count()}"
