"""The window against a model that remembers everything (RFC 4303 3.4.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.replay import ReplayWindow


@given(
    size=st.sampled_from([32, 64, 128, 1024]),
    numbers=st.lists(st.one_of(st.integers(1, 200), st.integers(1, 2**32 - 1)), max_size=60),
)
def test_the_window_agrees_with_a_plain_set(size, numbers):
    window, accepted = ReplayWindow(size), set()
    for number in numbers:
        top = max(accepted, default=0)
        if number > top:
            expected = None
        elif number <= top - size:
            expected = DropReason.REPLAY_OLD
        else:
            expected = DropReason.REPLAY_SEEN if number in accepted else None
        assert window.check(number) is expected
        if expected is None:
            window.accept(number)
            accepted.add(number)
    assert window.top == max(accepted, default=0)
    assert window.seen.bit_length() <= size


def test_zero_is_never_accepted():
    assert ReplayWindow(32).check(0) is DropReason.SEQ_ZERO
    window = ReplayWindow(32)
    window.accept(1)
    assert window.check(0) is DropReason.SEQ_ZERO


def test_checking_moves_nothing():
    window = ReplayWindow(32)
    window.check(1_000_000)
    assert (window.top, window.seen) == (0, 0)


@pytest.mark.parametrize("jump", [31, 32, 33, 2**31])
def test_a_jump_past_the_window_forgets_the_old_numbers(jump):
    window = ReplayWindow(32)
    window.accept(1)
    window.accept(1 + jump)
    assert window.check(1) is (DropReason.REPLAY_SEEN if jump < 32 else DropReason.REPLAY_OLD)


def test_the_picture_shows_the_newest_right():
    window = ReplayWindow(32)
    for number in (1, 2, 4):
        window.accept(number)
    assert window.picture(6) == "..11.1"
