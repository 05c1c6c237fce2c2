"""ICMP errors that no rule lists, and what a sender hears of a boundary (RFC 4301 5.1.1, 6.2)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.ipsec.policy import Policy
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.stack import icmp
from ipsecsim.stack.events import IcmpErrorSent
from ipsecsim.stack.icmp import Problem
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install

ICMP = {4: IpProtocol.ICMP, 6: IpProtocol.ICMPV6}


def drops(world: World) -> list[tuple[str, DropReason]]:
    return [(row.node, event.reason) for row, event in world.recorder.of(PacketDropped)]


def udp_only(version: int) -> World:
    """A tunnel by hand, of which both ends say that it is for UDP."""
    world = install(
        two_gateways(inner=version, outer=version),
        IpProtocol.ESP,
        "aes256gcm16",
        inner=version,
        outer=version,
    )
    for name in ("west", "east"):
        gateway = world.gateway(name)
        rules = []
        for rule in gateway.ipsec.spd.policies:
            rows = rule.selectors
            if rule.name == "net":
                rows = tuple(Selector(row.local, row.remote, IpProtocol.UDP) for row in rows)
            rules.append(Policy(rule.name, rule.action, rows))
        gateway.ipsec.spd.replace(rules)
        for parameters in gateway.manual:
            row = parameters.selectors[0]
            parameters.selectors = (Selector(row.local, row.remote, IpProtocol.UDP),)
    return world


@pytest.mark.conf("ARC-35", "ARC-49")
@pytest.mark.parametrize("version", [4, 6])
def test_an_error_about_traffic_in_a_tunnel_comes_back_in_it(version):
    world = udp_only(version)
    world.send("a", "b", at=SECOND, destination_port=7)
    world.run()
    opened = [(row.node, ip.upper_layer(event.inner)[0]) for row, event in world.recorder.of(PacketOpened)]
    assert opened == [("east", IpProtocol.UDP), ("west", ICMP[version])]
    assert drops(world) == [("b", DropReason.PORT_CLOSED)]
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-36")
def test_a_ping_finds_no_rule_there():
    world = udp_only(4)
    result = world.ping("a", "b", at=SECOND)
    world.run()
    assert result.received == 0
    assert drops(world) == [("west", DropReason.SPD_NO_MATCH)]


@pytest.mark.conf("ARC-50")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("tells", [True, False])
def test_a_sender_is_told_that_policy_keeps_it_in_but_not_without_end(version, tells):
    world = udp_only(version)
    world.gateway("west").ipsec.settings = Settings(answers_discards=tells)
    world.ping("a", "b", at=SECOND, count=30, interval=MILLISECOND)
    world.run()
    told = [event for row, event in world.recorder.of(IcmpErrorSent) if row.node == "west"]
    prohibited = (3, 13) if version == 4 else (1, 1)
    assert {(event.type, event.code) for event in told} == ({prohibited} if tells else set())
    assert len(told) < 15
    assert check(world.recorder, world.simulator) == []


@pytest.mark.conf("ARC-50")
@pytest.mark.parametrize(
    ("forwards", "secret", "expected"),
    [(False, b"a secret", (3, 1)), (True, b"another", (3, 13))],
    ids=["nobody there", "a refusal"],
)
def test_a_sender_is_told_whether_the_peer_was_reached(forwards, secret, expected):
    world = two_gateways(psk_east=secret)
    world.gateway("west").ipsec.settings = Settings(answers_discards=True)
    world.nodes["internet"].stack.forwards = forwards
    world.ping("a", "b")
    world.run()
    told = [(event.type, event.code) for row, event in world.recorder.of(IcmpErrorSent) if row.node == "west"]
    assert told == [expected]


@pytest.mark.conf("IK2-14")
@pytest.mark.parametrize("problem", [Problem.PORT, Problem.NO_ROUTE, Problem.HOPS, Problem.PROTOCOL])
def test_no_peer_is_dead_because_an_error_about_its_messages_comes(problem):
    """Anybody can send one: that the path, or the port, is not there is at most a hint (RFC 7296 2.4)."""
    world = two_gateways()
    world.ping("a", "b")
    world.run()
    west = world.gateway("west")
    sent = [event.packet for row, event in world.recorder.of(FrameSent) if row.node == "west"]
    about = next(packet for packet in sent if ip.upper_layer(packet)[0] == IpProtocol.UDP)
    error = ip.build(
        ip.destination(about), ip.source(about), IpProtocol.ICMP, icmp.error_about(about, problem).emit()
    )
    (outside,) = west.unprotected
    now = world.simulator.now
    for number in range(20):
        world.simulator.plan(now + number, west, lambda: west.receive(outside, error))
    world.run()
    (sa,) = west.ike.sas
    assert sa.state is State.ESTABLISHED
    assert len(list(west.ipsec.sad.all())) == 2
    assert world.simulator.is_quiet(), "nobody is even asked"
