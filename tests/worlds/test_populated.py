"""One rule, many SAs: each takes its selectors from the packet that asked for it (RFC 4301 4.4.1)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.holding import MOST_QUEUES
from ipsecsim.ipsec.populate import ADDRESSES, Part, populate
from ipsecsim.ipsec.selector import Flow, Selector
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways

EVERY_PART = frozenset(Part)
PORTS = frozenset({Part.PROTOCOL, Part.REMOTE_PORT})


def carried(world: World, gateway: str) -> list[str]:
    """What the outbound SAs of a gateway are for."""
    sas = world.gateway(gateway).ipsec.sad.all()
    outbound = [sa.parameters for sa in sas if sa.parameters.direction is Direction.OUTBOUND]
    said = sorted("; ".join(map(str, each.selectors)) for each in outbound)
    return [each for each in said if "ICMP" not in each]  # of closed ports


@pytest.mark.conf("ARC-09")
def test_three_ports_give_three_sas_and_every_packet_arrives():
    world = two_gateways(from_packet=PORTS)
    for number, port in enumerate((1001, 1002, 1003, 1001)):
        world.send("a", "b", at=number, destination_port=port)
    for number, port in enumerate((1001, 1003)):
        world.send("a", "b", at=SECOND + number, destination_port=port)
    world.run()
    nets = "10.1.0.0/24 === 10.2.0.0/24"
    assert carried(world, "west") == [f"{nets}, UDP, remote port {port}" for port in (1001, 1002, 1003)]
    back = "10.2.0.0/24 === 10.1.0.0/24"
    assert carried(world, "east") == [f"{back}, UDP, local port {port}" for port in (1001, 1002, 1003)]
    assert len(world.gateway("west").ike.sas) == 1
    reasons = {event.reason for _, event in world.recorder.of(PacketDropped)}
    assert reasons <= {DropReason.PORT_CLOSED}
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-09")
def test_without_the_flags_they_share_one():
    world = two_gateways()
    for number, port in enumerate((1001, 1002)):
        world.send("a", "b", at=number, destination_port=port)
    world.run()
    assert carried(world, "west") == ["10.1.0.0/24 === 10.2.0.0/24"]


def test_packets_of_very_many_kinds_do_not_all_wait():
    world = two_gateways(from_packet=PORTS, psk_east=b"another")
    for port in range(1, MOST_QUEUES + 11):
        world.send("a", "b", destination_port=port)
    west = world.gateway("west")
    world.simulator.plan(SECOND // 1000, west, lambda: counted.append(west.ipsec.held))
    counted: list[int] = []
    world.run()
    assert counted == [MOST_QUEUES]
    assert west.ipsec.held == 0  # the peer refused, and all were told so


@pytest.mark.conf("ARC-09")
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({Part.LOCAL_ADDRESS}, "10.1.0.7/32 === 10.2.0.0/24, local ports 1-60000"),
        ({Part.REMOTE_ADDRESS}, "10.1.0.0/24 === 10.2.0.9/32, local ports 1-60000"),
        ({Part.PROTOCOL}, "10.1.0.0/24 === 10.2.0.0/24, TCP, local ports 1-60000"),
        ({Part.LOCAL_PORT}, "10.1.0.0/24 === 10.2.0.0/24, local port 40000"),
        ({Part.REMOTE_PORT}, "10.1.0.0/24 === 10.2.0.0/24, local ports 1-60000, remote port 443"),
        (ADDRESSES, "10.1.0.7/32 === 10.2.0.9/32, local ports 1-60000"),
        (EVERY_PART, "10.1.0.7/32 === 10.2.0.9/32, TCP, local port 40000, remote port 443"),
    ],
)
def test_each_flag_takes_its_own_part_from_the_packet(parts, expected):
    row = Selector(
        (pack("10.1.0.0"), pack("10.1.0.255")), (pack("10.2.0.0"), pack("10.2.0.255")), 0, (1, 60000)
    )
    flow = Flow(pack("10.1.0.7"), pack("10.2.0.9"), IpProtocol.TCP, 40000, 443)
    assert str(populate(row, flow, parts)) == expected
