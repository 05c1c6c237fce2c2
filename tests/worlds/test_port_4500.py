"""What a gateway makes of datagrams on port 4500: ESP with and without a checksum or a NAT, and keepalives."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.packets.packet_summary import esp_of
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4, nat_t, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.support.builders import World, two_gateways

WEST, EAST = pack("192.0.2.1"), pack("198.51.100.2")


def after_a_ping(**options: object) -> tuple[World, bytes]:
    """A world whose tunnel has carried a ping, and the ESP of a request that never arrived."""
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b")
    world.run()
    link = world.simulator.links["wan_west"]
    link.options.up = False
    world.ping("a", "b", at=10 * SECOND)
    world.run()
    link.options.up = True
    packet = [event.packet for row, event in world.recorder.of(FrameSent) if row.node == "west"][-1]
    assert esp_of(packet)
    payload = ipv4.payload(packet)
    return world, payload if packet[ipv4.PROTOCOL] == IpProtocol.ESP else payload[udp.HEADER_LENGTH :]


def deliver(world: World, segment: bytes) -> list[object]:
    """Let east get a UDP segment as if from west, and return what it told until all was quiet."""
    router, link = world.nodes["internet"], world.simulator.links["wan_east"]
    packet = ipv4.build(WEST, EAST, IpProtocol.UDP, segment)
    before = len(world.recorder.rows)

    def send() -> None:
        assert router.tap is not None
        router.tap(PacketOriginated(packet))
        link.carry(router, "eth1", EAST, packet)

    world.simulator.plan(world.simulator.now + SECOND, router, send)
    world.run()
    assert check(world.recorder, world.simulator) == []
    return [row.event for row in world.recorder.rows[before:] if row.node == "east"]


def reasons(events: list[object]) -> list[DropReason]:
    return [event.reason for event in events if isinstance(event, PacketDropped)]


@pytest.mark.conf("UDP-10")
@pytest.mark.parametrize("encap", [False, True])
def test_esp_in_udp_is_taken_whether_a_nat_was_found_or_not(encap: bool) -> None:
    world, esp = after_a_ping(encap=encap)
    told = deliver(world, udp.build(WEST, EAST, NAT_T_PORT, NAT_T_PORT, esp, checksum=False))
    assert any(isinstance(event, PacketOpened) for event in told)
    assert reasons(told) == []


@pytest.mark.conf("UDP-03")
@pytest.mark.parametrize("checksum", ["none", "right", "wrong"])
def test_the_receiver_of_esp_in_udp_does_not_rely_on_a_checksum_of_zero(checksum: str) -> None:
    world, esp = after_a_ping(encap=True)
    segment = bytearray(udp.build(WEST, EAST, NAT_T_PORT, NAT_T_PORT, esp, checksum=checksum != "none"))
    assert any(segment[6:8]) == (checksum != "none")
    if checksum == "wrong":
        segment[7] ^= 1
    told = deliver(world, bytes(segment))
    assert any(isinstance(event, PacketOpened) for event in told) == (checksum != "wrong")
    assert reasons(told) == ([DropReason.UDP_CHECKSUM] if checksum == "wrong" else [])


@pytest.mark.conf("UDP-04")
def test_a_keepalive_is_dropped_as_one_and_nothing_follows() -> None:
    world, _ = after_a_ping(encap=True)
    told = deliver(world, udp.build(WEST, EAST, NAT_T_PORT, NAT_T_PORT, nat_t.KEEPALIVE))
    assert reasons(told) == [DropReason.KEEPALIVE]
    assert any(isinstance(event, FrameArrived) for event in told)
    assert not any(isinstance(event, FrameSent) for event in told)
