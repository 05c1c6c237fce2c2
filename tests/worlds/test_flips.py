"""Every bit of a protected packet flipped on a link, the IP checksum mended: which check of the node is the first.

What the ICV check alone says, `tests/unit/ipsec/test_ah_table.py` tells. Here a router flips a bit of each packet,
one packet every hundred seconds, and the gateway behind it says why it drops it, or opens it.
"""

from collections.abc import Iterator

import pytest

from ipsecsim.base.address import Prefix, pack
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
from ipsecsim.observe.conservation import check_conservation
from ipsecsim.observe.crossings import check_crossings
from ipsecsim.observe.wire_rules import check_wire
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.unit.ipsec.rfc4302_table import IPV4_FIELDS

WEST, EAST = pack("192.0.2.1"), pack("198.51.100.2")
ALICE, BOB = pack("10.1.0.2"), pack("10.2.0.2")
NETS = Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")
HOSTS = Prefix(WEST, 32), Prefix(EAST, 32)
SPI = 0x5E0D77AA
APART = 100 * SECOND  # longer than a fragment waits for the others

SUITES = {"AH": AhSuite(WORDS["sha256"].row), "ESP": EspSuite(WORDS["aes256gcm16"].row, 256)}
ICV = {"AH": DropReason.AH_ICV_FAIL, "ESP": DropReason.ICV_FAIL}
BY_LENGTH = {
    "AH": ((28, DropReason.AH_ICV_FAIL), (12, DropReason.AH_BAD_LEN), (0, DropReason.AH_SHORT)),
    "ESP": ((8 + 8 + 4 + 16, DropReason.ICV_FAIL), (0, DropReason.ESP_SHORT)),
}
"""How a packet that was cut ends, by the bytes left behind the IP header."""
AH_FIELDS = (("Next Header", 8), ("Payload Len", 8), ("Reserved", 16), ("SPI", 32), ("Sequence Number", 32))
ESP_FIELDS = (("SPI", 32), ("Sequence Number", 32))
FRAGMENT = {"AH": DropReason.AH_FRAGMENT, "ESP": DropReason.ESP_FRAGMENT}
PROTOCOLS = {"AH": IpProtocol.AH, "ESP": IpProtocol.ESP}
OPENED = None


def parameters(protocol: str, mode: Mode, direction: Direction) -> SaParameters:
    ends = NETS if mode is Mode.TUNNEL else HOSTS
    selector = Selector.between(*(ends if direction is Direction.OUTBOUND else reversed(ends)))
    suite = SUITES[protocol]
    keys = bytes(suite.encryption_key_length), bytes(range(suite.integrity_key_length))
    return SaParameters(direction, SPI, WEST, EAST, suite, *keys, (selector,), "net", mode)


def protected(protocol: str, mode: Mode) -> bytes:
    """What west would send; so long that what is behind the IP header is a multiple of 8 bytes."""
    sa = parameters(protocol, mode, Direction.OUTBOUND)
    sender = IpsecEngine([Policy("net", PolicyAction.PROTECT, sa.selectors)])
    sender.install(sa, 0)
    ends = (ALICE, BOB) if mode is Mode.TUNNEL else (WEST, EAST)
    for length in range(24, 32):
        segment = udp.build(*ends, 1111, 2222, bytes(range(length)))
        packet = ipv4.build(*ends, IpProtocol.UDP, segment, identification=0xBEEF)
        (action,) = sender.outbound(packet, 0)
        assert isinstance(action, SendPacket)
        if len(action.packet) % 8 == ipv4.HEADER_LENGTH % 8:
            return action.packet
    raise AssertionError("no length fits")


def flipped(packet: bytes, bit: int) -> bytes:
    """One bit changed, and the header's checksum as it must then be."""
    other = bytearray(packet)
    other[bit >> 3] ^= 0x80 >> (bit & 7)
    if bit < 8 * ipv4.HEADER_LENGTH:
        length = max(ipv4.HEADER_LENGTH, (other[0] & 0x0F) * 4)
        other[10:12] = bytes(2)
        other[10:12] = internet_checksum(bytes(other[:length])).to_bytes(2, "big")
    return bytes(other)


def played(protocol: str, mode: Mode, packet: bytes) -> World:
    """A world in which east gets the packet once for each of its bits, with that bit flipped."""
    world = two_gateways()
    east, router, link = world.gateway("east"), world.nodes["internet"], world.simulator.links["wan_east"]
    world.simulator.plan(
        0, east, lambda: east.ipsec.install(parameters(protocol, mode, Direction.INBOUND), 0)
    )

    def send(bit: int) -> None:
        sa = east.ipsec.sad.inbound(PROTOCOLS[protocol], SPI)
        assert sa is not None
        sa.replay.top = sa.replay.seen = 0
        other = flipped(packet, bit)
        assert router.tap is not None
        router.tap(PacketOriginated(other))
        link.carry(router, "eth1", EAST, other)

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


def fields(protocol: str, packet: bytes) -> Iterator[tuple[str, int, int]]:
    """For each bit, the name of its field, its number in it from the left, and the field's value."""
    bits = int.from_bytes(packet, "big")
    left = 8 * len(packet)
    widths = [(name, width) for name, width, _ in IPV4_FIELDS]
    widths += AH_FIELDS if protocol == "AH" else ESP_FIELDS
    widths.append(("what follows", left - sum(width for _, width in widths)))
    for name, width in widths:
        left -= width
        value = bits >> left & (1 << width) - 1
        yield from ((name, number, value ^ 1 << (width - 1 - number)) for number in range(width))


def expected(
    protocol: str, mode: Mode, packet: bytes, name: str, number: int, value: int
) -> set[DropReason | None]:
    """What may be first for a bit of a field that has become `value`."""
    icv = ICV[protocol]
    signed_by_ah = {icv} if protocol == "AH" else {OPENED}
    if name in ("DSCP", "ECN", "Time to Live", "Header Checksum"):
        return {OPENED}
    if name == "Internet Header Length":
        # shorter than a header can be, or AH and ESP are looked for further back
        return (
            {DropReason.IP_MALFORMED}
            if value < 5
            else {DropReason.NO_SA, DropReason.AH_BAD_LEN, DropReason.IP_MALFORMED}
        )
    if name == "Total Length":
        if value > len(packet) or value < ipv4.HEADER_LENGTH:
            return {DropReason.IP_MALFORMED}
        room = value - ipv4.HEADER_LENGTH
        return {next(reason for least, reason in BY_LENGTH[protocol] if room >= least)}
    if name == "Flags":
        # more fragments: reassembly comes before IPsec (RFC 4303 3.4.1), and waits in vain
        return {DropReason.FRAG_TIMEOUT} if number == 2 else {OPENED}
    if name == "Protocol":
        # ESP that is taken for AH's neighbour; all else is clear text without a rule
        return {DropReason.NO_SA, DropReason.AH_BAD_LEN} if value in (50, 51) else {DropReason.SPD_NO_MATCH}
    if name == "Source Address":
        # in transport mode the source is what the selectors look at
        mismatch = protocol == "ESP" and mode is Mode.TRANSPORT
        return {DropReason.SA_SELECTOR_MISMATCH} if mismatch else signed_by_ah
    if name == "Sequence Number":
        return {DropReason.SEQ_ZERO} if value == 0 else {icv}
    return {
        "Version": {DropReason.IP_MALFORMED},
        "Identification": signed_by_ah,
        "Fragment Offset": {DropReason.FRAG_TIMEOUT},
        "Destination Address": {DropReason.SPD_NO_MATCH},
        "Payload Len": {DropReason.AH_BAD_LEN},
        "SPI": {DropReason.NO_SA},
    }.get(name, {icv})


@pytest.mark.conf("AH-12", "AH-13", "ARC-41", "ESP-23", "ESP-24")
@pytest.mark.parametrize("protocol", SUITES)
@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_the_first_check_that_stops_each_flip(protocol: str, mode: Mode) -> None:
    packet = protected(protocol, mode)
    world = played(protocol, mode, packet)
    found = first_checks(world)
    for bit, (name, number, value) in enumerate(fields(protocol, packet)):
        allowed = expected(protocol, mode, packet, name, number, value)
        assert found[bit] in allowed, f"bit {number} of {name}: {found[bit]}"
    assert len(found) == 8 * len(packet)
    for check in (check_conservation, check_crossings, check_wire):
        assert list(check(world.recorder, world.simulator)) == []


@pytest.mark.conf("AH-07", "ESP-17")
@pytest.mark.parametrize("protocol", SUITES)
def test_where_nobody_reassembles_a_fragment_ends_at_the_door_of_ipsec(protocol: str) -> None:
    packet = protected(protocol, Mode.TUNNEL)
    events: list[object] = []
    engine = IpsecEngine(tap=events.append)
    engine.install(parameters(protocol, Mode.TUNNEL, Direction.INBOUND), 0)
    for bit, (name, number, _) in enumerate(fields(protocol, packet)):
        if name == "Fragment Offset" or (name, number) == ("Flags", 2):
            events.clear()
            other = flipped(packet, bit)
            assert engine.inbound(PROTOCOLS[protocol], other, ipv4.HEADER_LENGTH, 0) == []
            (dropped,) = events
            assert isinstance(dropped, PacketDropped)
            assert dropped.reason is FRAGMENT[protocol]
