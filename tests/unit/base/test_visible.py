"""What is invisible in words of others is written out."""

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.base.visible import visible


def test_what_can_be_seen_stays_as_it_is():
    assert visible("west, Zürich, 世界 and 'quotes' \\ too") == "west, Zürich, 世界 and 'quotes' \\ too"


def test_what_moves_a_cursor_or_turns_the_direction_is_written_out():
    assert visible("a\x1b[31mb\n\u202e\ud800") == "a\\x1b[31mb\\n\\u202e\\ud800"
    assert visible("a\nb\0", keep="\n") == "a\nb\\x00"


def test_a_mistake_is_told_in_visible_signs_with_its_lines():
    told = str(ConfigError("'\x1b[2J' is no name", Place("a.yaml", 1, 1, "\x1b[2J: x")))
    assert told == "a.yaml:1:1: '\\x1b[2J' is no name\n  \\x1b[2J: x\n  ^"
