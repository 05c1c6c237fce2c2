"""The state at a position is what the live nodes knew when it was there, whichever way one comes to it."""

import random
from typing import Any

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.ike import events as ike
from ipsecsim.ipsec import events as ipsec
from ipsecsim.observe.counters import count
from ipsecsim.observe.inventory import touched
from ipsecsim.observe.inventory.section import Value
from ipsecsim.observe.inventory.sections import DROPPED, look
from ipsecsim.observe.inventory.seen import Path
from ipsecsim.scenario import names, read
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat

LONG = "ping alice bob count=1600 interval=10ms"


def looked_at(run: Run) -> dict[Path, Value]:
    """Everything that every node knows now."""
    known = {
        (name, *way): value for name, node in run.world.simulator.nodes.items() for way, value in look(node)
    }
    for name, counted in count(run.recorder.rows).nodes.items():
        known |= {(name, DROPPED, reason.name): number for reason, number in counted.dropped.items()}
    return known


def difference(found: dict[Path, Value], live: dict[Path, Value]) -> dict[Path, tuple[object, object]]:
    return {
        path: (found.get(path), live.get(path))
        for path in {*found, *live}
        if found.get(path) != live.get(path)
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_position_is_as_the_live_nodes_were(name: str) -> None:
    topology = read(name)
    run, live = Run(topology), []
    live.append(looked_at(run))
    while run.turns < 1000 and run.step(topology.until):
        live.append(looked_at(run))
        assert not difference(dict(run.inventory.at(run.turns)), live[-1]), f"turn {run.turns}"
    for turn, state in enumerate(live):
        assert run.inventory.at(turn) == state


@pytest.mark.parametrize(
    ("table", "event", "name"),
    [
        ("_ROWS", ipsec.PolicyMatched, "site_to_site"),
        ("_ROWS", ipsec.PacketSealed, "site_to_site"),
        ("_ROWS", ipsec.PacketOpened, "site_to_site"),
        ("_ROWS", nat.PacketTranslated, "behind_nat"),
        ("_ROWS", stack.ConnectionForgotten, "firewall_forgets"),
        ("_BY_CLASS", ike.AddressLent, "road_warriors"),
        ("_BY_CLASS", ike.AddressReturned, "road_warriors"),
        ("_BY_CLASS", stack.AddressTaken, "road_warriors"),
    ],
)
def test_without_a_row_of_the_table_something_is_missed(
    monkeypatch: pytest.MonkeyPatch, table: str, event: type, name: str
) -> None:
    """The test above can fail: it is what an event leads to that is looked at."""
    rows = getattr(touched, table)
    monkeypatch.setitem(rows, event, type(rows[event])())
    run = Run(read(name))
    is_missed = False
    while not is_missed and run.step(run.topology.until):
        is_missed = bool(difference(dict(run.inventory.at(run.turns)), looked_at(run)))
    assert is_missed


def test_going_back_and_forth_a_thousand_times_shows_the_same() -> None:
    run = Run(read("site_to_site", do=[f"1s {LONG}"])).run()
    assert run.turns >= 5000
    chance = random.Random(7)  # noqa: S311 - no secret
    seen: dict[int, dict[Path, Value]] = {}
    position = run.turns
    for _ in range(1000):
        step = chance.choice((1, -1, chance.randint(-3000, 3000)))
        position = min(max(position + step, 0), run.turns)
        state = dict(run.inventory.at(position))
        assert seen.setdefault(position, state) == state
    assert run.inventory.at(run.turns) == looked_at(run)


def test_a_change_leads_from_one_position_to_the_next_and_back() -> None:
    run = Run(read("behind_nat")).run()
    for turn in range(1, run.turns + 1):
        state = dict(run.inventory.at(turn))
        for change in run.inventory.changes(turn):
            assert state.get(change.path) == change.new
            if change.old is None:
                del state[change.path]
            else:
                state[change.path] = change.old
        assert state == run.inventory.at(turn - 1)


def test_a_tree_has_the_sections_of_one_node() -> None:
    run = Run(read("site_to_site")).run()
    west: Any = run.inventory.tree(run.turns, "west")
    (inbound,) = [row for name, row in west["sas"].items() if name.startswith("in ")]
    assert inbound["window"].endswith("1")
    assert inbound["kind"] == "ESP tunnel"
    assert {"sas", "policies", "ike", "interfaces", "routes"} <= set(west)
    assert "sas" not in run.inventory.tree(0, "west")


@pytest.mark.parametrize("turn", [-1, 10_000])
def test_a_position_that_there_is_not_is_refused(turn: int) -> None:
    run = Run(read("site_to_site")).run()
    with pytest.raises(IndexError):
        run.inventory.at(turn)
