"""A file with a matrix: one cell when it is read, all of them when it is run as a table."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.matrix import run_matrix
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.scenario.matrix import MOST_CELLS, cells

SITES = """name: sizes
params: {size: 56}
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
links:
  left: [alice, west]
  wan: [west, east]
  right: [east, bob]
tunnels:
  net: [west, east]
script:
  - do: ping alice bob size=$size df=yes
matrix: {size: [56, 1472], links.wan.mtu: [1500, 1400]}
expect:
  - {where: size=56, ping: received 1}
  - {where: size=1472, ping: received 0, drops node=west: IP_DF_TOO_BIG}
  - {where: links.wan.mtu=1500, tunnel net: up}
"""


def claims(**options) -> list[str]:
    return [str(each.subject.text) for each in read(SITES, **options).expect]


def test_cells_are_all_combinations_the_last_axis_fastest():
    assert list(cells({"a": ("1", "2"), "b": ("x", "y")})) == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    ]


def test_a_matrix_without_end_is_refused():
    with pytest.raises(ConfigError, match=f"{MOST_CELLS} are the most"):
        list(cells({axis: tuple(map(str, range(100))) for axis in "abc"}))


def test_reading_gives_the_cell_of_the_parameters():
    assert claims() == ["ping"]
    assert claims(params={"size": "1472"}) == ["ping", "drops node=west"]
    assert claims(settings=[("links.wan.mtu", "1500")]) == ["ping", "tunnel net"]


def test_every_cell_is_run_and_held_to_its_own_claims():
    outcomes = list(run_matrix(SITES))
    assert [outcome.cell["size"] for outcome in outcomes] == ["56", "56", "1472", "1472"]
    assert [outcome.run.world.pings["ping"].received for outcome in outcomes] == [1, 1, 0, 0]
    assert [len(outcome.run.verdicts()) for outcome in outcomes] == [2, 1, 3, 2]
    assert all(outcome.is_met for outcome in outcomes)


def test_a_cell_that_breaks_its_claim_is_seen():
    wrong = SITES.replace("size=56, ping: received 1", "size=56, ping: received 9")
    assert [outcome.is_met for outcome in run_matrix(wrong)] == [False, False, True, True]


def test_a_cell_is_the_same_run_as_reading_it_alone():
    outcome = list(run_matrix(SITES))[3]
    alone = Run(read(SITES, params={"size": "1472"}, settings=[("links.wan.mtu", "1400")])).run()
    assert [row.event for row in alone.recorder.rows] == [row.event for row in outcome.run.recorder.rows]


def test_a_topology_without_a_matrix_says_so():
    with pytest.raises(ConfigError, match="has no matrix"):
        list(run_matrix("site_to_site"))
