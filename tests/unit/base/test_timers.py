"""Deadlines by name, and the earliest of them."""

from hypothesis import given
from hypothesis import strategies as st

from ipsecsim.base.timers import Timers

NAMES = st.sampled_from("abc")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), NAMES, st.integers(0, 9)),
        st.tuples(st.just("cancel"), NAMES, st.just(0)),
        st.tuples(st.just("pop"), st.just(""), st.integers(0, 9)),
    )
)


@given(STEPS)
def test_the_earliest_deadline_is_the_least_of_those_armed(steps):
    timers: Timers[str] = Timers()
    armed: dict[str, int] = {}
    for step, name, at in steps:
        if step == "set":
            timers.set(name, at)
            armed[name] = at
        elif step == "cancel":
            timers.cancel(name)
            armed.pop(name, None)
        else:
            due = sorted((each for each in armed if armed[each] <= at), key=lambda each: armed[each])
            assert timers.pop_expired(at) == due
            for each in due:
                del armed[each]
        assert timers.next_deadline() == min(armed.values(), default=None)
