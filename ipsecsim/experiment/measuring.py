"""A claim or a measure in words, about a run as it stands: 'ping: received 3', 'packets layer=esp bytes'."""

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.expectations import Verdict, judge
from ipsecsim.experiment.run import Run
from ipsecsim.scenario.claims import MEASURES, read_claims
from ipsecsim.scenario.model import Expectation, MeasureClaim
from ipsecsim.scenario.name_table import names_of
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Map, build

_NOTHING = {"number": "0", "number or %": "0", "time": "0s", "size": "0", "rate": "0bit", "%": "0%"}
"""The least there can be, in each unit: what every measure is at least."""

_WORDS = {word for measures in MEASURES.values() for word in measures if word}


def expect(run: Run, subject: str, claim: str) -> Verdict:
    """Hold a claim against a run. Raises ConfigError for words that are not understood."""
    return judge(run.world, run.lives, _read(run, subject, claim))


def measure(run: Run, what: str) -> float:
    """The number that words such as 'ping received' or 'tunnel net setup_time' stand for: seconds, bytes, bit/s.

    Raises ConfigError for words that are not understood, and for what cannot be measured in this run.
    """
    subject, _, word = what.strip().rpartition(" ")
    if not subject or word not in _WORDS:
        subject, word = what.strip(), ""
    units = {unit for measures in MEASURES.values() for name, unit in measures.items() if name == word}
    for unit in sorted(units):
        try:
            expectation = _read(run, subject, f"{word} at least {_NOTHING[unit]}".strip())
        except ConfigError as mistake:
            refused = mistake
            continue
        verdict = judge(run.world, run.lives, expectation)
        if verdict.number != verdict.number:
            raise ConfigError(f"'{what}' is no number here; found {verdict.found}")
        claim = expectation.claim
        is_time = isinstance(claim, MeasureClaim) and claim.unit == "ns"
        return verdict.number / SECOND if is_time else verdict.number
    raise refused


def _read(run: Run, subject: str, claim: str) -> Expectation:
    problems = Problems()
    tree = build({subject: claim}, Place(f"{subject}: {claim}"))
    assert isinstance(tree, Map)  # noqa: S101 - it was made of a mapping
    made = read_claims(tree, names_of(run.topology), problems)
    problems.stop()
    problems.stop_at_later()
    return made[0]
