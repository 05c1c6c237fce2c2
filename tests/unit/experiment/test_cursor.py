"""Going over a run, forwards and back."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.cursor import KINDS, Cursor
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read


@pytest.fixture
def cursor() -> Cursor:
    return Cursor(Run(read("ah_meets_nat")).run())


def test_it_starts_before_anything_happened(cursor: Cursor) -> None:
    assert (cursor.turn, cursor.now) == (0, 0)
    assert cursor.back() == 0


def test_past_the_end_a_step_simulates_and_at_the_very_end_it_stays() -> None:
    run = Run(read("ah_meets_nat"))
    cursor = Cursor(run)
    assert cursor.step(5) == run.turns == 5
    assert cursor.back(2) == 3
    assert run.turns == 5, "looking back leaves the world alone"
    assert cursor.step() == 4
    assert cursor.step(1000) == run.turns == cursor.end
    assert run.turns == Run(read("ah_meets_nat")).run().turns


def test_places_to_go_to(cursor: Cursor) -> None:
    assert cursor.at("end") == cursor.end
    assert cursor.at("start") == 0
    assert cursor.at(7) == cursor.at("7") == 7
    at_a_second = cursor.at("1s")
    recorder = cursor.run.recorder
    assert recorder.turn(at_a_second)[0].at <= 1_000_000_000 < recorder.turn(at_a_second + 1)[0].at


def test_next_and_last_find_turns_by_what_is_in_them(cursor: Cursor) -> None:
    turns = [row.turn.number for row, _ in cursor.run.recorder.of(PacketDropped)]
    found = []
    for _ in turns:
        found.append(cursor.at("next drop"))
    assert found == turns
    assert cursor.at("last drop") == turns[-2]
    assert cursor.at("last nat") < turns[-2]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (99, "turn 99 is not there; turns so far: 17"),
        ("-1", "'-1' is no place to go to; write a turn's number, a time such as 1.5s"),
        ("next dorp", "'dorp' cannot be looked for; did you mean 'drop'?"),
        ("next esp", "no esp after turn 3"),
        ("1h", "at 1h is not there yet; the run stands at"),
        ("soon", "'soon' is no place to go to"),
    ],
)
def test_a_place_that_is_not_there_is_said_and_the_gaze_stays(cursor: Cursor, where, said) -> None:
    cursor.at(3)
    with pytest.raises(ConfigError) as error:
        cursor.at(where)
    assert said in str(error.value)
    assert cursor.turn == 3


def test_everything_that_can_be_looked_for_is_found_somewhere() -> None:
    left = set(KINDS)
    for name in ("ah_meets_nat", "behind_nat", "gateway_crash_dpd", "ah_and_esp"):
        cursor = Cursor(Run(read(name)).run())
        for what in sorted(left):
            cursor.at("start")
            try:
                cursor.at(f"next {what}")
            except ConfigError:
                continue
            left.discard(what)
    assert left == set()
