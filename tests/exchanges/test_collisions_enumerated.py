"""Every pair of operations, in every order, each single message lost, doubled or late: both ends agree at rest.

The order is a start (the second operation begins before any message of the first has arrived, or after one, or
two), and whose messages go first where both ends have one on its way.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.support.crossing import Crossing, Flight, assert_at_rest

pytestmark = pytest.mark.slow

OPERATIONS = ("rekey", "delete", "create", "rekey-ike", "delete-ike", "live")
FAULTS = ("lost", "doubled", "late")
DELETES = {"delete", "delete-ike"}


class Unreliable(Crossing):
    """One message, counted in the order of sending, does not fare well. `ahead`: whose messages go first."""

    which = launched = 0
    ahead = fault = late = ""

    def __init__(self, ahead: str, which: int, fault: str) -> None:
        super().__init__(watched=False)
        self.ahead, self.which, self.fault, self.launched = ahead, which, fault, 0

    def launch(self, name: str, flight: Flight) -> None:
        self.launched += 1
        fault = self.fault if self.launched == self.which else ""
        if fault == "lost":
            return
        super().launch(name, flight)
        if fault == "doubled":
            super().launch(f"{name}'", Flight(flight.datagram, None))
        if fault == "late":
            flight.is_held, self.late = True, name

    def arrive(self, name: str, *, again: bool = False) -> None:
        """What is late comes after the next message of the same side."""
        super().arrive(name, again=again)
        if self.late and name[0] == self.late[0]:
            self.late_arrives()

    def late_arrives(self) -> None:
        name, self.late = self.late, ""
        if name:
            super().arrive(name)

    def next_name(self) -> str | None:
        names = [name for name, flight in self.flight.items() if not flight.is_held]
        return next((name for name in names if name[0] == self.ahead), names[0] if names else None)

    def run(self, one: str, other: str, who: str, start: int) -> None:
        """West does one thing, and somebody another one after `start` messages have arrived."""
        self.say(f"west.{one}")
        for _ in range(start):
            if name := self.next_name():
                self.arrive(name)
        self.say(f"{who}.{other}")
        self.rest()
        self.late_arrives()
        self.rest()


def faults(pair: tuple[str, str], who: str, start: int, ahead: str) -> Iterator[tuple[int, str]]:
    """None at all, then every fault of every message that is sent when there is none."""
    yield 0, ""
    plain = Unreliable(ahead, 0, "")
    plain.run(*pair, who, start)
    yield from product(range(1, plain.launched + 1), FAULTS)


def check(pair: tuple[str, str], who: str, start: int, ahead: str) -> int:
    """Play all cases of one order; how many there were."""
    count = 0
    for which, fault in faults(pair, who, start, ahead):
        count += 1
        crossing = Unreliable(ahead, which, fault)
        try:
            crossing.run(*pair, who, start)
            assert_at_rest(crossing)
            assert_done(crossing, set(pair))
        except AssertionError as wrong:
            where = f"message {which} {fault}" if which else "no fault"
            raise AssertionError(
                f"west {pair[0]}, {who} {pair[1]} after {start}, {where}: {wrong}"
            ) from wrong
    return count


def assert_done(crossing: Crossing, asked: set[str]) -> None:
    """What was asked for was done, and nobody's packets were lost that did not have to be."""
    if not asked & DELETES:
        assert crossing.losses == []
    if asked == DELETES or {"create", "delete-ike"} <= asked:
        return  # whichever comes first leaves nothing for the other, or calls for a new IKE SA
    stands = "delete-ike" not in asked
    assert len(crossing.west.endpoint.sas) == stands
    assert crossing.children("net") == (stands and "delete" not in asked)
    assert (crossing.children("second") > 0) == ("create" in asked)


@pytest.mark.conf("IK2-12")
@pytest.mark.parametrize("other", OPERATIONS)
@pytest.mark.parametrize("one", OPERATIONS)
@pytest.mark.fault("FLT-17")
def test_two_operations_that_cross_end_in_agreement_whatever_one_message_suffers(one, other):
    assert check((one, other), "east", 0, "") > 6
    assert check((one, other), "west", 0, "") > 6


@pytest.mark.slow
@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("other", OPERATIONS)
@pytest.mark.parametrize("one", OPERATIONS)
@pytest.mark.fault("FLT-17")
def test_an_operation_that_begins_during_another_one_ends_in_agreement(one, other, start):
    for who, ahead in product(("east", "west"), ("", "w", "e")):
        check((one, other), who, start, ahead)


@pytest.mark.slow
@pytest.mark.parametrize("ahead", ["w", "e"])
@pytest.mark.parametrize("other", OPERATIONS)
@pytest.mark.parametrize("one", OPERATIONS)
@pytest.mark.fault("FLT-17")
def test_whose_messages_are_faster_does_not_matter(one, other, ahead):
    check((one, other), "east", 0, ahead)
