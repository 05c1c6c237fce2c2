"""The tables at the end of a run: what an SA and a rule look like in a row."""

import pytest

from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.scenario import read
from ipsecsim.views import state_tables, tables
from tests.unit.scenario.examples import KEYED, MIXED


def rows(table: str, node: str) -> list[str]:
    return [line.strip() for line in table.splitlines() if line.split()[:1] == [node]]


def sad(source: str, **options) -> str:
    return state_tables.associations(Run(read(source, **options)).run())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "ESP transport"),
        (", encap: yes", "ESP transport in UDP"),
        (", mode: tunnel", "ESP tunnel"),
    ],
)
def test_an_sa_says_what_it_is(said, words):
    source = KEYED.replace("key: seed:k1", f"key: seed:k1{said}").replace(
        "key: seed:k2", f"key: seed:k2{said}"
    )
    assert all(f"  {words}  " in row for row in rows(sad(source), "alice"))


def test_ah_esn_and_the_window_are_told():
    source = MIXED.replace("esp_proposals: aes128-sha256-esn", "ah_proposals: sha256-esn")
    source = source.replace(", encap: yes", "")
    inbound = next(row for row in rows(sad(source), "north") if row.split()[1] == "in")
    assert "AH tunnel" in inbound
    assert "sha256-esn" in inbound
    assert "...............1 of 64" in inbound


def test_a_window_that_is_off_is_told():
    inbound = next(row for row in rows(sad(KEYED), "bob") if row.split()[1] == "in")
    assert inbound.split()[-2:] == ["off", "endless"]


def test_what_is_left_of_a_life_is_told():
    words = "key: seed:k1, life_packets: 5, life_bytes: 1000, life_time: 1h"
    source = KEYED.replace("key: seed:k1", words).replace("ping", "send")
    assert rows(sad(source), "alice")[0].endswith("3600 s, 4 packets, 908 B")


def test_a_rule_for_one_direction_says_so():
    table = state_tables.policies(Run(read(KEYED)).run())
    assert [row.split()[1:5] for row in rows(table, "alice")] == [
        ["1", "bypass", "#1", "0.0.0.0/0"],
        ["2", "protect", "out|in", "0.0.0.0/0"],
        ["3", "discard", "in", "#3"],
        ["last", "discard", "(default)", "everything"],
    ]


def test_who_has_which_virtual_address_is_told():
    run = Run(read("road_warriors"))
    assert state_tables.leases(run) == "Virtual addresses: none is lent"
    assert [row.split() for row in rows(state_tables.leases(run.run()), "moon")] == [
        ["moon", "visitors", "10.9.0.1", "carol.example"],
        ["moon", "visitors", "10.9.0.2", "dave.example"],
    ]


def test_tables_can_be_had_for_any_position_of_a_run() -> None:
    run = Run(read("site_to_site", do=["1s ping alice bob count=3"])).run()
    assert state_tables.associations(run, 0) == "SAD: no SA is up"
    sealed = [row.turn.number for row, _ in run.recorder.of(PacketSealed) if row.node == "west"][-1]

    def packets(position: int) -> str:
        outbound = rows(state_tables.associations(run, position), "west")[0]
        return outbound.split(" aes256gcm16 ")[1].split()[0]

    assert [packets(sealed - 1), packets(sealed), packets(run.turns)] == ["3", "4", "4"]
    hits = [rows(state_tables.policies(run, turn), "west")[0].split()[-1] for turn in (0, sealed)]
    assert hits == ["0", "4"]


def test_drops_are_those_up_to_the_position() -> None:
    run = Run(read("replay_attack")).run()
    turn = next(row.turn.number for row, _ in run.recorder.of(PacketDropped))
    assert tables.drops(run, turn - 1) == "Drops: none"
    assert tables.drops(run, turn) != "Drops: none"
