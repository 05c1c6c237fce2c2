import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import CALENDAR_START, SECOND
from ipsecsim.base.wall_clock import WallClock
from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.scenario.clock import read_clock
from ipsecsim.scenario.problems import Mistake
from tests.unit.scenario.examples import SITES

NOON = CALENDAR_START + 43_200


def test_a_clock_is_read_as_a_date_or_as_a_jump():
    assert read_clock("2026-01-01").at(5) == CALENDAR_START
    assert read_clock("2026-01-01 12:00").at(5) == read_clock("2026-01-01T12:00:00Z").at(5) == NOON
    assert (read_clock("+1h").at(NOON), read_clock("-10d").at(NOON)) == (NOON + 3600, NOON - 864_000)


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-13-01", "12:00", "+1", "1h", "2026-1", "2026-01-01 25:00"]
)
def test_what_is_no_clock_is_refused(text):
    with pytest.raises(Mistake):
        read_clock(text)


def test_a_wall_clock_goes_on_from_where_it_was_set():
    clock = WallClock()
    assert clock.date(3 * SECOND) == CALENDAR_START + 3
    clock.set(NOON, 10 * SECOND)
    assert (clock.date(10 * SECOND), clock.date(15 * SECOND)) == (NOON, NOON + 5)
    assert clock.instant(NOON + 5) == 15 * SECOND


def test_a_nodes_clock_is_part_of_the_whole_file():
    topology = read(SITES, settings=[("nodes.east.clock", "+1h")])
    assert topology.nodes["east"].clock == CALENDAR_START + 3600
    assert "clock: 2026-01-01T01:00:00" in expanded_yaml(topology).replace('"', "")
    assert read(expanded_yaml(topology)).nodes == topology.nodes


def test_a_wrong_clock_is_shown_where_it_stands():
    with pytest.raises(ConfigError, match="is no date; write for example 2026-07-01"):
        read(SITES + "set: {nodes.east.clock: noon}\n")
