import pytest

from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.scenario import units
from ipsecsim.scenario.problems import Mistake


@pytest.mark.parametrize(
    ("text", "length"),
    [
        *[("10ms", 10 * MILLISECOND), ("1.5s", 1500 * MILLISECOND), ("2m", 120 * SECOND), ("0", 0)],
        *[("4h", 14400 * SECOND), ("1d", 86400 * SECOND), ("7ns", 7), ("3us", 3000), ("8 s", 8 * SECOND)],
    ],
)
def test_durations_are_exact_nanoseconds(text, length):
    assert units.duration(text) == length


@pytest.mark.parametrize(
    "length", [0, 1, 1000, 10 * MILLISECOND, SECOND, 66 * 60 * SECOND, 86400 * SECOND, 1500]
)
def test_a_duration_shown_reads_back(length):
    assert units.duration(units.show_duration(length)) == length


def test_a_bare_number_is_seconds_only_for_swanctl():
    assert units.duration("30", bare_is_seconds=True) == 30 * SECOND
    with pytest.raises(Mistake, match="did you mean 30ms or 30s"):
        units.duration("30")


@pytest.mark.parametrize(
    ("text", "bits"), [("64kbit", 64_000), ("1.5mbit", 1_500_000), ("1gbit", 10**9), ("9bit", 9)]
)
def test_rates_are_bits_a_second(text, bits):
    assert units.rate(text) == bits
    assert units.rate(units.show_rate(bits)) == bits


@pytest.mark.parametrize(
    ("text", "count"), [("1400", 1400), ("64kB", 64_000), ("1MiB", 1 << 20), ("2 KiB", 2048)]
)
def test_sizes_are_bytes(text, count):
    assert units.size(text) == count


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (units.duration, "5sec", "unknown unit 'sec' in duration '5sec'; known: d, h, m, min, ms, ns, s, us"),
        (units.duration, "0.5ns", "'0.5ns' is finer than one nanosecond"),
        (units.duration, "soon", "'soon' is no duration; write for example 10ms, 5s, 2m or 4h"),
        (units.duration, "99999999999d", "'99999999999d' is too much"),
        (units.rate, "50mbps", "'mbps' means bytes to some tools and bits to others; write 50mbit"),
        (units.rate, "50Mbit", "unknown unit 'Mbit' in rate '50Mbit'; write 50mbit"),
        (units.rate, "50", "rate '50' lacks its unit"),
        (units.rate, "0kbit", "rate '0kbit' lets nothing through; to cut a link write  state: down"),
        (units.size, "14OO", "'14OO' is no size; write for example 1400 or 64kB"),
        (units.size, "64KB", "unknown unit 'KB' in size '64KB'; write 64kB"),
        (
            units.percentage,
            "0.01",
            "percentage '0.01' lacks its unit; write for example 1% (did you mean 1%?)",
        ),
        (units.percentage, "101%", "'101%' is more than everything"),
        (units.whole, "1e2", "'1e2' is no whole number; write 100"),
        (units.whole, "1_000", "'1_000' is no whole number; write 1000"),
        (units.whole, "010", "leading zeros are read as octal by some tools; write 10"),
        (units.whole, "9" * 5000, "9999"),
        (units.yes_no, "YES", "small letters: write yes"),
        (units.yes_no, "maybe", "'maybe' is neither yes nor no"),
    ],
)
def test_a_wrong_value_says_what_to_write(read, text, message):
    with pytest.raises(Mistake) as caught:
        read(text)
    assert caught.value.message.startswith(message)
