"""Which turn led to which."""

import sys

import pytest

from ipsecsim.base.instant import SECOND, ms
from ipsecsim.ipsec.events import PacketOpened, SaInstalled
from ipsecsim.net.apps import APPS
from ipsecsim.net.events import TrafficSent
from ipsecsim.observe.lives.causality import causes, effects
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.stack.events import EchoAnswered
from tests.support.builders import World, two_gateways


def nodes(world: World, turns: list[int]) -> list[str]:
    return [world.recorder.turn(number)[0].node for number in turns]


def test_the_chain_leads_back_to_the_script(ping_world: World) -> None:
    opened = ping_world.recorder.of(PacketOpened)[0][0].turn.number
    chain = causes(ping_world.recorder, opened)
    assert chain[-1] == 1
    assert ping_world.recorder.turn(1)[0].turn.stimulus == "script"
    assert chain == sorted(chain, reverse=True)
    # the handshake is on the way: the packet waited for it
    assert nodes(ping_world, chain)[::-1] == [
        *("a", "west", "internet", "east", "internet", "west", "internet", "east", "internet", "west"),
        "internet",
    ]


def test_the_first_turn_has_no_cause(ping_world: World) -> None:
    assert causes(ping_world.recorder, 1) == []


def test_effects_are_the_other_way_round(ping_world: World) -> None:
    for turn in (1, 5, ping_world.recorder.turns):
        expected = [
            number
            for number in range(1, ping_world.recorder.turns + 1)
            if turn in causes(ping_world.recorder, number)
        ]
        assert effects(ping_world.recorder, turn) == expected


@pytest.mark.parametrize("ask", [causes, effects])
def test_a_turn_that_did_not_happen_is_refused(ping_world: World, ask) -> None:
    with pytest.raises(IndexError, match="turn 9999 of"):
        ask(ping_world.recorder, 9999)


def test_a_row_belongs_to_the_traffic_whose_packets_led_there() -> None:
    world = two_gateways()
    world.ping("a", "b")
    world.ping("b", "a", at=SECOND)
    world.run()
    behind = Lives(world.recorder).behind
    answered = [behind[row.sequence] for row, _ in world.recorder.of(EchoAnswered)]
    assert answered == [{"a to b"}, {"b to a"}]
    # the keys were made because of the first ping
    assert {behind[row.sequence] for row, _ in world.recorder.of(SaInstalled)} == {frozenset({"a to b"})}


def test_two_that_send_in_one_turn_and_wait_for_the_same_keys_are_told_apart() -> None:
    world = two_gateways()
    world.ping("a", "b", count=2, interval=ms(1))
    world.send("a", "b")
    world.run()
    behind = Lives(world.recorder).behind
    arrived = [behind[row.sequence] for row, _ in world.recorder.of(PacketOpened) if row.node == "east"]
    assert arrived == [{"a to b"}, {"send"}, {"a to b"}]


def test_what_leads_back_to_no_traffic_belongs_to_none() -> None:
    world = two_gateways()
    world.initiate("west")
    world.run()
    assert set(Lives(world.recorder).behind) == {frozenset()}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_every_application_can_be_recognised_by_an_event_of_its_sending(app) -> None:
    names = vars(sys.modules[app.near.__module__]).values()
    assert any(isinstance(each, type) and issubclass(each, TrafficSent) for each in names)
