"""A memory that is bounded in number and in time."""

from ipsecsim.base.instant import SECOND
from ipsecsim.base.recent import Recent


def test_it_forgets_after_its_time():
    recent: Recent[str, int] = Recent(30 * SECOND, most=10)
    recent.remember("a", 1, 0)
    assert recent.get("a", 30 * SECOND - 1) == 1
    assert recent.get("a", 30 * SECOND) is None
    assert len(recent) == 0


def test_of_too_many_the_first_goes():
    recent: Recent[int, int] = Recent(30 * SECOND, most=3)
    for number in range(5):
        recent.remember(number, number, number)
    assert [recent.get(number, 5) for number in range(5)] == [None, None, 2, 3, 4]


def test_what_comes_again_counts_from_then():
    recent: Recent[str, int] = Recent(30 * SECOND, most=2)
    recent.remember("a", 1, 0)
    recent.remember("b", 2, 1)
    recent.remember("a", 3, 2)
    recent.remember("c", 4, 3)
    assert (recent.get("a", 4), recent.get("b", 4), recent.get("c", 4)) == (3, None, 4)
    recent.clear()
    assert recent.get("a", 4) is None
