"""Every topology that comes with ipsecsim, and each of its cells, does what `ipsecsim check --run` asks of any."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.experiment.trial import Case, cases, examine, fingerprint
from ipsecsim.observe.why import findings
from ipsecsim.scenario import names, read
from ipsecsim.scenario.model import MeasureClaim
from ipsecsim.views import text

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "IPSECSIM_UPDATE_GOLDEN"
CASES = [case for name in names() for case in cases(name, golden=GOLDEN)]


@pytest.mark.parametrize("name", names())
def test_its_story_is_kept(name):
    """After a change that is meant, write the stories anew: IPSECSIM_UPDATE_GOLDEN=1 pytest tests/worlds."""
    topology = read(name)
    golden = GOLDEN / f"{topology.name}.txt"
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text.whole(Run(topology).run()), encoding="utf-8")
    assert golden.is_file()


@pytest.mark.parametrize("name", names())
def test_it_tells_a_story_and_what_to_look_for(name):
    topology = read(name)
    assert topology.story.strip()
    assert topology.look_for


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_keeps_the_invariants_meets_its_claims_tells_its_story_and_repeats(case: Case):
    trial = examine(case, text.whole)
    assert trial.faults == ()
    again = case.run()
    assert fingerprint(again) == trial.fingerprint
    assert unsaid(again) == set()


def unsaid(run: Run) -> set[str]:
    """What a run shows to be wrong and its file says neither by why nor by leaks: nothing where all is well."""
    said = {each.claim.reason for each in run.topology.expect if each.subject.kind == "why"}
    if any(
        each.subject.kind == "leaks" and isinstance(each.claim, MeasureClaim) for each in run.topology.expect
    ):
        said.add("PLAINTEXT_LEAK")
    return {each.diagnosis.name for each in findings(run.recorder, run.world.simulator)} - said


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
