from ipsecsim.base.instant import SECOND, format_duration, format_seconds, ms, seconds, us
from ipsecsim.base.timers import Timers


def test_seconds_are_written_exactly():
    assert format_seconds(1) == "0.000000 s"
    assert format_seconds(1, 9) == "0.000000001 s"
    assert format_seconds(12 * SECOND + 345_678_901) == "12.345678 s"
    assert format_seconds(-1_500_000_000, 1) == "-1.5 s"


def test_durations_are_written_in_the_unit_a_person_would_pick():
    assert [format_duration(d) for d in (seconds(4), ms(1.25), us(3), 7)] == [
        "4 s",
        "1.25 ms",
        "3 us",
        "7 ns",
    ]


def test_timers_ring_by_deadline_then_in_the_order_they_were_armed():
    timers: Timers[str] = Timers()
    for name, at in (("c", 5), ("a", 9), ("b", 5), ("later", 11)):
        timers.set(name, at)
    assert timers.next_deadline() == 5
    assert timers.pop_expired(9) == ["c", "b", "a"]
    assert timers.pop_expired(9) == []
    timers.cancel("never armed")
    timers.set("later", 20)
    assert timers.deadline("later") == 20
