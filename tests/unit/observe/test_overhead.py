"""What protection costs in bytes."""

import pytest

from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.apps.ping import Ping
from ipsecsim.observe.overhead import overhead
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import esp, ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import EAST, install
from tests.unit.observe.replayed import with_more

SUITES = {
    "gcm": ({"esp": "aes256gcm16"}, 140),
    "cbc": ({"esp": "aes256-sha256", "ike": "aes256-sha256-ecp256"}, 156),
    "gcm in UDP": ({"encap": True}, 148),
}


@pytest.mark.parametrize(("options", "wire"), SUITES.values(), ids=SUITES)
def test_the_parts_sum_to_what_is_on_the_wire(options: dict[str, object], wire: int) -> None:
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b", count=2)
    rows = overhead(world.run().recorder)
    assert [(row.node, row.policy, row.packets) for row in rows] == [("west", "net", 2), ("east", "net", 2)]
    for row in rows:
        assert (row.inner, row.wire) == (2 * 84, 2 * wire)
        assert sum(row.parts.values()) == row.added == row.wire - row.inner


@pytest.mark.parametrize(
    ("protocol", "words", "changes", "parts"),
    [
        (IpProtocol.AH, "sha256", {}, {"outer IP": 20, "header": 12, "ICV": 16}),
        (
            IpProtocol.AH,
            "sha256",
            {"ah_alignment": 8},
            {"outer IP": 20, "header": 12, "ICV": 16, "padding": 4},
        ),
        (
            IpProtocol.ESP,
            "aes256gcm16",
            {"tfc_length": 100},
            {
                "outer IP": 20,
                "header": 8,
                "IV": 8,
                "TFC padding": 16,
                "padding": 2,
                "pad length, next header": 2,
                "ICV": 16,
            },
        ),
    ],
)
def test_each_part_of_one_packet_in_tunnel_mode(protocol, words, changes, parts) -> None:
    world = install(two_gateways(), protocol, words, **changes)
    world.ping("a", "b", count=1)
    west, east = overhead(world.run().recorder)
    assert (west.node, west.policy, west.protocol, west.packets) == ("west", "net", protocol.name, 1)
    assert {name: size for name, size in west.parts.items() if size} == parts
    assert west.added == sum(parts.values()) == east.added


@pytest.mark.parametrize(
    ("protocol", "words", "added"), [(IpProtocol.AH, "sha256", 28), (IpProtocol.ESP, "aes256gcm16", 36)]
)
def test_transport_mode_needs_no_other_ip_header(protocol, words, added) -> None:
    world = install(two_gateways(), protocol, words, Mode.TRANSPORT, tfc_length=1000)
    west = world.nodes["west"]
    world.simulator.plan(1, west, lambda: west.run(Ping(west, EAST[4], count=1)))
    for row in overhead(world.run().recorder):
        assert (row.parts["outer IP"], row.parts["TFC padding"]) == (0, 0)
        assert row.added == added == sum(row.parts.values())


def test_ah_around_esp_is_counted_apart(ping_world: World) -> None:
    """In IPv6, where the outer header has 40 bytes."""
    ends = (bytes(15) + b"\x01", bytes(15) + b"\x02")
    inner = ipv6.build(*ends, 17, bytes(60))
    sealed = ipv6.build(*ends, 50, esp.HEADER.pack(0x5000, 1) + bytes(130))
    signed = ipv6.build(
        *ends, 51, bytes((50, 6, 0, 0)) + esp.HEADER.pack(0x6000, 1) + bytes(20) + sealed[40:]
    )
    last = ping_world.recorder.rows[-1]
    recording = with_more(
        ping_world.recorder,
        last.sequence,
        PacketSealed(0x5000, 1, "both", inner, 100, 138, 8, 4, 16, False, "ESP", "tunnel"),
        PacketSealed(0x6000, 1, "both", sealed, 138, 170, 0, 4, 16, False, "AH", "transport"),
        PacketOriginated(signed),
    )
    rows = [row for row in overhead(recording) if row.policy == "both"]
    assert [(row.protocol, row.inner, row.added, sum(row.parts.values())) for row in rows] == [
        ("ESP", 100, 78, 78),
        ("AH", 178, 32, 32),
    ]
