"""Nodes stand apart, along the traffic, and where they stand is no matter of luck."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ipsecsim.net.nodes import KINDS
from ipsecsim.scenario import library
from ipsecsim.scenario.model import Topology
from ipsecsim.scenario.read import read
from ipsecsim.views.topology_layout import ICONS, layout, positions, zones


def topology(name: str, **params: str) -> Topology:
    path = library.find(name)
    assert path is not None
    return read(path, params=params)


def pairs(laid: dict[str, tuple[float, float]]) -> Iterator[tuple[str, str]]:
    names = sorted(laid)
    return ((one, two) for at, one in enumerate(names) for two in names[at + 1 :])


def assert_apart(subject: Topology) -> None:
    laid = layout(subject)
    for one, two in pairs(dict(laid.nodes)):
        (x, y), (other_x, other_y) = laid.nodes[one], laid.nodes[two]
        columns, rows = abs(x - other_x) * laid.columns, abs(y - other_y) * laid.rows
        assert columns > 0.99 or rows > 0.99, (one, two)
    assert all(0 < x < 1 and 0 < y < 1 for x, y in laid.nodes.values())


@pytest.mark.parametrize("name", library.names())
def test_no_two_nodes_stand_in_one_cell_and_the_order_of_the_file_does_not_matter(name):
    subject = topology(name)
    assert_apart(subject)
    turned = replace(
        subject,
        nodes=dict(reversed(subject.nodes.items())),
        links=dict(reversed(subject.links.items())),
        tunnels=dict(reversed(subject.tunnels.items())),
    )
    assert positions(turned) == positions(subject)
    for zone in zones(subject):
        assert zone.nodes


def test_a_hundred_nodes_stand_apart():
    assert_apart(topology("hub_and_spoke", branches="48"))


def test_a_chain_runs_from_left_to_right_along_its_traffic():
    laid = positions(topology("behind_nat"))
    assert [x for x, _ in laid.values()] == sorted(x for x, _ in laid.values())
    assert {y for _, y in laid.values()} == {0.5}
    assert list(laid) == ["alice", "west", "home", "internet", "east", "bob"]


def test_branches_of_a_hub_stand_below_each_other_in_the_order_of_their_numbers():
    laid = positions(topology("hub_and_spoke", branches="11"))
    heights = [laid[f"pc{number}"][1] for number in range(1, 12)]
    assert heights == sorted(heights)
    assert len({laid[f"pc{number}"][0] for number in range(1, 12)}) == 1
    assert laid["server"][0] == max(x for x, _ in laid.values())
    assert laid["hub"][1] == pytest.approx(0.5)


def test_a_lan_is_a_bar_between_its_nodes():
    laid = layout(topology("two_clients_one_nat"))
    bar = laid.bars["room"]
    assert laid.nodes["carol"][0] == laid.nodes["dave"][0] < bar.x < laid.nodes["home"][0]
    assert bar.top == laid.nodes["carol"][1] < laid.nodes["dave"][1] == bar.bottom


def test_who_only_taps_a_link_stands_below_it():
    laid = positions(topology("replay_attack"))
    assert laid["west"][0] < laid["mallory"][0] < laid["east"][0]
    assert laid["mallory"][1] > laid["west"][1]


def test_zones_say_who_is_behind_whom():
    found = [(zone.name, zone.nodes) for zone in zones(topology("behind_nat"))]
    assert found == [
        ("behind home", ("alice", "west", "home")),
        ("behind east", ("east", "bob")),
    ]


def test_where_nothing_divides_the_nodes_there_are_no_zones():
    assert zones(topology("transport_esp")) == ()


def test_every_kind_of_node_has_an_icon():
    assert set(KINDS) <= set(ICONS)
