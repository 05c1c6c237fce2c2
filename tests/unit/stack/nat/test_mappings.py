"""Mapping, filtering, ports and time, against a table written from RFC 4787."""

from itertools import product

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.match import Addresses, Match, Numbers
from ipsecsim.stack.nat.behaviour import (
    PRESETS,
    Behaviour,
    Dependence,
    Ports,
    Timeouts,
    preset,
)
from ipsecsim.stack.nat.events import MappingEnded
from ipsecsim.stack.nat.mappings import MOST_PEERS
from tests.unit.stack.nat.translator import ALICE, BOB, OTHER, OUTSIDE, PEER, Box, Translator, ping

NOTHING, ADDRESS, BOTH = Dependence
MINUTE = 60 * SECOND

# What RFC 4787 4.1 says of a second packet from the same inside endpoint: is its outside endpoint the first one's?
SAME_MAPPING = {
    # kind: (another address, another port of the same address, the same endpoint again)
    NOTHING: (True, True, True),
    ADDRESS: (False, True, True),
    BOTH: (False, False, True),
}
# What RFC 4787 5 says of a packet from outside, after one from inside to PEER port 9: does it get in?
LETS_IN = {
    # kind: (another address, another port of PEER, PEER port 9)
    NOTHING: (True, True, True),
    ADDRESS: (False, True, True),
    BOTH: (False, False, True),
}


@pytest.mark.conf("NAT-01")
@pytest.mark.parametrize(("mapping", "ports"), list(product(Dependence, Ports)))
def test_which_packets_share_a_mapping(mapping, ports):
    nat = Translator(Behaviour(mapping=mapping, ports=ports))
    first = nat.out(ALICE, 5000)
    others = nat.out(ALICE, 5000, OTHER), nat.out(ALICE, 5000, PEER, 10), nat.out(ALICE, 5000)
    assert tuple(each == first for each in others) == SAME_MAPPING[mapping]


@pytest.mark.conf("NAT-06")
@pytest.mark.parametrize(("mapping", "filtering", "ports"), list(product(Dependence, Dependence, Ports)))
def test_who_outside_reaches_the_inside(mapping, filtering, ports):
    """Filtering alone decides, whatever the mapping depends on, once the port is known."""
    nat = Translator(Behaviour(mapping=mapping, filtering=filtering, ports=ports))
    _, port = nat.out(ALICE, 5000)
    came = nat.back(port, OTHER), nat.back(port, PEER, 10), nat.back(port)
    assert tuple(each == (unpack(ALICE), 5000) for each in came) == LETS_IN[filtering]
    assert {each for each in came if isinstance(each, DropReason)} <= {DropReason.NAT_FILTERED}


@pytest.mark.conf("NAT-03")
@pytest.mark.parametrize(("mapping", "ports"), list(product(Dependence, Ports)))
def test_no_outside_port_is_ever_shared(mapping, ports):
    nat = Translator(Behaviour(mapping=mapping, ports=ports))
    asked = [
        (host, port, peer) for host in (ALICE, BOB) for port in (500, 5000, 5001) for peer in (PEER, OTHER)
    ]
    given: dict[tuple[str, int], set[tuple[bytes, int]]] = {}
    for host, port, peer in asked:
        given.setdefault(nat.out(host, port, peer), set()).add((host, port))
    assert all(len(insides) == 1 for insides in given.values())


@pytest.mark.conf("NAT-02")
def test_a_host_has_one_of_several_outside_addresses_and_keeps_it():
    pool = [pack("203.0.113.1"), pack("203.0.113.2")]
    nat = Translator(addresses=pool)
    asked = list(product((1, 2, 3), (PEER, OTHER)))
    seen = {host: {nat.out(host, port, peer)[0] for port, peer in asked} for host in (ALICE, BOB)}
    assert all(len(addresses) == 1 for addresses in seen.values())
    assert seen[ALICE] != seen[BOB]


@pytest.mark.conf("NAT-08")
@pytest.mark.parametrize("name", PRESETS)
def test_the_same_packets_get_the_same_ports(name):
    def ports(seed: str) -> list[object]:
        nat = Translator(preset(name), seed=seed)
        return [nat.out(*each) for each in product((ALICE, BOB), range(5000, 5020), (PEER, OTHER))]

    assert ports("one") == ports("one")
    assert (ports("one") == ports("two")) == (PRESETS[name].ports is not Ports.RANDOM)


# -- time -------------------------------------------------------------------------------------------


@pytest.mark.conf("NAT-04")
def test_a_mapping_lives_as_long_as_it_should_and_no_longer():
    assert Behaviour().timeouts.udp == 5 * MINUTE, "RFC 4787 REQ-5c"
    assert all(each.timeouts.udp >= 2 * MINUTE for name, each in PRESETS.items() if name != "hotel")
    for seconds in range(10, 601, 59):
        nat = Translator(Behaviour(timeouts=Timeouts(udp=seconds * SECOND)))
        _, port = nat.out(ALICE, 5000)
        assert nat.nat.next_deadline() == seconds * SECOND
        nat.now = seconds * SECOND - 1
        nat.nat.expire(nat.now)
        assert nat.back(port) == (unpack(ALICE), 5000)
        nat.now += 1
        nat.nat.expire(nat.now)
        assert nat.back(port) is DropReason.NAT_MAPPING_EXPIRED
        assert len(nat.nat.mappings) == 0


@pytest.mark.conf("NAT-05")
def test_what_goes_out_keeps_a_mapping_alive_and_what_comes_in_does_not():
    nat = Translator()
    _, port = nat.out(ALICE, 5000)
    nat.now = 4 * MINUTE
    assert nat.back(port) == (unpack(ALICE), 5000)
    assert nat.nat.next_deadline() == 5 * MINUTE
    nat.out(ALICE, 5000)
    assert nat.nat.next_deadline() == 9 * MINUTE


@pytest.mark.conf("NAT-14")
def test_a_ping_waits_a_minute_for_its_answer():
    assert Timeouts().icmp >= MINUTE
    nat = Translator()
    nat.nat.outbound(ping(ALICE, PEER, 7), 0)
    nat.nat.expire(MINUTE - 1)
    answer = ping(PEER, OUTSIDE, 7, is_reply=True)
    assert nat.nat.inbound(answer, MINUTE - 1) == ping(PEER, ALICE, 7, is_reply=True)
    nat.nat.expire(MINUTE)
    with pytest.raises(Refused) as refused:
        nat.nat.inbound(answer, MINUTE)
    assert refused.value.reason is DropReason.NAT_MAPPING_EXPIRED


def test_a_port_that_was_never_given_is_another_thing_than_one_that_was():
    nat = Translator()
    assert nat.back(4711) is DropReason.NAT_NO_MAPPING


def test_switched_off_and_on_it_knows_nobody():
    nat = Translator()
    _, port = nat.out(ALICE, 5000)
    nat.nat.forget("switched off and on")
    assert nat.back(port) is DropReason.NAT_MAPPING_EXPIRED
    assert nat.nat.next_deadline() is None
    assert [event.why for event in nat.events if isinstance(event, MappingEnded)] == ["switched off and on"]


def test_with_another_outside_address_all_begins_anew():
    nat = Translator()
    nat.out(ALICE, 5000)
    nat.nat.move([pack("203.0.113.77")])
    assert nat.out(ALICE, 5000) == ("203.0.113.77", 5000)


# -- bounds -----------------------------------------------------------------------------------------


def test_of_the_peers_of_a_mapping_only_the_last_are_remembered():
    nat = Translator()
    peers = [pack(f"198.51.{100 + number // 256}.{number % 256}") for number in range(MOST_PEERS + 1)]
    _, port = [nat.out(ALICE, 5000, peer) for peer in peers][-1]
    assert nat.back(port, peers[0]) is DropReason.NAT_FILTERED
    assert nat.back(port, peers[-1]) == (unpack(ALICE), 5000)


# -- rules ------------------------------------------------------------------------------------------


def test_what_is_exempt_is_not_translated():
    to_other = Addresses("dst", ((OTHER, OTHER),))
    nat = Translator(preset("home_router", exempt=(Match((to_other, Numbers("sport", ((5000, 5009),)))),)))
    assert nat.out(ALICE, 5000, OTHER) == (unpack(ALICE), 5000)
    assert nat.out(ALICE, 5000, PEER)[0] == unpack(OUTSIDE)
    assert nat.out(ALICE, 5010, OTHER)[0] == unpack(OUTSIDE), "only one of both words fits"


def test_what_the_box_listens_on_stays_with_the_box():
    nat = Translator(box=Box(ports={500}))
    assert nat.back(500) == (unpack(OUTSIDE), 500)
    assert nat.out(ALICE, 500)[1] != 500
