"""Interfaces that come and go, and the routes that a packet then takes."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.mobility_events import AddressLost, MobikeAgreed
from ipsecsim.ipsec.events import SaInstalled, SaMoved
from ipsecsim.net.events import InterfaceChanged
from ipsecsim.scenario import read
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route, RouteTable
from tests.support.builders import two_gateways

EVERYWHERE = Prefix(bytes(4), 0)
FAR = pack("10.1.0.9")
WIFI, MOBILE = pack("198.51.100.2"), pack("203.0.113.2")


@pytest.fixture
def table() -> RouteTable:
    """Two ways out, the Wi-Fi first."""
    interfaces = {"wifi": Interface("wifi", WIFI, 24), "mobile": Interface("mobile", MOBILE, 24)}
    made = RouteTable(interfaces)
    made.add(Route(EVERYWHERE, pack("203.0.113.1"), "mobile"))
    made.add(Route(EVERYWHERE, pack("198.51.100.1"), "wifi"))
    made.interfaces = interfaces
    return made


def test_the_way_that_was_added_last_comes_first_and_gives_way_when_it_is_down(table):
    assert table.lookup(FAR).interface == "wifi"
    table.interfaces["wifi"].up = False
    table.interfaces_changed()
    assert table.lookup(FAR).interface == "mobile"
    table.interfaces["mobile"].up = False
    table.interfaces_changed()
    assert table.lookup(FAR) is None
    assert len(table.all()) == 2


def test_a_packet_leaves_by_the_interface_that_has_its_source(table):
    assert table.lookup_from(MOBILE, FAR).interface == "mobile"
    assert table.lookup_from(pack("10.9.0.1"), FAR).interface == "wifi"
    table.interfaces["mobile"].up = False
    table.interfaces_changed()
    assert table.lookup_from(MOBILE, FAR).interface == "wifi"


def test_the_preferred_interface_comes_first(table):
    table.prefer("mobile")
    assert table.lookup(FAR).interface == "mobile"


def told(run, kind, node="carol"):
    return [row.event for row in run.recorder.rows if isinstance(row.event, kind) and row.node == node]


@pytest.mark.conf("MOB-14")
def test_from_wifi_to_mobile_and_back_with_the_same_sas():
    """Loss only while there is no network at all."""
    run = Run(read("roaming_mobike")).run()
    pings = run.world.pings
    assert (pings["out"].sent, pings["out"].received) == (8, 5)
    assert (pings["back"].sent, pings["back"].received) == (12, 12)
    for node in ("carol", "moon"):
        assert len(told(run, SaInstalled, node)) == 2
        assert len(told(run, SaMoved, node)) == 4
    assert [(e.interface, e.is_up) for e in told(run, InterfaceChanged)] == [
        ("wifi", False),
        ("mobile", True),
        ("wifi", True),
        ("mobile", False),
    ]


def test_without_mobike_the_ike_sa_ends_with_its_address_and_traffic_makes_a_new_one():
    run = Run(read("roaming_without_mobike")).run()
    assert not told(run, MobikeAgreed)
    assert {event.outcome for event in told(run, AddressLost)} == {"without MOBIKE the IKE SA ends with it"}
    assert len(told(run, SaInstalled)) == 6
    assert not told(run, SaMoved)
    assert run.world.pings["out"].received == 5


def test_what_is_on_its_way_to_an_interface_that_went_down_is_lost():
    world = two_gateways()
    world.initiate("west")
    west = world.gateway("west")
    world.simulator.plan(ms(17), west, west.lose_contact)
    for _ in range(12):
        world.simulator.step()
    lost = [row.event for row in world.recorder.rows if isinstance(row.event, PacketDropped)]
    assert [(event.reason, event.detail) for event in lost][:1] == [(DropReason.LINK_DOWN, "on wan")]


def test_a_laptop_whose_wifi_goes_away_goes_on_over_the_other_network_and_stays_there():
    """Nobody tells it to roam: its interface knows that the air is empty, and the other one is up."""
    text = """
name: out_of_range
extends: roaming_mobike
set: {nodes.carol.interfaces.mobile.state: up}
script:
  - {at: 1s, do: ping carol server count=30 interval=100ms name=all}
  - {at: 2s, do: set links.air.state down}
  - {at: 3s, do: set links.air.state up}
expect: [all: lost at most 2]
"""
    run = Run(read(text)).run()
    assert [str(verdict) for verdict in run.verdicts() if not verdict.is_met] == []
    assert len(told(run, SaInstalled)) == 2
    (sa,) = run.world.simulator.nodes["moon"].ike.sas
    assert sa.path.remote == MOBILE
