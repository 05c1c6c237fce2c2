"""What gateways tell each other about packets that come to nothing, and how seldom (RFC 7296 1.5, RFC 4301 5.2)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.budget import Budget
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.events import HintTaken, IkeMessageSent, LivenessChecked, NotifyReceived, PeerTold
from ipsecsim.ike.notices import OFFENDING_LENGTH, RECENTLY
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.outbound import protect
from ipsecsim.ipsec.settings import Settings
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways

TELLS = Settings(reports_wayward=True)
STRAY = ipv4.build(pack("10.1.0.9"), pack("10.9.0.9"), IpProtocol.UDP, bytes(200), identification=1)


def told(world: World, kind: type, **facts: object) -> list[tuple[str, object]]:
    """Who told an event of a class with these facts."""
    found = [(turn.node, event) for turn, event in world.recorder.of(kind)]
    return [each for each in found if all(getattr(each[1], name) == value for name, value in facts.items())]


def up(*, settings: Settings = TELLS, **options) -> World:
    world = two_gateways(settings=settings, **options)
    world.ping("a", "b", count=1)
    return world.run()


def send_stray(world: World, count: int = 1, every: int = MILLISECOND) -> None:
    """West puts packets into its SA that are not for it."""
    west = world.gateway("west")
    (sa,) = [sa for sa in west.ipsec.sad.all() if sa.parameters.direction is Direction.OUTBOUND]
    start = world.simulator.now
    for number in range(count):
        at = start + number * every
        world.simulator.plan(at, west, lambda at=at: west.perform([protect(sa, STRAY, at, west.tap)]))
    world.run(most_turns=50_000)


def forget(world: World, name: str) -> None:
    """A gateway loses its IKE SAs and the SAs that they made."""
    node = world.gateway(name)
    world.simulator.plan(world.simulator.now, node, lambda: node.perform(node.ike.forget()))
    world.run()


@pytest.mark.conf("ARC-12")
def test_a_packet_outside_the_selectors_of_its_sa_is_reported_under_the_seal_of_the_ike_sa():
    world = up()
    send_stray(world)
    assert told(world, PacketDropped, reason=DropReason.SA_SELECTOR_MISMATCH)
    assert [node for node, _ in told(world, PeerTold, notify="INVALID_SELECTORS", is_sealed=True)] == ["east"]
    heard = told(world, NotifyReceived, notify="INVALID_SELECTORS", exchange="INFORMATIONAL")
    assert [node for node, _ in heard] == ["west"]
    assert [len(node.ike.sas) for node in map(world.gateway, ("west", "east"))] == [1, 1]
    assert len(world.gateway("west").ipsec.sad.all()) == 2  # nothing changes by it


@pytest.mark.conf("ARC-12")
def test_a_thousand_of_them_are_reported_as_often_as_the_budget_allows():
    world = up()
    send_stray(world, 1000)
    dropped = told(world, PacketDropped, reason=DropReason.SA_SELECTOR_MISMATCH)
    assert len(dropped) == 1000
    assert len(told(world, PeerTold)) <= Budget.BURST + SECOND // Budget.INTERVAL
    assert len(told(world, PeerTold)) > 5


def test_the_report_shows_the_start_of_the_packet_and_the_spi_that_it_came_with():
    world = up()
    send_stray(world)
    (sa,) = world.gateway("east").ike.sas
    (child,) = sa.children
    sent = world.recorder.of(IkeMessageSent)
    (word,) = [event for _, event in sent if event.payloads == ("N(INVALID_SELECTORS)",)]
    # 28 header, 4 SK, 8 IV, the notify with SPI and data, pad length, 16 ICV
    assert word.length == 28 + 4 + 8 + (8 + 4 + OFFENDING_LENGTH) + 1 + 16
    assert child.spi_in


@pytest.mark.conf("IK2-56", "IK2-57")
def test_esp_for_an_sa_that_is_forgotten_makes_the_peer_ask_and_nothing_else():
    world = up()
    forget(world, "east")
    world.simulator.plan(world.simulator.now + RECENTLY, world.gateway("west"), lambda: None)
    world.run()
    world.ping("a", "b", at=world.simulator.now, count=1)
    world.run()
    assert ("east", PeerTold("INVALID_SPI", is_sealed=False)) in told(world, PeerTold)
    ((node, hint),) = told(world, HintTaken)
    assert (node, hint.notify, hint.is_asking) == ("west", "INVALID_SPI", True)
    # it asks, is told in clear that nobody knows the IKE SA, believes that neither, and gives up in its own time
    assert ("east", PeerTold("INVALID_IKE_SPI", is_sealed=False)) in told(world, PeerTold)
    assert not world.gateway("west").ike.sas
    assert world.simulator.now > 165 * SECOND


@pytest.mark.conf("IK2-56", "IK2-57")
def test_what_is_said_in_clear_is_never_answered():
    world = up()
    forget(world, "east")
    before = len(world.recorder.of(IkeMessageSent))
    world.ping("a", "b", at=world.simulator.now, count=3, interval=MILLISECOND)
    world.run()
    words = told(world, PeerTold)
    assert words == [("east", PeerTold("INVALID_SPI", is_sealed=False))] * 3
    assert [event.is_asking for _, event in told(world, HintTaken)] == [False] * 3  # it was heard just now
    assert len(world.recorder.of(IkeMessageSent)) == before


@pytest.mark.conf("IK2-57")
def test_two_nodes_that_know_nothing_of_each_other_do_not_talk_for_ever():
    world = up()
    forget(world, "west")
    forget(world, "east")
    for name, peer in (("west", "198.51.100.2"), ("east", "192.0.2.1")):
        node = world.gateway(name)
        stray = ipv4.build(node.address, pack(peer), IpProtocol.ESP, bytes(3) + b"\x99" + bytes(96))
        start = world.simulator.now
        world.simulator.plan(
            start, node, lambda n=node, s=stray: n.perform(n.stack.send_packet(s, exempt=True))
        )
    world.run()
    assert len(told(world, PeerTold, notify="INVALID_SPI")) <= 2


def test_by_default_nobody_is_told_anything():
    world = up(settings=Settings())
    send_stray(world, 3)
    forget(world, "east")
    world.ping("a", "b", at=world.simulator.now, count=1)
    world.run()
    assert told(world, PacketDropped, reason=DropReason.NO_SA)
    assert not told(world, PeerTold)
    assert not told(world, LivenessChecked)
    assert world.gateway("west").ike.sas[0].state is State.ESTABLISHED
