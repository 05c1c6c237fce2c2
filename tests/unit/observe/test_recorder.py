"""The recording: append-only, found again by turn and by class."""

import pytest

from ipsecsim.base.trace import event_of
from ipsecsim.net.events import FrameArrived, FrameSent, TurnBegan
from ipsecsim.net.turn import ARRIVAL, TURN, Turn
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import FORWARDED, PacketForwarded
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


def test_what_is_told_as_a_tuple_is_the_event() -> None:
    assert event_of((FORWARDED, "wan", b"next", 63, 4)) == PacketForwarded("wan", b"next", 63, 4)
    assert event_of(PacketForwarded("wan", b"next", 63, 4)) == PacketForwarded("wan", b"next", 63, 4)


def test_looking_in_the_middle_of_a_turn_changes_nothing() -> None:
    told = [
        (TURN, 1, 0, "west", "start", 0),
        (FORWARDED, "wan", b"next", 63, 4),
        (ARRIVAL, 2, 5, "east", 1, 7, "wan", "eth0", b"packet"),
        (FORWARDED, "lan", b"last", 62, 4),
    ]
    whole, piecemeal = Recorder(), Recorder()
    for each in told:
        whole.tell(each)
        piecemeal.tell(each)
        assert piecemeal.rows
    assert whole.rows == piecemeal.rows
    assert whole.turn(2)[0].turn == Turn(2, 5, "east", "frame", 1)
    assert whole.turn(2)[1].event == FrameArrived(7, "wan", "eth0", b"packet")
    assert whole.turns == piecemeal.turns == 2
