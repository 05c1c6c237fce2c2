"""docs/state-diagrams.md is what the tables say today, and says all of it."""

import re

import pytest

from ipsecsim.ike.v2.states import TRANSITIONS, State
from tests.docs.state_diagrams import MACHINES, PATH, text


def test_the_file_is_what_the_tables_draw():
    assert PATH.read_text(encoding="utf-8") == text(), "run `make diagrams`"


@pytest.mark.parametrize("title", MACHINES)
def test_list_and_picture_have_every_row_once(title):
    part = text().split(f"## {title}\n")[1].split("\n## ")[0]
    listed = re.findall(r"^    \S.* -+> .*$", part.split("```mermaid")[0], re.MULTILINE)
    drawn = re.findall(r"^    \w+ --> \w+: ", part, re.MULTILINE)
    assert len(listed) == len(drawn) == len(MACHINES[title][1])


@pytest.mark.parametrize("title", MACHINES)
def test_every_state_can_be_left_or_is_the_end_and_can_be_reached_or_is_the_beginning(title):
    transitions = MACHINES[title][1]
    befores, afters = {before for before, _ in transitions}, set(transitions.values())
    assert len(afters - befores) == len(befores - afters) == 1


def test_every_state_of_an_ike_sa_is_in_its_table():
    assert {state for (before, _), after in TRANSITIONS.items() for state in (before, after)} == set(State)
