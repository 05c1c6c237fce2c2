"""Narrowing against brute force over small ranges (RFC 7296 2.9)."""

from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.address import Prefix
from ipsecsim.ike.narrowing import describe, intersect, is_within, narrow, to_selectors, traffic_selector
from ipsecsim.wire.ike.numbers import TsType
from ipsecsim.wire.ike.traffic_selector import TrafficSelector


@st.composite
def small_selector(draw):
    start, end = sorted(draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    low, high = sorted(draw(st.tuples(st.integers(0, 3), st.integers(0, 3))))
    protocol = draw(st.sampled_from([0, 6, 17]))
    return TrafficSelector(
        TsType.IPV4_ADDR_RANGE, protocol, low, high, bytes((10, 0, 0, start)), bytes((10, 0, 0, end))
    )


def points(selectors) -> set[tuple[int, int, int]]:
    """Every (address, port, protocol) that a list of selectors speaks of."""
    return {
        (address, port, protocol)
        for each in selectors
        for address in range(each.start[3], each.end[3] + 1)
        for port in range(each.start_port, each.end_port + 1)
        for protocol in ([each.protocol] if each.protocol else [6, 17])
    }


@given(st.lists(small_selector(), max_size=3), st.lists(small_selector(), max_size=3))
def test_narrowing_is_the_intersection_of_sets(offered, allowed):
    met = narrow(offered, allowed)
    assert points(met) == points(offered) & points(allowed)
    assert is_within(met, offered)


def test_other_address_families_never_meet():
    four, six = traffic_selector(Prefix.parse("0.0.0.0/0")), traffic_selector(Prefix.parse("::/0"))
    assert intersect(four, six) is None
    assert to_selectors([four], [six]) == ()


def test_each_local_is_paired_with_each_remote():
    local = [traffic_selector(Prefix.parse(text)) for text in ("10.1.0.0/24", "10.1.1.0/24")]
    remote = [traffic_selector(Prefix.parse("10.2.0.0/24"), 17, (53, 53))]
    assert [str(each) for each in to_selectors(local, remote)] == [
        "10.1.0.0/24 === 10.2.0.0/24, UDP, remote port 53",
        "10.1.1.0/24 === 10.2.0.0/24, UDP, remote port 53",
    ]
    assert describe(local) == "10.1.0.0/24, 10.1.1.0/24"
