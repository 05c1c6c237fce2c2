"""Every kind of NAT, asked from both sides, against a table written by hand from RFC 4787's definitions."""

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ipsecsim.base.address import unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.experiment.matrix import Outcome, run_matrix
from ipsecsim.experiment.truth_table import TRUTH_TABLES
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.stack.nat.behaviour import Behaviour, Dependence, Ports
from tests.unit.cli.test_commands import ipsecsim
from tests.unit.stack.nat.translator import ALICE, BOB, OTHER, OUTSIDE, PEER, Translator

Cell = tuple[str, str, str]
Ports3 = tuple[int, int, int]
WITH_TABLE = TRUTH_TABLES["nat"]
with (Path(__file__).parents[1] / "data" / "nat_reachability.csv").open(encoding="utf-8") as file:
    KNOWN: dict[Cell, list[str]] = {tuple(row[:3]): row[3:] for row in list(csv.reader(file))[1:]}
BLOCK = Behaviour().block


def _block(port: int) -> int:
    return (port - 1024) // BLOCK


# of one host's 6000, then of another's 6000, then of the first one's 7000
FITS: dict[str, Callable[[Ports3], bool]] = {
    "kept": lambda ports: ports == (6000, 6001, 7000),
    "in order": lambda ports: (ports[1] - ports[0], ports[2] - ports[1]) == (1, 1),
    "in order by host": lambda ports: ports[2] - ports[0] == 1 and _block(ports[1]) != _block(ports[0]),
    "without order": lambda ports: all(abs(one - other) > 1 for one, other in pairwise(ports)),
}


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return list(run_matrix(WITH_TABLE.topology, prepare=WITH_TABLE.prepare))


def test_the_table_by_hand_has_every_kind_once():
    assert len(KNOWN) == len(Dependence) ** 2 * len(Ports) == 36


@pytest.mark.conf("NAT-01", "NAT-06")
def test_in_a_world_each_of_the_36_kinds_is_as_the_rfc_defines_it(outcomes):
    assert len(outcomes) == len(KNOWN)
    for outcome in outcomes:
        *known, order = KNOWN[tuple(outcome.cell.values())]
        *found, given = (column.answer(outcome) for column in WITH_TABLE.columns)
        assert found == known, outcome.cell
        assert FITS[order](tuple(map(int, given.split()))), outcome.cell
        assert check(outcome.run.recorder, outcome.run.world.simulator) == []
        assert outcome.is_met


@pytest.mark.conf("NAT-01", "NAT-03", "NAT-06")
@pytest.mark.parametrize("cell", KNOWN)
def test_the_engine_alone_is_too(cell):
    mapping, filtering, ports = cell
    *known, order = KNOWN[cell]
    nat = Translator(Behaviour(Dependence(mapping), Dependence(filtering), Ports(ports)))
    first = nat.out(ALICE, 5000, PEER, 9)
    came = [nat.back(first[1], *peer) for peer in ((PEER, 9), (PEER, 10), (OTHER, 9))]
    assert {each for each in came if isinstance(each, DropReason)} <= {DropReason.NAT_FILTERED}
    seen = [nat.out(ALICE, 5000, *peer) for peer in ((PEER, 10), (OTHER, 9))]
    found = ["same" if each == first else "another" for each in seen]
    found += ["yes" if each == (unpack(ALICE), 5000) else "no" for each in came]
    assert found == known
    given = [nat.out(host, port, PEER, 9) for host, port in ((ALICE, 6000), (BOB, 6000), (ALICE, 7000))]
    assert {address for address, _ in (first, *seen, *given)} == {unpack(OUTSIDE)}
    assert FITS[order](tuple(port for _, port in given))


def test_the_command_prints_it():
    done = ipsecsim("truth-table", "nat")
    assert done.returncode == 0
    rows = done.stdout.splitlines()
    assert rows[0] == "Truth table nat: 36 cells of nat_truth_table"
    assert rows[3].split() == [
        *("endpoint_independent", "endpoint_independent", "preserving"),
        *("same", "same", "yes", "yes", "yes", "6000", "6001", "7000"),
    ]
    assert "NOT MET" not in done.stdout
