"""The stepper as one offline page, in a real Chromium: what a student does with it, by mouse and by keys alone."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.views.stepper.data import data
from ipsecsim.views.stepper.page import to_html, to_iframe
from tests.browser import chromium
from tests.browser.stepper import Stepper, first_turn, whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [chromium.needed(), pytest.mark.slow]

LONG_LOAD, LONG_STEP = (
    2000,
    16,
)  # milliseconds that a page of 10,000 turns should take; reported, not asserted


def test_step_back_and_to_both_ends(open_page) -> None:
    stepper = open_page("behind_nat")
    assert stepper.turn == 1
    stepper.page.click("[aria-label=step]")
    assert stepper.turn == 2
    stepper.page.click("[aria-label=back]")
    assert stepper.turn == 1
    first = stepper.say
    stepper.page.click("[aria-label='to the end']")
    assert stepper.turn == whole("behind_nat").turns
    stepper.page.click("[aria-label='to the start']")
    assert (stepper.turn, stepper.say) == (1, first)


def test_play_goes_on_by_itself_and_pauses(open_page) -> None:
    stepper = open_page("behind_nat")
    stepper.page.select_option("[aria-label=speed]", "4")
    stepper.page.click(".play")
    assert stepper.page.inner_text(".play").strip() == "Pause"
    stepper.wait(lambda turn: turn >= 3)
    stepper.page.click(".play")
    stopped = stepper.turn
    stepper.page.wait_for_timeout(600)
    assert stepper.turn == stopped
    assert stepper.page.inner_text(".play").strip() == "Play"


def test_scrub_by_the_range(open_page) -> None:
    stepper = open_page("behind_nat")
    strip = stepper.page.locator(".range")
    box = strip.bounding_box()
    stepper.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    stepper.wait(lambda turn: turn > 15)
    assert 15 < stepper.turn < 31
    assert strip.get_attribute("aria-valuetext").startswith(f"turn {stepper.turn} of ")


def test_the_nat_hop_shows_what_it_rewrote(open_page) -> None:
    stepper = open_page("behind_nat")
    stepper.page.click(".next button:has-text('NAT')")
    assert stepper.turn == first_turn("behind_nat", "nat")
    note = stepper.page.inner_text(".note-rewritten")
    assert "Source Address" in note
    changed = stepper.page.locator(".cell-changed", has_text="Source Address")
    assert "192.168.1.1" in changed.locator("s").inner_text()
    assert "192.0.2.1" in changed.inner_text()


def test_a_decrypted_ike_payload_can_be_read_and_is_closed_to_the_nat(open_page) -> None:
    stepper = open_page("behind_nat")
    sent = data(whole("behind_nat"))
    number = next(
        turn["n"]
        for turn in sent["turns"]
        if turn["in"] is not None
        and turn["node"] == "home"
        and "IKE_AUTH" in sent["strings"][sent["packets"][turn["in"]]["name"]]
    )
    stepper.page.evaluate("number => location.hash = `turn=${number}`", number)
    stepper.page.reload()
    stepper.page.wait_for_selector(".ipsecsim .say")
    identity = stepper.page.locator(".stair", has_text="IDi").first
    identity.click()
    assert "west.example" in stepper.page.inner_text(".grid")
    stepper.page.select_option("[aria-label=see]", "node")
    assert stepper.page.locator(".stair", has_text="IDi").count() == 0
    assert "no key here" in stepper.page.text_content(".stage")
    assert "home has no key" in stepper.page.inner_text(".packet")


def test_the_drop_and_its_reason(open_page) -> None:
    stepper = open_page("ah_meets_nat")
    stepper.page.click(".next button:has-text('Drop')")
    assert stepper.turn == first_turn("ah_meets_nat", "drop")
    assert "bob drops" in stepper.say
    inside = stepper.page.inner_text(".inside")
    assert "Why was it dropped?" in inside
    assert "AH_ICV_FAIL" in inside or "AH_ICV_NAT" in inside
    assert "Source Address" in stepper.page.inner_text(".cell-culprit")
    assert stepper.page.locator(".hook-fail").count() == 1


def test_keys_work_on_when_what_was_pressed_is_gone(open_page) -> None:
    stepper = open_page("ah_meets_nat")
    stepper.page.click(".next button:has-text('NAT')")
    stepper.page.click(".segment[data-side=changes]")
    stepper.press("Home")  # where nothing can be compared
    assert stepper.page.is_disabled(".segment[data-side=changes]")
    stepper.page.wait_for_timeout(100)
    # Had nothing the focus, the next key would be the notebook's.
    assert stepper.page.locator(".ipsecsim:focus").count() == 1
    stepper.press("ArrowRight")
    assert stepper.turn == 2


def test_all_of_it_by_keys(open_page) -> None:
    stepper = open_page("ah_meets_nat")
    stepper.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert stepper.turn == 2
    stepper.press("End")
    assert stepper.turn == whole("ah_meets_nat").turns
    stepper.press("Home", "n")
    assert stepper.turn == first_turn("ah_meets_nat", "nat")
    stepper.press("c")
    assert stepper.page.get_attribute(".segment[data-side=changes]", "aria-pressed") == "true"
    stepper.press("a", "]")
    assert "AH" in stepper.page.inner_text(".stair[aria-selected=true]")
    stepper.press("h")
    assert stepper.page.locator(".hex").count() == 1
    stepper.press("d")
    assert "bob drops" in stepper.say
    before = stepper.turn
    stepper.press("Shift+D")
    assert stepper.turn == before  # it was the first one
    stepper.press("Shift+ArrowRight")
    assert stepper.turn > before
    stepper.press("l")
    assert stepper.page.input_value("[aria-label=see]") == "node"
    stepper.press("?")
    assert stepper.page.is_visible(".helplist")
    stepper.press("Escape")
    assert not stepper.page.is_visible(".helplist")
    stepper.press("Space")
    assert stepper.page.inner_text(".play").strip() == "Pause"
    stepper.press("Space")
    assert stepper.page.inner_text(".play").strip() == "Play"


def test_the_focus_stays_where_it_was(open_page) -> None:
    stepper = open_page("behind_nat")
    stepper.page.focus("[aria-label=step]")
    stepper.press("Enter", "Enter")
    assert stepper.turn == 3
    assert stepper.page.evaluate("document.activeElement.getAttribute('aria-label')") == "step"
    stepper.page.focus(".range")
    stepper.press("ArrowRight")
    assert stepper.turn == 4
    assert stepper.page.evaluate("document.activeElement.className") == "range"
    stepper.page.focus(".stair[tabindex='0']")
    stepper.press("ArrowDown")
    assert stepper.page.evaluate("document.activeElement.className") == "stair"


def test_tab_goes_through_the_page_in_its_order(open_page) -> None:
    stepper = open_page("behind_nat")
    order = []
    for _ in range(60):
        stepper.press("Tab")
        where = stepper.page.evaluate(
            """() => {
              const parts = '.bar, .strip, .stagebox, .packet, .ends, .inside, .ladderpanel';
              const at = document.activeElement.closest(parts);
              return at ? at.className.split(' ').pop() : '';
            }"""
        )
        if where and (not order or order[-1] != where):
            order.append(where)
    assert order[:3] == ["bar", "strip", "packet"]
    assert "ladderpanel" in order


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1000, 600])
@pytest.mark.parametrize("host", ["page", "notebook"])
def test_axe_finds_nothing(open_page, page: "Page", width: int, theme: str, host: str) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    drop = first_turn("ah_meets_nat", "drop")
    open_page("ah_meets_nat", f"#theme={theme}&turn={drop}&host={host}")
    assert chromium.violations(page) == []


@pytest.mark.parametrize("width", [320, 390, 700, 760, 1000, 1200, 1280, 1400, 1920])
def test_nothing_sticks_out_to_the_side(open_page, page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    stepper = open_page("behind_nat")
    for key in ("i", "e", "n", "End"):
        stepper.press(key)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_stage_and_sentence_keep_their_place_over_the_run(open_page) -> None:
    stepper = open_page("behind_nat")
    tops = set()
    for _ in range(whole("behind_nat").turns - 1):
        tops.add(stepper.page.evaluate("document.querySelector('.lower').getBoundingClientRect().top"))
        stepper.press("ArrowRight")
    assert len(tops) == 1


def test_several_packets_of_one_turn_can_be_looked_at(open_page) -> None:
    name = "illustrated_ikev2"
    several = [turn["n"] for turn in data(whole("hub_and_spoke"))["turns"] if len(turn["out"]) > 1]
    if not several:
        pytest.fail(
            f"no turn of hub_and_spoke sends more than one packet; choose another topology than {name}"
        )
    stepper = open_page("hub_and_spoke", f"#turn={several[0]}")
    buttons = stepper.page.locator(".choice button")
    assert buttons.count() >= 2
    buttons.nth(1).click()
    assert buttons.nth(1).get_attribute("aria-pressed") == "true"


def test_what_is_to_come_has_no_contents(open_page) -> None:
    stepper = open_page("ah_meets_nat")
    futures = stepper.page.locator(".rung.future")
    assert futures.count() > 0
    assert stepper.page.locator(".rung.future .chip").count() == 0
    assert "✕" not in stepper.page.text_content(".ladder")


def test_the_iframe_stands_in_a_page_of_others(page: "Page", tmp_path: Path) -> None:
    file = tmp_path / "others.html"
    frame = to_iframe(data(whole("ah_meets_nat")))
    file.write_text(f"<!doctype html><title>others</title><h1>others</h1>{frame}", encoding="utf-8")
    watch = chromium.Watch(page)
    page.goto(file.as_uri())
    inside = page.frame_locator("iframe")
    inside.locator("[aria-label=step]").click()
    assert inside.locator(".where b").inner_text() == "2"
    watch.assert_quiet()


def test_a_page_of_ten_thousand_turns(
    page: "Page", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(read("site_to_site", do=["1s ping alice bob count=1430 interval=10ms"])).run()
    assert run.turns >= 10_000
    file = tmp_path / "long.html"
    file.write_text(to_html(data(run)), encoding="utf-8")
    started = time.monotonic()
    stepper = Stepper(page, file)
    load = 1000 * (time.monotonic() - started)
    took = page.evaluate(
        """() => {
          const root = document.querySelector('.ipsecsim');
          const times = [];
          for (let number = 0; number < 120; number++) {
            const began = performance.now();
            root.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
            times.push(performance.now() - began);
          }
          return times.sort((a, b) => a - b);
        }"""
    )
    assert stepper.turn == 121
    stepper.press("End")
    assert stepper.turn == run.turns
    step = took[len(took) // 2]
    size = file.stat().st_size
    report = {"turns": run.turns, "bytes": size, "load_ms": round(load), "step_ms": round(step, 1)}
    with capsys.disabled():
        print(
            f"\nstepper, {run.turns} turns: {size / 1e6:.1f} MB, load {load:.0f} ms (goal {LONG_LOAD}), "
            f"step {step:.1f} ms (goal {LONG_STEP})"
        )
    (tmp_path / "stepper.json").write_text(json.dumps(report), encoding="utf-8")
    stepper.watch.assert_quiet()
