"""The SAD: which SA carries a packet, which one is taken out, and what is told of one."""

import dataclasses

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.description import describe
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.lifetime import Lifetime, Limits
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import EAST, NETS, SPI, WEST, World, packet, parameters

VOICE = 46  # expedited forwarding


def spis(world: World) -> list[int]:
    return [event.spi for event in world.told(PacketSealed)]


# -- look-up -----------------------------------------------------------------------------------------


def test_of_equal_sas_the_newest_is_used():
    world = World(spi=0x1001)
    world.carry(packet())
    world.add(spi=0x1002)
    world.carry(packet())
    world.west.remove(Direction.OUTBOUND, 0x1002)
    world.carry(packet())
    assert spis(world) == [0x1001, 0x1002, 0x1001]


@pytest.mark.conf("ARC-21")
@pytest.mark.parametrize("order", [(0x1001, 0x1002), (0x1002, 0x1001)])
def test_parallel_sas_share_the_traffic_by_dscp(order):
    """Whichever came last: an SA for the packet's own DSCP goes before one for any."""
    world = World(spi=0x9999)
    world.west.remove(Direction.OUTBOUND, 0x9999)
    for spi in order:
        world.add(spi=spi, dscp_values=(VOICE,) if spi == 0x1001 else ())
    for number in range(40):
        sent = packet(tos=VOICE << 2 if number % 2 else 0)
        assert world.carry(sent) == [sent]
    assert spis(world) == [0x1002, 0x1001] * 20
    assert world.drops == []


def test_without_an_sa_for_its_dscp_a_packet_waits():
    world = World(dscp_values=(VOICE,))
    assert world.west.outbound(packet(tos=VOICE << 2), 0) != []
    world.west.outbound(packet(), 0)
    assert world.west.held == 1


@pytest.mark.conf("ARC-22")
@pytest.mark.parametrize("mode", [Mode.TUNNEL, Mode.TRANSPORT])
def test_dscp_says_nothing_on_receipt(mode):
    """A router on the way may change it; the SA's own values are for sending only (RFC 4301 4.4.2.1)."""
    world = World(mode=mode, dscp_values=(VOICE,))
    (sent,) = world.west.outbound(packet(tos=VOICE << 2), 0)
    header = ipv4.parse(sent.packet)
    remarked = ipv4.build(
        header.source,
        header.destination,
        header.protocol,
        ipv4.payload(sent.packet),
        tos=8 << 2,
        identification=header.identification,
    )
    (delivered,) = world.arrive([remarked])
    assert ipv4.payload(delivered) == ipv4.payload(packet())


def test_esp_and_ah_may_have_the_same_spi():
    world = World("aes256gcm16")
    world.add("ah-sha256")
    assert world.carry(packet()) == [packet()]
    world.west.remove(Direction.OUTBOUND, SPI, IpProtocol.AH)
    assert world.carry(packet()) == [packet()]
    assert [event.protocol for event in world.told(PacketSealed)] == ["AH", "ESP"]


def test_two_receivers_may_choose_the_same_spi():
    world = World()
    world.add(destination=WEST, source=EAST)
    world.west.remove(Direction.OUTBOUND, SPI, IpProtocol.ESP, EAST)
    assert [sa.parameters.destination for sa in world.west.sad.all()] == [WEST]


# -- what is refused at installation -------------------------------------------------------------------


def test_extended_numbers_need_a_window():
    with pytest.raises(LocalError, match="replay window"):
        World(extended_sequence=True, replay_window=0)


# -- description ---------------------------------------------------------------------------------------

ITEMS = {
    "Security Parameter Index": {"spi"},
    "Sequence Number Counter": {"sequence_counter", "sequence_bits"},
    "Sequence Counter Overflow": {"counter_overflow_allowed"},
    "Anti-Replay Window": {"window_size", "window_top", "window"},
    "AH Authentication algorithm, key": {"ah_integrity", "ah_integrity_key"},
    "ESP Encryption algorithm, key, mode": {"esp_encryption", "esp_encryption_key"},
    "ESP integrity algorithm, keys": {"esp_integrity", "esp_integrity_key"},
    "ESP combined mode algorithms, keys": {"esp_is_combined", "esp_encryption", "esp_encryption_key"},
    "Lifetime": {"lifetime", "expires_at", "is_to_be_replaced", "octets", "packets"},
    "IPsec protocol mode": {"mode", "protocol"},
    "Stateful fragment checking flag": {"stateful_fragment_checking"},
    "Bypass DF bit": {"dont_fragment"},
    "DSCP values": {"dscp_values"},
    "Bypass DSCP or map": {"bypass_dscp", "mapped_dscp"},
    "Path MTU": {"path_mtu"},
    "Tunnel header addresses": {"tunnel_source", "tunnel_destination"},
}
"""RFC 4301 4.4.2.1, item by item."""


@pytest.mark.conf("ARC-13")
def test_the_dump_of_an_sa_has_every_item_of_the_rfc():
    world = World(
        lifetime=Lifetime(Limits(packets=1), Limits(duration=60 * SECOND)),
        sequence=40,
        extended_sequence=True,
        dscp=8,
        dscp_values=(VOICE, 0),
        stateful_fragments=True,
    )
    world.carry(packet())
    sender, receiver = describe(world.west.sad.all()[0]), describe(world.east.sad.all()[0])
    has = {each.name for each in dataclasses.fields(sender)}
    for item, names in ITEMS.items():
        assert names <= has, item
    assert (sender.spi, sender.sequence_counter, sender.sequence_bits) == (SPI, 41, 64)
    assert (receiver.window_top, receiver.window_size, receiver.window[-1]) == (41, 32, "1")
    assert (sender.esp_encryption, sender.esp_is_combined, sender.esp_integrity) == (
        "aes256gcm16",
        True,
        None,
    )
    assert sender.esp_encryption_key == bytes(range(36))
    assert (sender.expires_at, sender.is_to_be_replaced) == (60 * SECOND, True)
    assert (sender.mode, sender.stateful_fragment_checking, sender.dont_fragment) == ("tunnel", True, "copy")
    assert (sender.dscp_values, sender.bypass_dscp, sender.mapped_dscp) == ((VOICE, 0), False, 8)
    assert (sender.tunnel_source, sender.tunnel_destination) == (WEST, EAST)
    assert (sender.packets, sender.octets, sender.selectors) == (1, len(packet()), tuple(map(str, NETS)))


@pytest.mark.conf("ARC-13")
def test_what_does_not_apply_is_left_out():
    world = World("ah-sha256", mode=Mode.TRANSPORT)
    told = describe(world.west.sad.all()[0])
    assert (told.ah_integrity, told.ah_integrity_key) == ("sha256", bytes(range(32)))
    nothing = ("esp_encryption", "esp_encryption_key", "esp_integrity", "esp_is_combined", "tunnel_source")
    assert [getattr(told, name) for name in (*nothing, "dont_fragment", "bypass_dscp")] == [None] * 7


@pytest.mark.conf("ARC-24")
def test_sas_made_by_hand_carry_traffic_both_ways():
    world = World("aes128-sha256")
    world.west.install(parameters(Direction.OUTBOUND, "aes128-sha256", spi=0x2001), 0)
    world.east.install(parameters(Direction.INBOUND, "aes128-sha256", spi=0x2001), 0)
    assert world.carry(packet()) == [packet()]
