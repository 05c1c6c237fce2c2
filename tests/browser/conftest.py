"""One browser for all tests of a worker; a page each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def running() -> "Iterator[Browser]":
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def page(running: "Browser") -> "Iterator[Page]":
    context = running.new_context(viewport={"width": 1400, "height": 1000}, bypass_csp=False)
    yield context.new_page()
    context.close()
