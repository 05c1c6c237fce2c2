"""Which turn led to which."""

import pytest

from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.observe.causality import causes, effects
from tests.support.builders import World


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
