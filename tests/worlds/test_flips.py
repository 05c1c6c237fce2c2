"""Every bit of a protected packet flipped on a link, the IP checksum mended: which check of the node is the first.

What the ICV check alone says, `tests/unit/ipsec/test_ah_table.py` tells. Here a router flips a bit of each packet,
one packet every hundred seconds, and the gateway behind it says why it drops it, or opens it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.crypto.catalogue import WORDS, AhSuite, EspSuite
from ipsecsim.ipsec.actions import SendPacket
from ipsecsim.ipsec.association import Direction, Mode, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.observe.invariants.authentic import check_authentic
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4, ipv6, udp
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.unit.ipsec.rfc4302_table import IPV4_FIELDS, IPV6_FIELDS

GATEWAYS = {
    4: (pack("192.0.2.1"), pack("198.51.100.2")),
    6: (pack("2001:db8:1::1"), pack("2001:db8:2::2")),
}
HOSTS = {4: (pack("10.1.0.2"), pack("10.2.0.2")), 6: (pack("fd00:10:1::2"), pack("fd00:10:2::2"))}
HEADER = {4: ipv4.HEADER_LENGTH, 6: ipv6.HEADER_LENGTH}
IP_FIELDS = {4: IPV4_FIELDS, 6: IPV6_FIELDS}
SPI = 0x5E0D77AA
APART = 100 * SECOND  # longer than a fragment waits for the others

SUITES = {"AH": AhSuite(WORDS["sha256"].row), "ESP": EspSuite(WORDS["aes256gcm16"].row, 256)}
ICV = {"AH": DropReason.AH_ICV_FAIL, "ESP": DropReason.ICV_FAIL}
AH_LENGTH = {4: 28, 6: 32}  # with 16 bytes of ICV (RFC 4302 2.6)
AH_FIELDS = (
    ("AH Next Header", 8),
    ("Payload Len", 8),
    ("Reserved", 16),
    ("SPI", 32),
    ("Sequence Number", 32),
)
ESP_FIELDS = (("SPI", 32), ("Sequence Number", 32))
FRAGMENT = {"AH": DropReason.AH_FRAGMENT, "ESP": DropReason.ESP_FRAGMENT}
PROTOCOLS = {"AH": IpProtocol.AH, "ESP": IpProtocol.ESP}
OPENED = None


@dataclass(frozen=True)
class Scene:
    """What protects the packet whose bits are flipped."""

    protocol: str
    mode: Mode
    version: int

    def parameters(self, direction: Direction) -> SaParameters:
        """The SA from west to east."""
        ends = [(address, address) for address in self.ends]
        selector = Selector(*(ends if direction is Direction.OUTBOUND else reversed(ends)))
        suite = SUITES[self.protocol]
        keys = bytes(suite.encryption_key_length), bytes(range(suite.integrity_key_length))
        return SaParameters(
            direction, SPI, *GATEWAYS[self.version], suite, *keys, (selector,), "net", self.mode
        )

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """Between whom the packet goes."""
        return (HOSTS if self.mode is Mode.TUNNEL else GATEWAYS)[self.version]

    @property
    def packet(self) -> bytes:
        """What west would send; so long that what is behind the IP header is a multiple of 8 bytes."""
        sa = self.parameters(Direction.OUTBOUND)
        sender = IpsecEngine([Policy("net", PolicyAction.PROTECT, sa.selectors)])
        sender.install(sa, 0)
        for length in range(24, 32):
            segment = udp.build(*self.ends, 1111, 2222, bytes(range(length)))
            if self.version == 4:
                packet = ipv4.build(*self.ends, IpProtocol.UDP, segment, identification=0xBEEF)
            else:
                packet = ipv6.build(*self.ends, IpProtocol.UDP, segment, flow_label=0xBEEF5)
            (action,) = sender.outbound(packet, 0)
            assert isinstance(action, SendPacket)
            if (len(action.packet) - HEADER[self.version]) % 8 == 0:
                return action.packet
        raise AssertionError("no length fits")

    def fields(self) -> Iterator[tuple[str, int, int]]:
        """For each bit the name of its field, its number in it from the left, and what the field becomes."""
        bits, left = int.from_bytes(self.packet, "big"), 8 * len(self.packet)
        widths = [(name, width) for name, width, _ in IP_FIELDS[self.version]]
        widths += AH_FIELDS if self.protocol == "AH" else ESP_FIELDS
        widths.append(("what follows", left - sum(width for _, width in widths)))
        for name, width in widths:
            left -= width
            value = bits >> left & (1 << width) - 1
            yield from ((name, number, value ^ 1 << (width - 1 - number)) for number in range(width))

    def cut_to(self, room: int) -> DropReason:
        """How the packet ends when only so many bytes are left behind the IP header."""
        if self.protocol == "ESP":
            return DropReason.ICV_FAIL if room >= 8 + 8 + 4 + 16 else DropReason.ESP_SHORT
        if room < 12:
            return DropReason.AH_SHORT
        return DropReason.AH_ICV_FAIL if room >= AH_LENGTH[self.version] else DropReason.AH_BAD_LEN

    def __str__(self) -> str:
        return f"{self.protocol} {self.mode.value} IPv{self.version}"


SCENES = [Scene(*each) for each in product(SUITES, Mode, HEADER)]


def flipped(packet: bytes, bit: int) -> bytes:
    """One bit changed, and the header's checksum as it must then be."""
    other = bytearray(packet)
    other[bit >> 3] ^= 0x80 >> (bit & 7)
    if packet[0] >> 4 == 4 and bit < 8 * ipv4.HEADER_LENGTH:
        length = max(ipv4.HEADER_LENGTH, (other[0] & 0x0F) * 4)
        other[10:12] = bytes(2)
        other[10:12] = internet_checksum(bytes(other[:length])).to_bytes(2, "big")
    return bytes(other)


def played(scene: Scene) -> World:
    """A world in which east gets the packet once for each of its bits, with that bit flipped."""
    world = two_gateways(inner=scene.version, outer=scene.version)
    east, router, link = world.gateway("east"), world.nodes["internet"], world.simulator.links["wan_east"]
    world.simulator.plan(0, east, lambda: east.ipsec.install(scene.parameters(Direction.INBOUND), 0))
    packet = scene.packet

    def send(bit: int) -> None:
        sa = east.ipsec.sad.inbound(PROTOCOLS[scene.protocol], SPI)
        assert sa is not None
        sa.replay.top = sa.replay.seen = 0
        other = flipped(packet, bit)
        assert router.tap is not None
        router.tap(PacketOriginated(other))
        link.carry(router, "eth1", GATEWAYS[scene.version][1], other)

    for bit in range(8 * len(packet)):
        world.simulator.plan((1 + bit) * APART, router, lambda bit=bit: send(bit))
    return world.run(most_turns=100_000)


def first_checks(world: World) -> dict[int, DropReason | None]:
    """By bit, the reason of the first drop; OPENED when the SA took the packet in before any."""
    found: dict[int, DropReason | None] = {}
    for row in world.recorder.rows:
        event = row.event
        if row.node == "east" and isinstance(event, PacketDropped | PacketOpened):
            reason = event.reason if isinstance(event, PacketDropped) else OPENED
            found.setdefault(row.at // APART - 1, reason)
    return found


def expected(scene: Scene, length: int, name: str, number: int, value: int) -> set[DropReason | None]:
    """What may be first for a bit of a field that has become `value`, in a packet of `length` bytes."""
    icv, header = ICV[scene.protocol], HEADER[scene.version]
    signed_by_ah = {icv} if scene.protocol == "AH" else {OPENED}
    if name in ("DSCP", "ECN", "Flow Label", "Time to Live", "Hop Limit", "Header Checksum"):
        return {OPENED}
    if name == "Internet Header Length":
        # shorter than a header can be; or AH and ESP are looked for further back
        further = {DropReason.NO_SA, DropReason.AH_BAD_LEN, DropReason.IP_MALFORMED}
        return {DropReason.IP_MALFORMED} if value < 5 else further
    if name in ("Total Length", "Payload Length"):
        room = value - header if name == "Total Length" else value
        if not 0 <= room <= length - header:
            return {DropReason.IP_MALFORMED}
        return {scene.cut_to(room)}
    if name == "Flags":
        # more fragments: reassembly comes before IPsec (RFC 4303 3.4.1), and waits in vain
        return {DropReason.FRAG_TIMEOUT} if number == 2 else {OPENED}
    if name in ("Protocol", "Next Header") and value in (50, 51):
        return {DropReason.NO_SA, DropReason.AH_BAD_LEN}  # AH taken for ESP, and the reverse
    if name == "Source Address" and scene.protocol == "ESP" and scene.mode is Mode.TRANSPORT:
        return {DropReason.SA_SELECTOR_MISMATCH}  # ESP does not sign it, and the selectors look at it
    if name == "Sequence Number":
        return {DropReason.SEQ_ZERO} if value == 0 else {icv}
    return {
        "Version": {DropReason.IP_MALFORMED},
        "Identification": signed_by_ah,
        "Fragment Offset": {DropReason.FRAG_TIMEOUT},
        "Protocol": {DropReason.SPD_NO_MATCH},  # clear text, and no rule for it
        "Next Header": {DropReason.SPD_NO_MATCH},
        "Source Address": signed_by_ah,
        "Destination Address": {DropReason.SPD_NO_MATCH},
        "AH Next Header": {icv},
        "Payload Len": {DropReason.AH_BAD_LEN},
        "Reserved": {icv},
        "SPI": {DropReason.NO_SA},
        "what follows": {icv},
    }[name]


@pytest.mark.conf("AH-12", "AH-13", "ARC-41", "ESP-23", "ESP-24")
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_the_first_check_that_stops_each_flip(scene: Scene) -> None:
    length = len(scene.packet)
    world = played(scene)
    found = first_checks(world)
    for bit, (name, number, value) in enumerate(scene.fields()):
        allowed = expected(scene, length, name, number, value)
        assert found[bit] in allowed, f"bit {number} of {name}: {found[bit]}"
    assert len(found) == 8 * length
    # whoever has sealed the packet is not in this world, and its number is made new for each bit
    strange = list(check_authentic(world.recorder))
    assert strange
    assert [each for each in check(world.recorder, world.simulator) if each not in strange] == []


@pytest.mark.conf("AH-07", "ESP-17")
@pytest.mark.parametrize("scene", [each for each in SCENES if each.version == 4], ids=str)
def test_where_nobody_reassembles_a_fragment_ends_at_the_door_of_ipsec(scene: Scene) -> None:
    events: list[object] = []
    engine = IpsecEngine(tap=events.append)
    engine.install(scene.parameters(Direction.INBOUND), 0)
    for bit, (name, number, _) in enumerate(scene.fields()):
        if name == "Fragment Offset" or (name, number) == ("Flags", 2):
            events.clear()
            other = flipped(scene.packet, bit)
            assert engine.inbound(PROTOCOLS[scene.protocol], other, ipv4.HEADER_LENGTH, 0) == []
            (dropped,) = events
            assert isinstance(dropped, PacketDropped)
            assert dropped.reason is FRAGMENT[scene.protocol]
