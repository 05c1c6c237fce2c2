"""NAT keepalives: sent while there is nothing else to say, and no proof of life (RFC 3948 4)."""

from dataclasses import replace
from itertools import pairwise

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.config import StartAction
from ipsecsim.ike.events import PeerUnresponsive
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.events import FrameSent
from ipsecsim.net.nodes.keepalives import INTERVAL, MOST_STRANGERS, Keepalives
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.scenario import read
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.nat_t import KEEPALIVE
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install

WEST, EAST = pack("192.0.2.1"), pack("198.51.100.2")


def until(world: World, at: Instant) -> None:
    # something planned keeps a world going in which nothing happens but timers
    world.simulator.plan(at, world.nodes["a"], lambda: None)
    while world.simulator.now < at and world.simulator.step():
        pass


def behind_a_nat(world: World | None = None) -> World:
    """West has found out that a NAT stands before it; nothing is to be said for a while."""
    world = world or two_gateways(encap=True, start_action=StartAction.START)
    until(world, SECOND)
    (sa,) = world.gateway("west").ike.sas
    sa.we_are_behind_nat = True
    return world


def keepalives(world: World) -> list[Instant]:
    return [
        row.at
        for row, event in world.recorder.of(FrameSent)
        if row.node == "west" and "keepalive" in summary(event.packet)
    ]


@pytest.mark.conf("UDP-05", "UDP-04")
def test_a_silent_path_is_kept_open_and_a_busy_one_needs_nothing():
    world = behind_a_nat()
    world.ping("a", "b", at=5 * SECOND, count=60, interval=SECOND)
    until(world, 160 * SECOND)
    sent = keepalives(world)
    first = 64 * SECOND + INTERVAL  # the last ping, and its way to the gateway
    assert first <= sent[0] < first + SECOND
    assert [later - earlier for earlier, later in pairwise(sent)] == [INTERVAL] * 3
    dropped = [event.reason for row, event in world.recorder.of(PacketDropped) if row.node == "east"]
    assert dropped[-len(sent) :] == [DropReason.KEEPALIVE] * len(sent)


def test_transport_mode_keeps_its_path_busy_too():
    world = two_gateways(encap=True, start_action=StartAction.START)
    ports = (NAT_T_PORT, NAT_T_PORT)
    behind_a_nat(install(world, IpProtocol.ESP, "aes256gcm16", Mode.TRANSPORT, udp_ports=ports))
    west = world.gateway("west")
    ping = Ping(west, EAST, count=60, interval=SECOND)
    world.simulator.plan(5 * SECOND, west, lambda: west.run(ping))
    until(world, 100 * SECOND)
    assert ping.result.received == 60
    first = 64 * SECOND + INTERVAL
    assert first <= keepalives(world)[0] < first + SECOND


def test_without_a_nat_there_are_none():
    world = two_gateways(encap=True, start_action=StartAction.START)
    until(world, 100 * SECOND)
    assert not keepalives(world)


@pytest.mark.conf("UDP-14")
def test_a_peer_that_only_sends_keepalives_is_dead():
    world = behind_a_nat()
    west, east, internet = world.gateway("west"), world.gateway("east"), world.nodes["internet"]
    (sa,) = west.ike.sas
    sa.connection = replace(sa.connection, dpd_delay=30 * SECOND)
    sa.timers.set(Alarm.LIVENESS, world.simulator.now + 30 * SECOND)
    # it does not know the SA any more, and says nothing
    world.simulator.plan(SECOND, east, lambda: east.perform(east.ike.forget()))
    segment = udp.build(EAST, WEST, NAT_T_PORT, NAT_T_PORT, KEEPALIVE)
    packet = ipv4.build(EAST, WEST, IpProtocol.UDP, segment)

    def send() -> None:
        world.simulator.links["wan_west"].carry(internet, "eth0", WEST, packet)

    for number in range(60):
        world.simulator.plan((2 + 5 * number) * SECOND, internet, send)
    until(world, 299 * SECOND)
    assert [row.node for row, _ in world.recorder.of(PeerUnresponsive)] == ["west"]
    assert not west.ike.sas


def test_a_thousand_strangers_leave_nothing_behind_and_the_peer_is_not_forgotten():
    """Whoever sends a first message from a false address is sent a cookie there."""
    world = behind_a_nat()
    west = world.gateway("west")
    (sa,) = west.ike.sas
    kept = Keepalives(west.ike)
    kept.sent(sa.path, world.simulator.now)
    for number in range(3 * MOST_STRANGERS):
        kept.sent(replace(sa.path, remote=number.to_bytes(4, "big")), 0)
        assert len(vars(kept)["_last_sent"]) <= MOST_STRANGERS + 1
    assert kept.next_deadline() == world.simulator.now + INTERVAL


@pytest.mark.parametrize(("said", "sent"), [("", 4), ("keepalive: 40s", 2), ("keepalive: 0", 0)])
def test_the_interval_is_what_the_node_says(said: str, sent: int) -> None:
    topology = read(NAT.replace("SAID", said).replace("UNTIL", "95s"))
    assert topology.nodes["carol"].ipsec.keepalive == {"": INTERVAL, "keepalive: 40s": 40 * SECOND}.get(
        said, 0
    )
    assert len(from_carol(Run(topology).run())) == sent


def test_a_day_of_silence_costs_4320_of_them() -> None:
    """RFC 3948 4: one every 20 seconds."""
    day = 24 * 60 * 60 * SECOND
    sent = from_carol(Run(read(NAT.replace("SAID", "").replace("UNTIL", "1441m"))).run())
    assert len([at for at in sent if at < sent[0] + day]) == 4320


NAT = """
name: idle
until: UNTIL
nodes:
  carol: {kind: host, ipsec: {SAID}}
  home: {kind: nat}
  moon: {kind: host}
links: {air: [carol, home], outside: [home, moon]}
tunnels: {work: {ends: [carol, moon], rekey_time: 0, child: {rekey_time: 0, start_action: start}}}
"""


def from_carol(run: Run) -> list[Instant]:
    return [
        row.at
        for row, event in run.recorder.of(FrameSent)
        if event.link == "air" and "keepalive" in summary(event.packet)
    ]
