"""The window against a model that remembers everything (RFC 4303 3.4.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec import replay
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


@pytest.mark.conf("ESP-21")
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


WINDOWS = [32, 64, 1024, 4096]


@pytest.mark.conf("ESP-18", "AH-08")
@pytest.mark.parametrize("size", WINDOWS)
@pytest.mark.parametrize("extended", [False, True])
def test_the_window_is_as_wide_as_it_says_and_no_wider(size, extended):
    """Every order in which one packet falls behind others: up to `size` - 1 places it is taken, once."""
    for late in (1, 2, size // 2, size - 2, size - 1, size, size + 1, 2 * size):
        window, top = ReplayWindow(size, extended=extended), 10_000
        for number in range(top - 10, top + 1):
            if number != top - late:
                window.accept(number)
        expected = None if late < size else DropReason.REPLAY_OLD
        if late < size:
            assert window.check(top - late) is expected
            window.accept(top - late)
            assert window.check(top - late) is DropReason.REPLAY_SEEN
        else:
            assert window.check(top - late) is expected
        assert window.top == top


@pytest.mark.conf("ESP-18", "AH-08")
@pytest.mark.parametrize("size", WINDOWS)
def test_blocks_that_overtake_each_other_within_the_window_all_arrive_once(size):
    window, block = ReplayWindow(size), size // 2
    numbers = list(range(1, 4 * size + 1))
    blocks = [numbers[at : at + block] for at in range(0, len(numbers), block)]
    for first, second in zip(blocks[::2], blocks[1::2], strict=True):
        for number in reversed(first + second):
            assert window.check(number) is None
            window.accept(number)
            assert window.check(number) is DropReason.REPLAY_SEEN
    assert window.top == 4 * size


def test_a_window_of_no_size_lets_everything_pass_and_still_knows_the_top():
    window = ReplayWindow(0)
    for number in (5, 5, 0, 1, 2**32 - 1, 0):
        assert window.check(number) is None
        window.accept(number)
    assert window.top == 2**32 - 1


@pytest.mark.conf("ESN-02")
@pytest.mark.parametrize("size", [1, 2, 32, 100, 128, 255])
def test_the_high_half_is_the_one_that_brute_force_finds(monkeypatch, size):
    """With halves of 8 bits, so that all positions of the window and all received halves can be tried."""
    monkeypatch.setattr(replay, "_SUBSPACE", 256)
    monkeypatch.setattr(replay, "_LAST_HIGH", 255)
    for top in [*range(3 * 256 + 1), *range(254 * 256, 256 * 256)]:
        window = ReplayWindow(size, top, extended=True)
        candidates = {number % 256: number for number in range(top - size + 1, top - size + 257)}
        assert len(candidates) == 256
        for low, number in candidates.items():
            # behind the last of all numbers there is nothing to expect: it is an old one
            assert window.whole(low) == (number if number < 256 * 256 else number - 256)


@pytest.mark.parametrize("top", [0, 1, 5, 30])
@pytest.mark.parametrize("low", [2**32 - 1, 2**32 - 26])
def test_a_number_left_of_the_very_first_one_is_refused_and_not_tried(top, low):
    window = ReplayWindow(32, top, extended=True)
    whole = window.whole(low)
    assert window.check(whole) is (DropReason.REPLAY_OLD if whole < 0 else None)
    assert window.whole(top + 1) == top + 1


def test_behind_the_last_number_of_all_there_is_no_subspace():
    last = 2**64 - 1
    window = ReplayWindow(64, last, extended=True)
    assert window.whole(2**32 - 64) == last - 63
    assert window.check(window.whole(5)) is DropReason.REPLAY_OLD
    assert window.check(window.whole(2**32 - 1)) is None  # only installed there, nothing was received yet


@pytest.mark.conf("ESN-03")
@pytest.mark.parametrize("size", [64, 128, 1024])
@given(data=st.data())
def test_packets_that_cross_2_to_the_32_in_any_order_within_the_window_are_all_fresh(size, data):
    start = data.draw(st.integers(2**32 - 3 * size, 2**32))
    window = ReplayWindow(size, start, extended=True)
    ahead = data.draw(st.lists(st.integers(1, 4 * size), min_size=1, max_size=60, unique=True))
    for distance in ahead:
        number = start + distance
        assert window.whole(number % 2**32) == number or number <= window.top - size
        if number > window.top - size:
            assert window.check(number) is None
            window.accept(number)
            assert window.check(window.whole(number % 2**32)) is DropReason.REPLAY_SEEN
