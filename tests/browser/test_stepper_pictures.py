"""What the stepper draws, of networks that are not a chain, of what is sealed, and of names that mean no good."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.views.stepper.data import Feed, data, to_json
from ipsecsim.views.stepper.page import module, stylesheet, to_html
from tests.browser import chromium
from tests.browser.stepper import Stepper, first_turn, whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [chromium.needed(), pytest.mark.slow]

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028<b>bold</b>"


def test_a_lan_is_a_bar_that_its_nodes_hang_on(open_page) -> None:
    stepper = open_page("two_clients_one_nat")
    assert stepper.page.locator(".lan").count() == 1
    assert "room" in stepper.page.text_content(".stage")


def test_who_listens_is_drawn_beside_the_link(open_page) -> None:
    stepper = open_page("replay_attack")
    assert stepper.page.locator(".tap").count() == 1


def test_no_two_nodes_are_drawn_over_each_other(open_page) -> None:
    for name in ("hub_and_spoke", "full_mesh", "roaming_mobike"):
        stepper = open_page(name)
        boxes = [box.bounding_box() for box in stepper.page.locator(".node > rect").all()]
        for at, one in enumerate(boxes):
            for other in boxes[at + 1 :]:
                is_beside = abs(one["x"] - other["x"]) >= min(one["width"], other["width"])
                assert is_beside or abs(one["y"] - other["y"]) >= min(one["height"], other["height"])


def test_payloads_of_a_message_stand_beside_each_other_not_in_each_other(open_page) -> None:
    stepper = open_page("site_to_site")
    stepper.press("i")
    across = {
        rect.get_attribute("x") for rect in stepper.page.locator(".envelope").last.locator(".layer").all()[3:]
    }
    assert len(across) == 1


def test_a_node_without_the_keys_sees_a_sealed_box_everywhere(open_page) -> None:
    stepper = open_page("behind_nat", f"#turn={first_turn('behind_nat', 'nat')}")
    while stepper.page.locator(".envelope .layer-both").count() == 0:
        stepper.press("n")
    stepper.press("l")
    assert stepper.page.locator(".envelope .closed").count() >= 1
    assert stepper.page.locator(".envelope .layer-both").count() == 0
    assert "no key here" in stepper.page.text_content(".rung.current")
    assert stepper.page.locator(".pair details").count() == 0  # no keys are shown either
    stepper.press("l")
    assert stepper.page.locator(".envelope .closed").count() == 0


def test_the_replay_window_is_said_in_words_with_what_it_was(open_page) -> None:
    stepper = open_page("behind_nat")
    stepper.press("End")
    before = stepper.turn + 1
    while "was seen 1 " not in stepper.page.inner_text(".ends") and stepper.turn < before:
        before = stepper.turn
        stepper.press("ArrowLeft")
    assert "seen 1, 2 · top 2 was seen 1 · top 1" in " ".join(stepper.page.inner_text(".ends").split())


def test_what_came_again_has_a_ring_in_the_window_and_a_word_beside_it(open_page) -> None:
    stepper = open_page("replay_attack")
    assert stepper.page.locator(".slot.again").count() == 0
    for _ in range(60):
        stepper.press("d")
        if stepper.page.locator(".slot.again").count():
            break
    assert stepper.page.locator(".slot.again").count() == 1
    assert "✕ 1 came again" in stepper.page.inner_text(".window:has(.again)")
    assert "1 came again" in (stepper.page.get_attribute(".window svg:has(.again)", "aria-label") or "")
    stepper.press("Home")
    assert stepper.page.locator(".slot.again").count() == 0


def test_at_twice_the_size_nothing_sticks_out(open_page, page: "Page") -> None:
    page.set_viewport_size({"width": 640, "height": 500})  # what a window of 1280 has at 200 %
    stepper = open_page("ah_meets_nat", f"#turn={first_turn('ah_meets_nat', 'drop')}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    for key in "1234":
        stepper.press(key)
        assert page.locator("[role=tabpanel]:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_names_are_text_whatever_stands_in_them(page: "Page", tmp_path: Path) -> None:
    sent = data(whole("ah_meets_nat"))
    hostile = {**sent, "title": HOSTILE, "strings": [f"{HOSTILE} {text}" for text in sent["strings"]]}
    file = tmp_path / "hostile.html"
    file.write_text(to_html(hostile), encoding="utf-8")
    stepper = Stepper(page, file)
    for key in ("End", "d", "h", "l", "?"):
        stepper.press(key)
    assert page.locator("img").count() == 0
    assert page.locator(".say b").count() == 0
    assert stepper.say.startswith("</script><img src=x onerror=alert(1)>")
    stepper.watch.assert_quiet()


def test_without_scripts_the_story_is_there_to_read(running, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(to_html(whole("ah_meets_nat")), encoding="utf-8")
    context = running.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        assert "bob drops AH packet 1" in page.inner_text(".twin pre")
    finally:
        context.close()


def test_the_strip_and_the_steps_keep_to_the_turns_that_are_asked_for(open_page) -> None:
    stepper = open_page("ah_meets_nat")
    drops = [turn["n"] for turn in data(whole("ah_meets_nat"))["turns"] if "drop" in turn["kinds"]]
    stepper.page.select_option("[aria-label='turns shown']", "kind drop")
    for number in drops:
        stepper.press("ArrowRight")
        assert stepper.turn == number
    stepper.page.select_option("[aria-label='turns shown']", "node box")
    stepper.press("ArrowLeft")
    assert "box" in stepper.say


def test_a_run_that_goes_on_gives_one_turn_more_at_its_end(page: "Page", tmp_path: Path) -> None:
    run = Run(read("behind_nat"))
    for _ in range(5):
        run.step()
    feed = Feed(run)
    start = feed.whole(live=True)
    more = []
    while run.turns < 30:
        goes_on = run.step()
        more.append(feed.more(live=goes_on and run.turns < 30))
    script = (
        f"{module()}\nconst more = {to_json(more)};\n"
        f"const stepper = mount(document.querySelector('div'), {{ data: {to_json(start)}, host: 'notebook',\n"
        "  onStep: () => stepper.append(more.shift()) });"
    )
    file = tmp_path / "live.html"
    file.write_text(
        f"<!doctype html><title>live</title><style>{stylesheet()}</style><div></div>"
        f"<script type=module>{script}</script>",
        encoding="utf-8",
    )
    stepper = Stepper(page, file)
    page.focus(".ipsecsim")
    stepper.press("End")
    assert stepper.turn == 5
    stepper.press(*["ArrowRight"] * 26)
    assert stepper.turn == 30
    assert stepper.say == stepper_says(run, 30)
    stepper.press("ArrowLeft", "Home")
    assert stepper.turn == 1
    stepper.watch.assert_quiet()


def stepper_says(run: Run, number: int) -> str:
    sent = data(run)
    return sent["strings"][sent["turns"][number - 1]["say"]]


def test_both_ends_are_those_of_the_message_that_is_on_its_way(open_page) -> None:
    sent = data(whole("two_clients_one_nat"))
    of_dave = next(
        rung for rung in sent["ladder"] if {rung["a"], rung["b"]} == {"dave", "moon"} and rung["turn_arrived"]
    )
    stepper = open_page("two_clients_one_nat", f"#turn={of_dave['turn_arrived']}")
    assert [each.inner_text().split()[0] for each in stepper.page.locator(".pair h4").all()] == [
        "dave",
        "moon",
    ]
