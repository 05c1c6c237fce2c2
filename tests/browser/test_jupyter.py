"""The stepper in JupyterLab 4 and Notebook 7: worked with by mouse and keys, and heard by Python."""

import shutil

import nbformat
import pytest

from tests.browser.chromium import Watch, needed, violations
from tests.browser.jupyter import ROOT, needs_jupyter, outputs, run_all, serving

pytestmark = [pytest.mark.slow, needed(), needs_jupyter()]

# Notebook 7 says this of its own settings, with any notebook and with none
OF_THE_HOST = ("reading 'schema'",)

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="module", params=["jupyterlab", "notebook"])
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyter") / "notebooks"
    folder.mkdir()
    shutil.copy(ROOT / "notebooks" / "07_ah_meets_nat.ipynb", folder)
    with serving(request.param, folder) as running:
        yield folder, running


def opened(page, server, *cells):
    """A notebook of these cells, run; what the page asks for and complains of."""
    folder, running = server
    name = f"own_{abs(hash(cells)) % 10**8}.ipynb"
    made = nbformat.v4.new_notebook(
        metadata=KERNEL, cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
    )
    nbformat.write(made, folder / name)
    watch = Watch(page, allowed=running.url)
    run_all(page, running, name)
    return watch


def ours(watch):
    """What was complained of, but for what the host says of itself."""
    return [each for each in watch.complaints if not any(known in each for known in OF_THE_HOST)]


def stepper(page):
    page.set_default_timeout(20_000)
    found = page.locator(".ipsecsim")
    found.wait_for()
    return found


def turn(page):
    """The turn that is shown."""
    stepper(page)
    return int(page.inner_text(".where b"))


def reaches(page, number):
    """Wait until the turn is shown."""
    page.wait_for_function("n => document.querySelector('.where b').textContent === String(n)", arg=number)


def again(page, wanted):
    """Run the last cell once more, until this comes out of it."""
    page.locator(".jp-CodeCell").last.click()
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    page.locator(".jp-OutputArea-output", has_text=wanted).last.wait_for()


def test_it_is_walked_by_mouse_and_keys_and_python_knows_where_it_stands(page, server):
    watch = opened(
        page,
        server,
        "from ipsecsim import Lab\nfrom ipsecsim.views import stepper\n"
        "w = stepper.show(Lab('ah_meets_nat').run().recording)\nw",
        "print('turn', w.turn)",
    )
    shown = stepper(page)
    assert turn(page) == 1
    shown.get_by_role("button", name="step", exact=True).click()
    reaches(page, 2)
    shown.get_by_role("button", name="back", exact=True).click()
    reaches(page, 1)
    shown.locator(".range").fill("5")
    reaches(page, 5)
    assert "rewrites" in shown.inner_text()
    shown.focus()
    page.keyboard.press("d")  # the next drop
    reaches(page, 6)
    assert "bob drops AH packet 1" in page.inner_text(".say")
    for number in (5, 4):
        page.keyboard.press("ArrowLeft")
        reaches(page, number)
    page.keyboard.press(" ")  # play
    reaches(page, 5)
    page.keyboard.press(" ")
    again(page, f"turn {turn(page)}")
    assert watch.requests == []
    assert ours(watch) == []


def test_the_nat_hop_and_what_ike_sealed_are_read_and_axe_finds_nothing(page, server):
    watch = opened(
        page,
        server,
        "from ipsecsim import Lab\nfrom ipsecsim.views import stepper\n"
        "stepper.show(Lab('behind_nat').run().recording)",
    )
    shown = stepper(page)
    shown.focus()
    page.keyboard.press("n")
    rewritten = shown.locator(".cell-changed", has_text="Source Address")
    rewritten.wait_for()
    assert "192.168.1.1" in rewritten.inner_text()
    for _ in range(20):
        identity = shown.locator(".stair", has_text="IDi")
        if identity.count():
            break
        page.keyboard.press("i")
        page.wait_for_timeout(100)
    identity.first.click()
    shown.locator(".cell", has_text="west.example").wait_for()
    assert violations(page, ".ipsecsim") == []
    assert watch.requests == []
    assert ours(watch) == []


def test_a_run_goes_on_a_turn_with_each_step(page, server):
    watch = opened(
        page,
        server,
        "from ipsecsim import Lab\nlab = Lab('site_to_site')\nw = lab.stepper(live=True)\nw",
        "print('turns', lab.end.number)",
    )
    stepper(page).focus()
    for number in range(2, 6):
        page.keyboard.press("ArrowRight")
        reaches(page, number)
    again(page, "turns 5")
    assert watch.requests == []
    assert ours(watch) == []


def test_where_widgets_fail_the_page_stands_in_a_frame(page, server):
    watch = opened(page, server, "from ipsecsim import Lab\nLab('site_to_site').run().stepper('iframe')")
    frame = page.frame_locator("iframe[title^='step by step']")
    frame.locator(".ipsecsim").wait_for()
    frame.get_by_role("button", name="step", exact=True).click()
    frame.locator(".where b", has_text="2").wait_for()
    assert watch.requests == []
    assert ours(watch) == []


def test_lesson_seven_runs_as_a_student_runs_it(page, server):
    _, running = server
    watch = Watch(page, allowed=running.url)
    run_all(page, running, "07_ah_meets_nat.ipynb")
    shown = outputs(page)
    assert not any('"output_type":"error"' in each for each in shown)
    assert sum("there is no answer yet" in each for each in shown) == 3
    first = page.locator(".ipsecsim").first
    first.scroll_into_view_if_needed()
    # what is far away is drawn only once it is in view
    page.wait_for_function("() => document.querySelector('.ipsecsim .where b')?.textContent === '4'")
    assert "seals" in first.locator(".say").text_content()
    assert watch.requests == []
    assert ours(watch) == []
