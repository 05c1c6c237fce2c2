"""The stepper in a notebook: a widget that Python hears, live where a run goes on, and a frame where it fails."""

import json
import sys

import pytest

from ipsecsim import Lab, LabError
from ipsecsim.views import stepper


def asked(widget, count=1):
    """What the browser would be sent for so many wishes."""
    sent = []
    widget.send = lambda content, **_: sent.append(json.loads(content["more"]))
    for _ in range(count):
        widget._asked(None, {"wants": "step"}, None)
    return sent


def test_it_stands_where_the_lab_stands_and_has_the_whole_run():
    lab = Lab("site_to_site").run()
    lab.at(4)
    widget = lab.stepper("widget")
    assert widget.turn == 4
    sent = json.loads(widget.data)
    assert len(sent["turns"]) == 11
    assert not sent["live"]
    assert "export function mount" in widget._esm
    assert "export default" in widget._esm


def test_a_step_from_the_browser_runs_the_simulation_one_turn_further():
    lab = Lab("site_to_site")
    widget = lab.stepper(live=True)
    assert lab.end.number == 1
    sent = asked(widget, 12)
    assert [len(each["turns"]) for each in sent] == [1] * 10 + [0, 0]
    assert [each["live"] for each in sent] == [True] * 10 + [False, False]
    assert lab.end.number == 11
    assert lab.measure("ping received") == 1


def test_python_hears_where_the_browser_stands_and_may_send_it_elsewhere():
    widget = Lab("site_to_site").run().stepper("widget")
    sent = []
    widget.send = lambda content, **_: sent.append(content)
    widget._asked(None, {"turn": 7}, None)
    assert widget.turn == 7
    assert sent == []  # what the browser said is not said back
    widget.turn = 3
    assert sent == [{"go": 3}]
    widget._asked(None, {"turn": 3}, None)
    widget._asked(None, {"turn": 99}, None)
    assert widget.turn == 3


def test_what_else_a_browser_sends_does_nothing():
    lab = Lab("site_to_site")
    widget = lab.stepper(live=True)
    for wish in ({}, {"wants": "crash"}, {"wants": ["step"]}):
        widget._asked(None, wish, None)
    assert lab.end.number == 1


def test_without_anywidget_there_is_the_page_in_a_frame(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "ipsecsim.views.stepper.widget", raising=False)
    lab = Lab("site_to_site").run()
    shown = lab.stepper()
    assert "pip install" in repr(shown)
    assert shown._repr_mimebundle_()["text/html"].startswith("<iframe srcdoc=")
    with pytest.raises(LabError, match=r"pip install 'ipsecsim\[notebook\]'"):
        lab.stepper("widget")


def test_before_the_first_turn_there_is_nothing_to_show():
    with pytest.raises(LabError, match=r"run it first with lab.run\(\)"):
        Lab("site_to_site").stepper()


def test_the_page_is_a_file_of_its_own(tmp_path):
    path = stepper.show(Lab("site_to_site").run().recording, mode="html").save(tmp_path / "run.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
