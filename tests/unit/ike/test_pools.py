"""Leases: nobody's address is given twice, and everybody gets its own again."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.pools import MOST_REMEMBERED, Leases, Pool

CAROL, DAVE, ERIN = (Identity.from_text(f"{name}.example") for name in ("carol", "dave", "erin"))
SMALL = Pool.of("visitors", Prefix.parse("10.9.0.0/30"))  # .1 and .2


def test_a_network_lends_neither_its_first_nor_its_last_address():
    assert (SMALL.first, SMALL.last, SMALL.size) == (pack("10.9.0.1"), pack("10.9.0.2"), 2)
    assert Pool.of("v6", Prefix.parse("fd09::/64")).first == pack("fd09::1")


def test_a_network_of_two_addresses_or_one_lends_all_of_them():
    assert Pool.of("two", Prefix.parse("10.9.0.0/31")).size == 2
    assert Pool.of("one", Prefix.parse("10.9.0.7/32")).size == 1


def test_peers_get_different_addresses_until_none_is_left():
    leases = Leases()
    assert leases.lend(SMALL, CAROL) == pack("10.9.0.1")
    assert leases.lend(SMALL, DAVE) == pack("10.9.0.2")
    assert leases.lend(SMALL, ERIN) is None
    assert leases.lent(SMALL) == {pack("10.9.0.1"): CAROL, pack("10.9.0.2"): DAVE}


def test_a_peer_that_comes_back_gets_its_address_again():
    leases = Leases()
    first = leases.lend(SMALL, CAROL)
    leases.give_back(SMALL, first)
    assert leases.lend(SMALL, DAVE) == pack("10.9.0.2")
    assert leases.lend(SMALL, CAROL) == first


def test_an_address_of_another_peer_is_taken_only_when_no_fresh_one_is_left():
    leases = Leases()
    for holder in (CAROL, DAVE):
        leases.lend(SMALL, holder)
    leases.give_back(SMALL, pack("10.9.0.2"))
    leases.give_back(SMALL, pack("10.9.0.1"))
    assert leases.lend(SMALL, ERIN) == pack("10.9.0.2")  # the one that was given back first


def test_two_devices_of_one_peer_have_two_addresses():
    leases = Leases()
    assert leases.lend(SMALL, CAROL) != leases.lend(SMALL, CAROL)


def test_a_wish_is_granted_where_nobody_else_has_that_address():
    leases = Leases()
    assert leases.lend(SMALL, CAROL, pack("10.9.0.2")) == pack("10.9.0.2")
    assert leases.lend(SMALL, DAVE, pack("10.9.0.2")) == pack("10.9.0.1")


def test_a_wish_does_not_take_what_another_peer_had_last():
    leases = Leases()
    leases.lend(SMALL, CAROL)
    leases.give_back(SMALL, pack("10.9.0.1"))
    assert leases.lend(SMALL, DAVE, pack("10.9.0.1")) == pack("10.9.0.2")


def test_a_peer_that_authenticates_anew_keeps_its_address_until_both_ike_sas_are_gone():
    leases = Leases()
    address = leases.lend(SMALL, CAROL)
    assert leases.lend(SMALL, CAROL, address) == address
    assert not leases.give_back(SMALL, address)
    assert leases.lent(SMALL) == {address: CAROL}
    assert leases.give_back(SMALL, address)
    assert leases.lent(SMALL) == {}


@pytest.mark.parametrize("wish", ["10.8.0.1", "192.0.2.1", "fd09::1"])
def test_a_wish_for_an_address_outside_the_pool_is_passed_over(wish):
    assert Leases().lend(SMALL, CAROL, pack(wish)) == pack("10.9.0.1")


def test_of_a_wish_from_another_ipv6_network_the_interface_identifier_is_kept():
    pool = Pool.of("v6", Prefix.parse("fd09::/64"))
    assert Leases().lend(pool, CAROL, pack("2001:db8::1:2:3:4")) == pack("fd09::1:2:3:4")


@pytest.mark.conf("IK2-89")
def test_ten_thousand_sessions_never_share_an_address():
    pool = Pool.of("big", Prefix.parse("10.128.0.0/17"))
    leases = Leases()
    given = {leases.lend(pool, Identity.from_text(f"client{n}.example")) for n in range(10_000)}
    assert len(given) == 10_000
    assert None not in given


def test_what_a_pool_remembers_is_bounded():
    pool = Pool.of("big", Prefix.parse("10.128.0.0/9"))
    leases = Leases()
    for number in range(MOST_REMEMBERED + 10):
        leases.give_back(pool, leases.lend(pool, Identity.from_text(f"client{number}.example")))
    assert leases.lend(pool, Identity.from_text("client10.example")) == pool.at(10)  # remembered
    assert leases.lend(pool, Identity.from_text("client9.example")) == pool.at(
        MOST_REMEMBERED + 10
    )  # forgotten


def test_addresses_that_were_forgotten_are_lent_again():
    pool = Pool("small", pack("10.9.0.1"), pack("10.9.0.3"))
    leases = Leases()
    for round_ in range(5):
        for holder in (CAROL, DAVE, ERIN):
            address = leases.lend(pool, Identity.from_text(f"{round_}.{holder}"))
            assert address in pool
            leases.give_back(pool, address)
