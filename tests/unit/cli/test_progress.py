"""The bar of a long run appears late, says how far it is, and leaves nothing behind."""

import pytest

from ipsecsim.cli import progress
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read


@pytest.fixture
def run() -> Run:
    return Run(read("site_to_site")).run()


def test_a_short_run_never_sees_it(run, capsys):
    bar = progress.Bar()
    bar(run)
    bar.close()
    assert capsys.readouterr().err == ""


def test_a_long_run_sees_simulated_time_and_turns(run, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    bar = progress.Bar()
    bar(run)
    bar.close()
    assert "0.002 s simulated, 11 turns" in capsys.readouterr().err
