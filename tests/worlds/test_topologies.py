"""Every topology that comes with ipsecsim loads, runs, repeats, keeps the invariants and meets its claims."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.observe.invariants import check
from ipsecsim.observe.why import findings
from ipsecsim.scenario import names, read
from ipsecsim.views import text

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "IPSECSIM_UPDATE_GOLDEN"


@pytest.fixture(params=names(), scope="module")
def run(request) -> Run:
    """The finished run of one topology."""
    return Run(read(request.param)).run()


def test_it_keeps_the_invariants(run):
    assert check(run.recorder, run.world.simulator) == []


def test_it_meets_its_own_expectations(run):
    assert [str(verdict) for verdict in run.verdicts() if not verdict.is_met] == []


def test_it_says_what_its_run_shows_to_be_wrong(run):
    """And so nothing is found in a run in which all is well."""
    said = {each.claim.reason for each in run.topology.expect if each.subject.kind == "why"}
    found = {each.diagnosis.name for each in findings(run.recorder, run.world.simulator)}
    assert found <= said


def test_its_story_is_the_golden_one(run):
    """After a change that is meant, write the stories anew: IPSECSIM_UPDATE_GOLDEN=1 pytest tests/worlds."""
    story = "\n".join([text.opening(run.topology, run.seed), *text.story(run.recorder)]) + "\n"
    golden = GOLDEN / f"{run.topology.name}.txt"
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(story, encoding="utf-8")
    assert story == golden.read_text(encoding="utf-8")


def frames(name: str, seed: str, watched: str, hash_seed: str) -> str:
    """The hash that a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-m", "tests.worlds.frames", name, seed, watched],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_same_seed_gives_the_same_frames_watched_or_not(name):
    first = frames(name, "1", "yes", "1")
    assert int(first.split()[1]) > 0
    assert frames(name, "1", "yes", "2") == first
    assert frames(name, "1", "no", "3") == first
    assert frames(name, "2", "no", "1").split()[0] != first.split()[0]
