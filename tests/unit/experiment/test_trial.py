"""A topology held to all that it promises, and what is said when it breaks a promise."""

import pytest

from ipsecsim.experiment import trial as trials
from ipsecsim.experiment.trial import Case, Trial, cases, examine, examine_all
from ipsecsim.views.text import whole

SITES = """name: sites
params: {size: 56}
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links: {left: [alice, west], wan: [west, east], right: [east, bob]}
tunnels: {net: [west, east]}
script: [do: ping alice bob size=$size]
expect: {ping: received 1}
"""
MATRIX = SITES + "matrix: {size: [56, 100], links.wan.mtu: [1500, 1400]}\n"
LEAKS = """name: leaks
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east:
    kind: gateway
    ipsec: {spd: [bypass proto=udp sport=500|4500, bypass src=alice dst=bob dir=out, protect tunnel=net]}
  bob: {kind: host}
  inner: {kind: host}
  hop: {kind: router}
links: {left: [alice, west], wan: [west, east, hop], far: [hop, bob], right: [east, inner]}
tunnels: {net: {ends: [west, east], child: {remote_ts: bob}}}
script: [do: ping alice bob]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sites.yaml").write_text(SITES, encoding="utf-8")
    (tmp_path / "golden").mkdir()
    return tmp_path


def only(source: str, **options) -> Trial:
    (case,) = cases(source, **options)
    return examine(case, whole)


def test_a_good_file_has_no_fault(folder):
    trial = only(str(folder / "sites.yaml"), golden=folder / "golden")
    assert trial.faults == ()
    assert (trial.turns, trial.claims) == (11, 1)
    assert trial.case.golden is None


def test_a_claim_that_is_not_met_is_a_fault():
    assert only(SITES.replace("received 1", "received 2")).faults == ("NOT MET  ping: received 2   found 1",)


def test_a_claim_that_nobody_can_judge_is_a_fault():
    (fault,) = only(SITES.replace("{ping: received 1}", "{ping: jitter 1ms}")).faults
    assert "cannot be measured yet" in fault


def test_the_story_is_held_against_the_golden_one(folder):
    source, golden = str(folder / "sites.yaml"), folder / "golden" / "sites.txt"
    (case,) = cases(source)
    golden.write_text(whole(case.run()), encoding="utf-8")
    assert only(source, golden=folder / "golden").faults == ()
    golden.write_text(golden.read_text(encoding="utf-8").replace("speaks", "shouts", 1), encoding="utf-8")
    (fault,) = only(source, golden=folder / "golden").faults
    assert fault.startswith("line ")
    assert "the script shouts" in fault.partition("now")[0]
    golden.write_text(whole(case.run()) + "more\n", encoding="utf-8")
    (fault,) = only(source, golden=folder / "golden").faults
    assert "lines, and now there are" in fault


def test_every_cell_is_a_case_and_the_file_as_it_stands_is_one_too():
    assert [dict(case.cell) for case in cases(MATRIX)] == [
        {},  # it says no MTU, so it is no cell
        *({"size": size, "links.wan.mtu": mtu} for size in ("56", "100") for mtu in ("1500", "1400")),
    ]
    by_parameter = SITES + "matrix: {size: [100, 56]}\n"
    assert [dict(case.cell) for case in cases(by_parameter)] == [{"size": "100"}, {"size": "56"}]
    assert cases(by_parameter, params={"size": "7"})[0].cell == {}


def test_the_golden_story_belongs_to_the_file_as_it_stands(folder):
    (folder / "golden" / "sites.txt").touch()
    source = folder / "matrix.yaml"
    source.write_text(SITES + "matrix: {size: [100, 56]}\n", encoding="utf-8")
    golden = [case.golden is not None for case in cases(str(source), golden=folder / "golden")]
    assert golden == [False, True]


def test_a_leak_is_a_fault_unless_the_file_claims_one():
    """East opens what west has sealed and sends it back to where it came from, in clear."""
    faults = only(LEAKS).faults
    assert "a packet sealed in turn 6 can be read on wan" in faults[0]
    assert len(only(LEAKS + "expect: {leaks: none}\n").faults) == len(faults) + 1
    assert only(LEAKS + "expect: {leaks: at least 1}\n").faults == ()


def test_a_run_that_does_not_end_is_a_fault(monkeypatch):
    monkeypatch.setattr(trials, "MOST_TURNS", 5)
    (fault,) = only(SITES).faults
    assert fault == "it does not come to an end: 5 turns were not enough; say until:"


@pytest.mark.slow
def test_two_interpreters_agree_about_every_cell():
    done = list(examine_all(cases(MATRIX), whole))
    assert [dict(trial.case.cell) for trial in done] == [dict(case.cell) for case in cases(MATRIX)]
    assert all(trial.faults == () and trial.fingerprint for trial in done)


def test_a_trace_that_is_another_the_second_time_is_a_fault():
    trial = Trial(Case(SITES), 11, 1, (), "one hash")
    assert trials._together(trial, "one hash") == trial
    assert "it does not repeat" in trials._together(trial, "another").faults[0]
