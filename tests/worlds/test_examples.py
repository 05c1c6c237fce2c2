"""The examples of the language do what they promise; what one needs that is not there yet is refused by name."""

from pathlib import Path

import pytest

from ipsecsim.experiment.trial import Case, cases, examine
from ipsecsim.scenario import check
from ipsecsim.views.text import whole

EXAMPLES = Path(__file__).parent.parent / "data" / "topology_examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
WAIT = {path.stem: [each.message for each in check(path).later] for path in FILES}
LONG = {"hub_and_spoke"}  # a hundred branches
CASES = [
    pytest.param(case, marks=[pytest.mark.slow] if path.stem in LONG else [], id=str(case))
    for path in FILES
    if not WAIT[path.stem]
    for case in cases(str(path))
]
TO_COME = {"remote_access_nat": ("eap", "EAP")}
"""What they wait for."""


@pytest.mark.parametrize("case", CASES)
def test_an_example_does_all_that_it_promises(case: Case):
    assert examine(case, whole).faults == ()


@pytest.mark.parametrize("name", WAIT)
def test_an_example_waits_only_for_what_comes_later(name):
    words = TO_COME.get(name, ())
    assert [message for message in WAIT[name] if not any(word in message for word in words)] == []
