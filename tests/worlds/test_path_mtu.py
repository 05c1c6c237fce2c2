"""A tunnel over a link that is smaller than the others: who is told what, and what gets through."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import SaPathMtuLowered
from ipsecsim.net.apps.ping import Ping
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.stack.events import IcmpErrorSent, PathMtuLowered
from ipsecsim.wire import ipv4
from ipsecsim.wire.icmpv4 import IcmpError
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import EAST, install

WAN = 1300
FITS = 1246  # 1300 - 20 outer header - 8 ESP - 8 IV - 2 padding and trailer at least - 16 ICV
ICMP = 28  # bytes of headers in a ping


def told(world: World, node: str, kind: type[TraceEvent]) -> list:
    return [row.event for row in world.recorder.rows if row.node == node and isinstance(row.event, kind)]


def ends(world: World, node: str) -> list[DropReason]:
    return [event.reason for event in told(world, node, PacketDropped)]


@pytest.mark.conf("ARC-31")
def test_a_sender_with_df_converges_after_two_packets_that_were_too_big():
    world = two_gateways(wan_mtu=WAN)
    big = [world.ping("a", "b", at=at * SECOND, size=1400 - ICMP, dont_fragment=True) for at in (0, 1)]
    right = world.ping("a", "b", at=2 * SECOND, size=FITS - ICMP, dont_fragment=True)
    over = world.ping("a", "b", at=3 * SECOND, size=FITS - ICMP + 1, dont_fragment=True)
    world.run()
    assert [each.received for each in (*big, right, over)] == [0, 0, 1, 0]
    assert ends(world, "internet") == [DropReason.IP_DF_TOO_BIG]
    assert ends(world, "west") == [DropReason.IP_DF_TOO_BIG]
    assert [(event.destination, event.mtu) for event in told(world, "a", PathMtuLowered)] == [
        (pack("10.2.0.2"), FITS)
    ]
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-48")
def test_without_df_all_gets_through_and_nobody_behind_the_gateways_is_told():
    world = two_gateways(wan_mtu=WAN)
    ping = world.ping("a", "b", size=1472, count=5)
    world.run()
    assert (ping.sent, ping.received) == (5, 5)
    assert [event for node in ("west", "east") for event in told(world, node, IcmpErrorSent)] == []
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-37")
def test_a_datagram_that_its_source_has_cut_goes_through_the_tunnel_in_pieces():
    world = two_gateways()
    ping = world.ping("a", "b", size=4000)
    world.run()
    assert ping.received == 1
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-32")
def test_ten_minutes_later_the_link_may_have_grown():
    world = two_gateways(wan_mtu=WAN)
    world.ping("a", "b", size=1300, dont_fragment=True)

    def grow() -> None:
        for interface in world.nodes["internet"].stack.interfaces.values():
            interface.mtu = 1500

    world.simulator.plan(10 * SECOND, world.nodes["internet"], grow)
    early = world.ping("a", "b", at=20 * SECOND, size=1300, dont_fragment=True)
    late = world.ping("a", "b", at=1300 * SECOND, size=1300, dont_fragment=True)
    world.run()
    assert (early.received, late.received) == (0, 1)


@pytest.mark.conf("ARC-53")
@pytest.mark.parametrize("version", [4, 6])
def test_in_transport_mode_a_host_does_not_cut_before_it_protects(version):
    """Not even after it was told that a packet with DF was too big: pieces may not go into transport mode."""
    world = install(
        two_gateways(wan_mtu=WAN, inner=version, outer=version),
        IpProtocol.ESP,
        "aes256gcm16",
        Mode.TRANSPORT,
        inner=version,
        outer=version,
    )
    west = world.nodes["west"]
    results = []
    for at, whole in enumerate((version == 4, version == 4, False, False)):
        application = Ping(west, EAST[version], size=1400, dont_fragment=whole)
        results.append(application.result)
        world.simulator.plan(at * SECOND, west, lambda each=application: west.run(each))
    world.run()
    assert [result.received for result in results][-2:] == [1, 1]
    assert DropReason.MODE_MISMATCH not in ends(world, "west")
    assert check(world.recorder, world.simulator) == []


def spoof(world: World, at: Instant, error: IcmpError) -> None:
    """A stranger on the internet sends an ICMP error to west."""
    packet = ipv4.build(pack("198.51.100.66"), pack("192.0.2.1"), IpProtocol.ICMP, error.emit())
    router = world.nodes["internet"]
    world.simulator.plan(at, router, lambda: router.perform(router.stack.receive("eth1", packet, at)))


@pytest.mark.conf("ARC-33", "ARC-34")
@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 13])
def test_false_icmp_errors_take_no_tunnel_down_and_make_no_packet_tiny(code):
    world = two_gateways()
    first = world.ping("a", "b")
    world.run()
    (sa,) = [sa for sa in world.gateway("west").ipsec.sad.all() if sa.parameters.direction.value == "out"]
    esp = sa.spi.to_bytes(4, "big") + bytes(4)
    quoted = ipv4.build(pack("192.0.2.1"), pack("198.51.100.2"), IpProtocol.ESP, esp)
    start = world.simulator.now + SECOND
    for number in range(50):
        spoof(world, start + number, IcmpError(3, code, quoted, 68))
    small = world.ping("a", "b", at=start + SECOND, size=400, dont_fragment=True)
    world.run()
    assert (first.received, small.received) == (1, 1)
    assert len(world.gateway("west").ipsec.sad.all()) == 2
    assert [event.mtu for event in told(world, "west", SaPathMtuLowered)] == ([576] if code == 4 else [])


@pytest.mark.conf("ARC-33")
def test_a_false_redirect_is_refused():
    world = two_gateways()
    world.ping("a", "b")
    spoof(
        world, SECOND, IcmpError(5, 1, ipv4.build(pack("192.0.2.1"), pack("198.51.100.2"), 50, bytes(8)), 0)
    )
    world.run()
    assert ends(world, "west") == [DropReason.ICMP_POLICY]
