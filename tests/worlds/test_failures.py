"""Every failure of the library is named by diagnosis, drop reason or notify, node and clause, and cured.

What is expected stands in tests/data/failures.csv, written by hand from what people get wrong, and not from
what is found.
"""

import csv
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.exposures import Exposure
from ipsecsim.cli.app import app
from ipsecsim.experiment.matrix import read_cell
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.trial import Case, cases
from ipsecsim.scenario import find, groups, names, read
from ipsecsim.scenario.model import ReasonClaim, Topology
from ipsecsim.scenario.not_yet import DIAGNOSES_LATER
from ipsecsim.study.gallery import gallery
from ipsecsim.study.proof import prove
from ipsecsim.study.trouble import Evidence
from ipsecsim.study.why import why

DATA = Path(__file__).parents[1] / "data" / "failures.csv"
EXPECTED = {row["file"]: row for row in csv.DictReader(DATA.open(encoding="utf-8"))}
WRONG = {name: row for name, row in EXPECTED.items() if row["node"]}
"""Those in which something is wrong: of the others people only believe it."""
MOST_WORDS = 30
ONLY_GONE = {"pfs_mismatch", "weak_psk"}  # nothing else was to be seen before, either


def test_every_failure_is_expected_and_every_diagnosis_and_exposure_has_one():
    assert sorted(EXPECTED) == groups()["failures"]
    assert {row["exposure"] for row in EXPECTED.values()} - {""} == set(Exposure.__members__)
    assert {row["diagnosis"] for row in EXPECTED.values()} - {""} == set(
        Diagnosis.__members__
    ) - DIAGNOSES_LATER


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_named_and_cured_by_its_one_setting(name):
    expected = EXPECTED[name]
    (row,) = gallery([name], with_proof=True)
    answer = row.why
    assert answer.reason == (expected["diagnosis"] or expected["exposure"] or expected["shows as"])
    assert (answer.shows_as, answer.node, answer.clause) == (
        expected["shows as"],
        expected["node"],
        expected["clause"],
    )
    assert answer.setting.partition("=")[0] == expected["cured by"]
    assert (row.proof is not None) is bool(expected["cured by"])
    if row.proof is not None:
        assert row.proof.is_cured
        assert row.proof.differences[0] == f"{answer.reason} is gone"
        assert len(row.proof.differences) > 1 or name in ONLY_GONE


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - WRONG))
def test_where_people_only_believe_that_something_is_wrong_they_hear_that_nothing_is(name):
    answer = why(Run(read(name)).run())
    assert "nothing went wrong" in answer.sentence
    assert "nothing leaked" in answer.sentence
    assert len(answer.sentence.split()) < MOST_WORDS


@pytest.mark.parametrize("name", WRONG)
def test_its_answer_can_be_followed(name):
    run = Run(read(name)).run()
    answer = why(run)
    nodes = run.topology.nodes
    assert len(answer.sentence.split()) < MOST_WORDS
    assert {*answer.known_by, *answer.unknown_to, answer.node} <= set(nodes)
    assert not set(answer.known_by) & set(answer.unknown_to)
    assert re.search(
        rf"\b({'|'.join([*nodes, *run.topology.tunnels, *run.world.traffic])})\b", answer.sentence
    )
    assert "{" not in answer.sentence + answer.look_at
    turns = [link.turn for link in answer.chain]
    assert 2 <= len(turns) <= 6
    assert turns == sorted(turns)
    for link in answer.chain:
        assert run.recorder.turn(link.turn)[0].node == link.node
        assert link.sentence
    assert answer.node in [link.node for link in answer.chain]
    assert answer.blind or not answer.unknown_to


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_claim_about_why_has_the_answer_that_it_claims_and_its_setting_helps(name):
    """In each cell of each file: what is asked by `why:` and what `why` says is one thing."""
    for case in cases(name):
        run = case.run()
        for each in run.topology.expect:
            if each.subject.kind != "why" or not isinstance(each.claim, ReasonClaim) or each.claim.count == 0:
                continue
            about = " ".join(each.subject.names)
            answer = why(run, about)
            if answer.reason in Exposure.__members__:  # what is claimed came of it
                evidence = Evidence(run)
                assert each.claim.reason in {
                    found.reason.name for found in evidence.about(evidence.question(about))
                }
            else:
                assert answer.reason == each.claim.reason
            assert len(answer.sentence.split()) < MOST_WORDS
            proof = prove(run, answer, partial(again, case))
            assert proof is None or proof.is_cured


def again(case: Case, settings: Sequence[tuple[str, str]]) -> Topology:
    return read_cell(case.source, case.cell, params=case.params, settings=[*case.settings, *settings])


def test_each_file_is_told_of_beside_it():
    guide = find("psk_mismatch").with_name("README.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z0-9_]+)`", guide)
    assert [name for name in EXPECTED if name not in named] == []


def test_the_whole_table_is_printed():
    folder = find("psk_mismatch").parent
    result = CliRunner().invoke(app, ["why", "--all", str(folder)])
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[3:] if line.strip()}
    assert set(lines) == set(EXPECTED)
    for name, row in EXPECTED.items():
        for column in ("diagnosis", "exposure", "shows as", "node", "clause"):
            assert row[column] in lines[name]


def test_a_file_that_is_cured_says_what_is_different():
    result = CliRunner().invoke(app, ["why", "psk_mismatch", "--prove"])
    assert "cured by  --set 'nodes.east.ipsec.secrets.ike-net.secret=" in result.stdout
    assert "tunnel net was down and is up" in " ".join(result.stdout.split())
