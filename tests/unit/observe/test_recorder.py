"""The recording: append-only, found again by turn and by class."""

import pytest

from ipsecsim.net.events import FrameSent, TurnBegan
from tests.support.builders import World


def test_turns_are_whole_and_in_order(ping_world: World) -> None:
    recorder = ping_world.recorder
    together = [row for rows in recorder.all_turns() for row in rows]
    assert together == recorder.rows
    for number, rows in enumerate(recorder.all_turns(), start=1):
        assert isinstance(rows[0].event, TurnBegan)
        assert {row.turn.number for row in rows} == {number}


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_a_turn_that_did_not_happen_is_refused(ping_world: World, number: int) -> None:
    with pytest.raises(IndexError):
        ping_world.recorder.turn(number)


def test_rows_know_their_frame(ping_world: World) -> None:
    row, event = ping_world.recorder.of(FrameSent)[0]
    assert row.frame == event.frame == 1
    assert ping_world.recorder.rows[0].frame is None
