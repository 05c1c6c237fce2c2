"""The 32 cells of 500, 4500, 50 and 51, with and without a NAT, against the table as it is known."""

from itertools import product

import pytest

from ipsecsim.experiment.matrix import Outcome, run_matrix
from ipsecsim.experiment.truth_table import TRUTH_TABLES
from ipsecsim.observe.invariants.invariants import check
from tests.unit.cli.test_commands import ipsecsim

WORDS = ("accept", "drop")
NO_IKE = ("down", "no", "", "IKE_FILTERED_ON_PATH")
UP_FOR_NOTHING = ("up", "no", "ESP", "ESP_FILTERED_ON_PATH")
BY_ESP = ("up", "yes", "ESP", "")
IN_UDP = ("up", "yes", "ESP in UDP", "")

# UDP 500, UDP 4500, ESP, NAT: tunnel, traffic, how it travels, why not. AH changes nothing.
KNOWN = {
    ("accept", "accept", "accept", "none"): BY_ESP,
    ("accept", "accept", "accept", "home_router"): IN_UDP,
    ("accept", "accept", "drop", "none"): UP_FOR_NOTHING,
    ("accept", "accept", "drop", "home_router"): IN_UDP,
    ("accept", "drop", "accept", "none"): BY_ESP,
    ("accept", "drop", "accept", "home_router"): NO_IKE,
    ("accept", "drop", "drop", "none"): UP_FOR_NOTHING,
    ("accept", "drop", "drop", "home_router"): NO_IKE,
    **dict.fromkeys(product(("drop",), WORDS, WORDS, ("none", "home_router")), NO_IKE),
}


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return list(run_matrix("firewall_truth_table"))


def test_each_of_the_32_cells_is_as_it_is_known_to_be(outcomes):
    columns = TRUTH_TABLES["firewall"].columns
    found = {tuple(each.cell.values()): tuple(column.answer(each) for column in columns) for each in outcomes}
    assert len(found) == 32
    assert found == {
        (ike, nat_t, esp, ah, nat): KNOWN[ike, nat_t, esp, nat] for ike, nat_t, esp, ah, nat in found
    }


def test_the_tunnel_is_up_for_nothing_in_four_of_them(outcomes):
    columns = TRUTH_TABLES["firewall"].columns
    cells = [each.cell for each in outcomes if [c.answer(each) for c in columns][:2] == ["up", "no"]]
    assert len(cells) == 4
    assert all((cell["udp500"], cell["esp"], cell["nat"]) == ("accept", "drop", "none") for cell in cells)


def test_the_invariants_hold_in_every_cell_and_its_claims_are_met(outcomes):
    assert all(each.is_met for each in outcomes)
    assert [check(each.run.recorder, each.run.world.simulator) for each in outcomes] == [[]] * 32


@pytest.mark.slow
def test_the_command_prints_it():
    done = ipsecsim("truth-table", "firewall")
    assert done.returncode == 0
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert rows[0] == "Truth table firewall: 32 cells of firewall_truth_table"
    assert "accept accept drop accept none up no ESP ESP_FILTERED_ON_PATH" in rows
    assert "accept drop drop drop home_router down no IKE_FILTERED_ON_PATH" in rows
    unknown = ipsecsim("truth-table", "firewal")
    assert (unknown.returncode, "did you mean 'firewall'?" in unknown.stderr) == (2, True)
