"""Turns in real time: order, one instant a turn, timers, and what happens when a turn fails."""

import asyncio
from dataclasses import dataclass

import pytest

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, Instant, ms
from ipsecsim.emulation.driver import Driver
from ipsecsim.net.events import TurnBegan
from ipsecsim.observe.recorder import Recorder


@dataclass(slots=True)
class Say(Action):
    word: str


class Clock:
    """An engine that wants to be called at given instants."""

    def __init__(self, *deadlines: Instant) -> None:
        self.deadlines = list(deadlines)

    def next_deadline(self) -> Instant | None:
        return min(self.deadlines, default=None)

    def handle_timeout(self, now: Instant) -> list[Action]:
        """One at a time: each has a turn of its own, even when the machine was busy and all are due."""
        due = self.next_deadline()
        if due is None or due > now:
            return []
        self.deadlines.remove(due)
        return [Say(str(due))]


def test_what_follows_from_an_action_comes_before_the_next_one():
    driver, said = Driver("node"), []

    def say(action: Say) -> list[Action]:
        said.append(action.word)
        return [Say("aa")] if action.word == "a" else []

    driver.performers[Say] = say
    asyncio.run(_turn(driver, [Say("a"), Say("b")]))
    assert said == ["a", "aa", "b"]


async def _turn(driver: Driver, actions: list[Action]) -> None:
    driver.turn("script", lambda: actions)


def test_all_of_a_turn_happens_at_one_instant():
    recorder = Recorder()
    driver = Driver("node", recorder.tell)
    instants = []
    driver.performers[Say] = lambda _: instants.append(driver.now)
    asyncio.run(_turn(driver, [Say("a"), Say("b")]))
    (row,) = recorder.rows
    turn = row.turn
    assert row.event == TurnBegan("script")
    assert instants == [turn.at, turn.at]
    assert (turn.number, turn.node, turn.cause) == (1, "node", 0)
    assert driver.now > turn.at


def test_timers_ring_in_order_each_in_a_turn():
    driver, said = Driver("node"), []
    driver.performers[Say] = lambda action: said.append(action.word)
    clock = Clock(driver.now + ms(30), driver.now + ms(10))
    early, late = sorted(clock.deadlines)

    async def main() -> None:
        driver.engines.append(clock)
        driver.turn("start", list)
        assert await driver.until(lambda: len(said) == 2, within=5 * SECOND)

    asyncio.run(main())
    assert said == [str(early), str(late)]
    assert driver.turns == 3


def test_waiting_in_vain_is_told_and_is_no_failure():
    driver = Driver("node")

    async def main() -> None:
        assert not await driver.until(lambda: False, within=ms(10))
        assert await driver.until(lambda: True, within=0)

    asyncio.run(main())


def test_who_waits_learns_that_a_turn_failed():
    driver = Driver("node")

    def fail() -> list[Action]:
        raise ValueError("broken")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.call_soon(driver.turn, "frame", fail)
        with pytest.raises(ValueError, match="broken"):
            await driver.until(lambda: False, within=5 * SECOND)
        with pytest.raises(ValueError, match="broken"):
            driver.turn("script", list)

    asyncio.run(main())


def test_a_stopped_driver_rings_no_more():
    driver, said = Driver("node"), []
    driver.performers[Say] = lambda action: said.append(action.word)

    async def main() -> None:
        driver.engines.append(Clock(driver.now + ms(10)))
        driver.turn("start", list)
        driver.stop()
        await asyncio.sleep(0.03)

    asyncio.run(main())
    assert said == []
