"""Lesson 7, AH meets NAT: its prepared worlds, a laboratory fake, and the checks of its exercises."""

import hmac
from collections.abc import Callable
from hashlib import pbkdf2_hmac
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from ipsecsim.base.errors import ConfigError
from ipsecsim.ipsec.mutable_fields import without_mutable_fields
from ipsecsim.lab.bytes import Bytes
from ipsecsim.lab.lab import Lab
from ipsecsim.lab.lessons.lesson import Check, Wrong
from ipsecsim.lab.packets import Packet
from ipsecsim.scenario.model import NodeSpec
from ipsecsim.wire import ipv4
from ipsecsim.wire.checksum import internet_checksum

PUBLIC = bytes((203, 0, 113, 5))
_UNDO = "nodes.sun.nat.pool=10.1.0.10"  # the second translator knows alice's own address
_UDP_4500 = bytes.fromhex("11941194")  # both ports


# -- the outcome table ------------------------------------------------------------------------------


def _dscp(packet: bytearray) -> None:
    packet[1] = 46 << 2


def _df(packet: bytearray) -> None:
    packet[6] ^= 0x40


def _ip_id(packet: bytearray) -> None:
    packet[4:6] = bytes((packet[4] ^ 0xA5, packet[5] ^ 0x5A))


_BY_HAND: dict[str, Callable[[bytearray], None]] = {"dscp": _dscp, "df": _df, "ip_id": _ip_id}
_BY_BOXES: dict[str, dict[str, Any]] = {
    "ttl": {},
    "snat": {"box": "home_router"},
    "snat_undone": {"box": "home_router", "sun": "home_router"},
}


def sealed(lab: Lab) -> Packet:
    """The first packet that alice seals."""
    found = lab.packets.where(layer="ah|esp", node="alice").first
    assert isinstance(found, Packet)  # noqa: S101 - that is what a lab's packets are
    return found


def outcome(case: str, mode: str) -> str:
    """Does bob get alice's packet when this happens to it? 'pass' or 'fail', from a world of its own.

    dscp, df and ip_id are done by hand to the packet on its last link, with its header checksum mended.
    """
    if case == "dnat":
        arrived = Lab("ah_to_a_server", mode=mode).run().measure("hello received")
    elif case in _BY_HAND:
        packet = sealed(Lab("ah_on_the_road", mode=mode).run())
        arrived = bool(packet.resend(mended(packet.arrived(), _BY_HAND[case])))
    else:
        lab = Lab("ah_on_the_road", mode=mode, **_BY_BOXES[case])
        undo = [_UNDO] if case == "snat_undone" else []
        arrived = lab.with_(*undo).run().measure("hello received")
    return "pass" if arrived else "fail"


def mended(packet: bytes, change: Callable[[bytearray], None]) -> bytes:
    """The packet after a change to its IPv4 header, its header checksum made right again."""
    changed = bytearray(packet)
    change(changed)
    changed[10:12] = bytes(2)
    changed[10:12] = internet_checksum(bytes(changed[: ipv4.HEADER_LENGTH])).to_bytes(2, "big")
    return bytes(changed)


def ah_in_udp(lab: Lab) -> Bytes:
    """A laboratory fake, in no standard: alice's AH packet in UDP 4500, through the box, and unwrapped at bob.

    The box changes what is outside; the wrapper comes off again, and bob has the packet below it.
    """
    packet = sealed(lab).on("office")
    outside, inside = (
        bytearray(packet[:20]),
        _UDP_4500 + (len(packet) - 12).to_bytes(2, "big") + bytes(2) + packet[20:],
    )
    outside[2:4] = (20 + len(inside)).to_bytes(2, "big")
    outside[9] = 17
    outside[8] -= 4
    outside[12:16] = PUBLIC
    outside[2:4] = len(packet).to_bytes(2, "big")
    outside[9] = 51
    return Bytes(mended(bytes(outside) + inside[8:], lambda _: None), "as bob sees it, unwrapped")


# -- exercises --------------------------------------------------------------------------------------


def _same(number: object, digest: str) -> bool:
    """Is this the number that was hashed? Whoever reads this learns nothing by reading."""
    made = pbkdf2_hmac("sha256", str(number).encode(), b"ipsecsim lesson 7", 100_000).hex()
    return hmac.compare_digest(made, digest)


_BITS = "7dcd8d4a3edf7bef773605761d412f9526afab4d62485ae924030e0fb0ae781e"
_HOW_MANY = "21d02da50b9eac558850c446481a1e9ba1323e78622f2986fa23626a6e34d097"
_ICV = slice(52, 68)
_FLOW_LABEL, _VERSION = "flow label", "version"
_V6_FIELDS = (
    ("traffic class", 1, 0x30, False),
    (_FLOW_LABEL, 2, 0x5A, False),
    ("hop limit", 7, 0x0F, False),
    (_VERSION, 0, 0x80, True),
    ("payload length", 5, 0x01, True),
    ("next header", 6, 0x01, True),
    ("source address", 20, 0x01, True),
    ("destination address", 36, 0x01, True),
    ("sequence number", 51, 0x01, True),
    ("ICV", 60, 0xFF, False),
    ("payload", 70, 0x01, True),
)
"""Fields of an IPv6 packet with AH: a byte of it, bits to turn over, and whether the seal covers it."""


def _check_v6(function: Callable[[bytes], bytes], bits: object) -> str:
    for seed in ("one", "two", "three"):
        packet = bytes(sealed(Lab("ah_transport", seed=f"7.1 {seed}").with_("ip=6").run()).arrived())
        _one_v6(function, packet)
    if not _same(bits, _BITS):
        raise Wrong("your function is right; the number of bits is another one")
    return "your input is that of RFC 4302 3.3.3.1.2, and the number is right"


def _one_v6(function: Callable[[bytes], bytes], packet: bytes) -> None:
    try:
        own = bytes(function(packet))
        for name, at, bits, is_sealed in _V6_FIELDS:
            changed = bytearray(packet)
            changed[at] ^= bits
            moves = bytes(function(bytes(changed))) != own
            if moves and not is_sealed:
                raise Wrong(f"your input still moves when the {name} changes")
            if is_sealed and not moves:
                raise Wrong(f"your input stays the same when the {name} changes, and the seal would not")
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"your function raised {type(error).__name__} for a packet") from None
    wanted = without_mutable_fields(packet[:40]) + packet[40:52] + bytes(16) + packet[68:]
    if len(own) != len(wanted):
        raise Wrong("your input has another length than the packet: nothing is left out, only put to zero")
    if own != wanted:
        raise Wrong(
            "the right fields, and yet another value: what stands in the place of those that may change?"
        )


def _check_peace(mine: Lab) -> str:
    if not isinstance(mine, Lab):
        raise Wrong("this check wants a Lab")
    plain = Lab("ah_on_the_road", box="home_router", seed="7.2 fresh").topology
    try:
        lab = mine.with_(seed="7.2 fresh").run()
        talk = lab.ping("alice", "bob", count=3)
    except ConfigError as mistake:
        raise Wrong(f"your world does not run: {mistake}") from None
    outside = [packet for packet in lab.packets.where(layer="ah", link="uplink") if packet.source == "alice"]
    if not outside or any(packet.hops[2].packet[12:16] != PUBLIC for packet in outside):
        raise Wrong("on uplink the source is not the public address: the box has to keep translating")
    if any(row.node == "bob" for row in lab.drops):
        raise Wrong(f"bob still drops: {lab.drops.where(node='bob')[0].reason}; ask lab.why() for more")
    others = ("alice", "moon", "box", "isp", "bob")
    same = all(_own(lab.topology.nodes[name]) == _own(plain.nodes[name]) for name in others)
    if not same:
        raise Wrong("you changed more than sun: the others' settings must stay as they are")
    if talk.received != talk.sent:
        raise Wrong("bob accepts everything, but his answers do not arrive at alice")
    return "bob accepts every packet, and alice gets his answers"


def _own(node: NodeSpec) -> tuple[object, ...]:
    """What a file says of a node itself; routes follow from the others."""
    return node.interfaces, node.nat, node.ipsec, node.kind


def _check_lucky(address: str, how_many: object) -> str:
    try:
        own = IPv4Address(address)
    except (AddressValueError, ValueError):
        raise Wrong("this is no IPv4 address") from None
    if own not in IPv4Network("10.1.0.0/16"):
        raise Wrong("her address is in 10.1.0.0/16")
    for size in (16, 99, 700):
        try:
            lab = Lab(
                "esp_on_the_road", mode="transport", box="home_router", alice=str(own), seed=f"7.3 {size}"
            )
            lab.run()
        except ConfigError:
            raise Wrong("this address cannot be hers: somebody else on the road has it") from None
        talk = lab.flow("alice", "bob", count=1, size=size, dport=9)
        if not lab.measure("hello received") or not talk.received:
            raise Wrong("bob's UDP still refuses")
    if not _same(how_many, _HOW_MANY):
        raise Wrong("right address, wrong count")
    return "all of her packets arrive, and the count is right"


CHECKS: dict[str, Check] = {"7.1": _check_v6, "7.2": _check_peace, "7.3": _check_lucky}
