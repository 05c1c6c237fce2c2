"""The stepper's page in a browser, as its user sees it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.views.stepper.data import data
from ipsecsim.views.stepper.page import to_html
from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page


@cache
def whole(name: str) -> Run:
    return Run(read(name)).run()


@cache
def page_of(name: str) -> str:
    return to_html(data(whole(name)))


def first_turn(name: str, kind: str) -> int:
    return next(turn["n"] for turn in data(whole(name))["turns"] if kind in turn["kinds"])


class Stepper:
    """The page as its user sees it."""

    def __init__(self, page: "Page", file: Path, hash_: str = "") -> None:
        self.page = page
        self.watch = chromium.Watch(page)
        page.goto(f"{file.as_uri()}{hash_}")
        page.wait_for_selector(".ipsecsim .say")

    @property
    def turn(self) -> int:
        return int(self.page.inner_text(".where b"))

    @property
    def say(self) -> str:
        return self.page.inner_text(".say")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def wait(self, reached: Callable[[int], bool]) -> None:
        """Until the turn is one that is waited for. The page lets nobody evaluate anything, so it is asked."""
        for _ in range(100):
            if reached(self.turn):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"still at turn {self.turn}")
