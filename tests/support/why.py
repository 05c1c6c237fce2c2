"""What a run of a topology shows to be wrong."""

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.experiment.run import Run
from ipsecsim.observe.why import Finding, findings
from ipsecsim.scenario import find, read


def topology(name: str) -> str:
    """A topology of the library without its expectations, to be changed."""
    path = find(name)
    assert path is not None
    return path.read_text(encoding="utf-8").partition("\nexpect:")[0] + "\n"


def found_in(source: str, **options) -> list[Finding]:
    """All findings of a run; `options` are those of `read`."""
    run = Run(read(source, **options)).run()
    return findings(run.recorder, run.world.simulator)


def diagnoses(source: str, **options) -> list[Diagnosis]:
    """What they say."""
    return [each.diagnosis for each in found_in(source, **options)]
