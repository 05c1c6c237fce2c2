"""Lessons: what comes with the package, and copying it to where one can work."""

import pytest

from ipsecsim import Lesson
from ipsecsim.base.errors import ConfigError
from ipsecsim.lab.lessons import files


def test_lessons_are_listed_with_their_titles():
    assert files.title(files.notebooks()[0]) == "7. AH meets NAT"


def test_copying_leaves_what_is_there_as_it_is(tmp_path):
    written = files.copy(tmp_path / "mine")
    assert [path.name for path in written] == [path.name for path in files.notebooks()]
    written[0].write_text("my own work", encoding="utf-8")
    assert files.copy(tmp_path / "mine") == []
    assert written[0].read_text(encoding="utf-8") == "my own work"


def test_a_lesson_that_is_not_there_is_answered():
    with pytest.raises(ConfigError, match="no lesson 99"):
        Lesson(99)
    with pytest.raises(ConfigError, match="claims nothing called"):
        Lesson(7).claim("the answer")
