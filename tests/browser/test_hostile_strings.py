"""Hostile words as names of everything, in a real browser: nothing runs, and nobody else is asked for anything."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipsecsim.base.visible import visible
from ipsecsim.views.stepper.data import data
from ipsecsim.views.stepper.page import to_html
from tests.browser import chromium
from tests.browser.test_offline_page import Stepper
from tests.hostile.test_strings import WORLDS
from tests.support.hostile_names import run_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [chromium.needed(), pytest.mark.slow]


@pytest.mark.parametrize("at", WORLDS)
def test_names_run_nothing_and_the_stepper_works(at: int, page: "Page", tmp_path: Path) -> None:
    run = run_of(at)
    file = tmp_path / "run.html"
    file.write_text(to_html(data(run)), encoding="utf-8")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    stepper = Stepper(page, file)
    stepper.press(*["ArrowRight"] * 8, "1", "2", "3", "4", "l", "h", "End")
    assert stepper.turn == run.turns
    made_of_names = "script, img, iframe, base, meta, object, embed, link, style"
    assert page.locator(":is(.ipsecsim, main) :is(" + made_of_names + ")").count() == 0
    title = visible(run.topology.name.replace("_", " "))
    assert page.title() == " ".join(title.split())
    stepper.watch.assert_quiet()
    assert asked == []
