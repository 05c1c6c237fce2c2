"""One browser for the tests of this folder; a page each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from tests.browser.stepper import Stepper, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")  # no longer: while it runs, no other test can have an event loop
def running() -> "Iterator[Browser]":
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def page(running: "Browser") -> "Iterator[Page]":
    context = running.new_context(viewport={"width": 1400, "height": 1000}, bypass_csp=False)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(page: "Page", tmp_path: Path) -> Iterator[Callable[..., Stepper]]:
    """Opens a run of the library as a page, which must have been quiet when the test is over."""
    opened = []

    def open_(name: str, hash_: str = "") -> Stepper:
        file = tmp_path / f"{name}.html"
        file.write_text(page_of(name), encoding="utf-8")
        opened.append(Stepper(page, file, hash_))
        return opened[-1]

    yield open_
    for each in opened:
        each.watch.assert_quiet()
