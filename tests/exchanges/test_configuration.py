"""Virtual addresses between two endpoints: west is the client, east the gateway (RFC 7296 2.19, 3.15)."""

from dataclasses import replace

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.ike.actions import ChildGivenUp, ReleaseAddress, UseAddress
from ipsecsim.ike.events import (
    AddressLent,
    AddressReturned,
    ChildSaFailed,
    ConfigurationReceived,
    IkeMessageReceived,
    IkeMessageSent,
    PoolsExhausted,
)
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.pools import Pool
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2.children import configuration
from ipsecsim.ike.v2.duties.tasks import Inform
from ipsecsim.ike.v2.sa import NO_SPI, IkeSa
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.selector import Flow
from ipsecsim.wire.ike.configuration import Configuration
from ipsecsim.wire.ike.numbers import CfgAttribute, CfgType
from tests.support.pair import EAST_NET, WEST, Pair

A = CfgAttribute
ANY4, ANY6 = bytes(4), bytes(16)
DNS = (A.INTERNAL_IP4_DNS, pack("10.2.0.53"))
SUBNET = (A.INTERNAL_IP4_SUBNET, pack("10.2.0.0") + pack("255.255.255.0"))
VISITORS = Pool.of("visitors", Prefix.parse("10.9.0.0/24"), (DNS, SUBNET))
VISITORS6 = Pool.of("visitors6", Prefix.parse("fd09::/64"))
NOBODY = Pool("nobody", pack("10.8.0.1"), pack("10.8.0.1"))
EVERYTHING = ["0.0.0.0/0", "::/0"]


def remote_access(*, vips=(ANY4,), pools=(VISITORS,), **others) -> Pair:
    """A client that asks for `vips`, and a gateway that lends from `pools`."""
    return Pair(
        west={"vips": vips, "local_ts": EVERYTHING, "remote_ts": [EAST_NET, "fd02::/64"], **others},
        east={"pools": pools, "local_ts": [EAST_NET, "fd02::/64"], "remote_ts": EVERYTHING},
    )


def own_sa(side):
    (sa,) = side.endpoint.sas
    return sa


def children_of(side) -> set[str]:
    return {str(selector) for sa in side.sas.values() for selector in sa.selectors}


def exhausted(pair: Pair) -> None:
    """Somebody else has the gateway's only address."""
    pair.east.endpoint.leases.lend(NOBODY, Identity.from_text("somebody.else"))


@pytest.mark.conf("IK2-89")
def test_a_client_gets_an_address_and_its_child_is_narrowed_to_it():
    pair = remote_access()
    pair.establish()
    assert pair.east.seen(AddressLent) == [AddressLent("10.9.0.1", "west.example", "visitors")]
    (told,) = pair.west.seen(ConfigurationReceived)
    assert told == ConfigurationReceived(("10.9.0.1",), ("10.2.0.53",), ("10.2.0.0/24",))
    assert children_of(pair.west) == {"10.9.0.1/32 === 10.2.0.0/24"}
    assert children_of(pair.east) == {"10.2.0.0/24 === 10.9.0.1/32"}


def test_the_address_is_in_use_before_the_first_sa():
    pair = remote_access()
    pair.establish()
    taken, *installed = pair.west.actions
    assert taken == UseAddress(pack("10.9.0.1"), ((pack("10.2.0.0"), pack("10.2.0.255")),))
    assert len(installed) == 2


@pytest.mark.conf("IK2-89")
def test_the_configuration_payload_stands_before_the_sa_payload_in_both_directions():
    pair = remote_access()
    pair.establish()
    for side in (pair.west, pair.east):
        (sent,) = (event for event in side.seen(IkeMessageSent) if event.exchange == "IKE_AUTH")
        assert sent.payloads.index("CP") < sent.payloads.index("SA")


@pytest.mark.conf("IK2-89")
def test_nobody_is_given_what_he_did_not_ask_for():
    pair = Pair(east={"pools": ()})
    pair.establish()
    (answer,) = (event for event in pair.west.seen(IkeMessageReceived) if event.exchange == "IKE_AUTH")
    assert "CP" not in answer.payloads


def test_both_ip_versions_at_once():
    pair = remote_access(vips=(ANY4, ANY6), pools=(VISITORS, VISITORS6))
    pair.establish()
    assert own_sa(pair.west).assigned.own == (pack("10.9.0.1"), pack("fd09::1"))
    assert children_of(pair.west) == {"10.9.0.1/32 === 10.2.0.0/24", "fd09::1/128 === fd02::/64"}


def test_a_version_that_the_gateway_does_not_lend_is_passed_over():
    pair = remote_access(vips=(ANY4, ANY6), pools=(VISITORS6,))
    pair.establish()
    assert own_sa(pair.west).assigned.own == (pack("fd09::1"),)
    assert children_of(pair.east) == {"fd02::/64 === fd09::1/128"}


def test_a_wish_is_granted_where_it_can_be():
    pair = remote_access(vips=(pack("10.9.0.77"),))
    pair.establish()
    assert own_sa(pair.west).assigned.own == (pack("10.9.0.77"),)


def test_the_next_pool_helps_out():
    pair = remote_access(pools=(NOBODY, VISITORS))
    exhausted(pair)
    pair.establish()
    assert pair.east.seen(AddressLent)[0].pool == "visitors"


@pytest.mark.conf("IK2-53", "IK2-89")
@pytest.mark.fault("FLT-30")
def test_without_an_address_left_the_ike_sa_stands_and_the_child_fails():
    pair = remote_access(pools=(NOBODY,))
    exhausted(pair)
    pair.establish()
    assert pair.east.seen(PoolsExhausted) == [PoolsExhausted("west.example", ("nobody",))]
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "INTERNAL_ADDRESS_FAILURE")]
    assert [own_sa(side).state for side in (pair.west, pair.east)] == [State.ESTABLISHED] * 2
    assert pair.west.actions == [ChildGivenUp("net", reached=True)]
    assert not pair.east.actions


@pytest.mark.fault("FLT-30")
def test_a_client_asks_again_with_its_next_child():
    pair = remote_access(pools=(NOBODY,))
    exhausted(pair)
    pair.establish()
    assert not pair.west.sas
    pair.initiate()
    pair.settle()
    assert pair.east.drops == [DropReason.INTERNAL_ADDRESS_FAILURE]
    pair.east.endpoint.leases.give_back(NOBODY, NOBODY.first)
    pair.initiate()
    pair.settle()
    assert children_of(pair.west) == {"10.8.0.1/32 === 10.2.0.0/24"}
    assert len(pair.east.endpoint.sas) == 1


def test_an_address_is_in_use_though_the_child_that_came_with_it_can_not_be_used():
    pair = remote_access(pools=(NOBODY,))
    exhausted(pair)
    pair.establish()
    pair.east.endpoint.leases.give_back(NOBODY, NOBODY.first)
    pair.initiate()
    task = own_sa(pair.west).task
    task.config = replace(task.config, remote_ts=())  # as if east had answered with other networks
    pair.settle()
    assert own_sa(pair.west).assigned.own == (NOBODY.first,)
    assert [action for action in pair.west.actions if isinstance(action, UseAddress)]
    assert not pair.west.sas


def test_nobody_takes_the_address_of_another():
    pair = remote_access(local_ts=["10.9.0.200/32"])
    pair.establish()
    assert own_sa(pair.east).assigned.at_peer == (pack("10.9.0.1"),)
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "TS_UNACCEPTABLE")]


def test_a_client_that_lost_its_memory_comes_back_to_its_address():
    pair = remote_access()
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.forget())
    pair.establish()
    assert own_sa(pair.west).assigned.own == (pack("10.9.0.1"),)
    assert len(pair.east.endpoint.sas) == 1
    assert pair.east.endpoint.leases.lent(VISITORS) == {pack("10.9.0.1"): Identity.from_text("west.example")}


@pytest.mark.parametrize(("source", "is_asked"), [(WEST, False), (pack("10.9.0.1"), True)])
def test_no_child_is_asked_for_that_would_not_carry_the_packet_which_waits(source, is_asked):
    pair = remote_access()
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.terminate_child("net", pair.now))
    pair.settle()
    pair.west.actions.clear()
    trigger = Trigger(Flow(source, pack("10.2.0.2"), 1, None, None))
    pair.perform(pair.west, pair.west.endpoint.initiate("net", pair.now, trigger))
    assert bool(pair.wire) is is_asked
    assert bool(pair.west.actions) is not is_asked


def test_a_gateway_that_has_no_pools_says_so_too():
    pair = remote_access(pools=())
    pair.establish()
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "INTERNAL_ADDRESS_FAILURE")]


@pytest.mark.conf("IK2-53", "IK2-119")
def test_a_client_that_asks_for_nothing_gets_no_child_from_a_gateway_with_pools():
    pair = remote_access(vips=())
    pair.establish()
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "FAILED_CP_REQUIRED")]
    assert [own_sa(side).state for side in (pair.west, pair.east)] == [State.ESTABLISHED] * 2
    pair.initiate()
    pair.settle()
    assert pair.east.drops == [DropReason.FAILED_CP_REQUIRED]
    assert not pair.west.sas


def test_a_client_that_gets_no_reply_does_not_keep_the_child():
    """RFC 7296 3.15.4: one that needs an address takes an answer without one for an error."""
    pair = Pair()
    pair.initiate()
    pair.deliver()
    pair.deliver()
    sa = own_sa(pair.west)
    sa.connection = replace(sa.connection, vips=(ANY4,))  # as if east had not looked at the request
    pair.settle()
    assert pair.west.drops == [DropReason.INTERNAL_ADDRESS_FAILURE]
    assert ChildGivenUp("net", reached=True) in pair.west.actions
    assert not pair.east.endpoint.sas


@pytest.mark.parametrize(
    "address", ["0.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "ff02::1"]
)
def test_a_client_does_not_take_an_address_that_no_machine_can_have(address):
    odd = Pool("odd", pack(address), pack(address))
    pair = remote_access(vips=(ANY4, ANY6), pools=(odd,))
    pair.establish()
    assert pair.west.drops == [DropReason.INTERNAL_ADDRESS_FAILURE]
    assert not any(isinstance(action, UseAddress) for action in pair.west.actions)


@pytest.mark.parametrize("how", ["client", "gateway", "dead peer"])
def test_an_address_goes_back_with_the_ike_sa(how):
    pair = remote_access()
    pair.establish()
    if how == "dead peer":
        for side in (pair.west, pair.east):
            pair.perform(side, side.endpoint.forget())
    else:
        pair.terminate(pair.west if how == "client" else pair.east)
        pair.settle()
    assert pair.west.actions[-1] == ReleaseAddress(pack("10.9.0.1"))
    assert pair.east.seen(AddressReturned) == [AddressReturned("10.9.0.1", "visitors")]
    assert pair.east.endpoint.leases.lent(VISITORS) == {}


def test_the_same_peer_gets_the_same_address_again():
    pair = remote_access()
    pair.establish()
    pair.terminate()
    pair.settle()
    pair.east.endpoint.leases.lend(VISITORS, Identity.from_text("somebody.else"))
    pair.establish()
    assert own_sa(pair.west).assigned.own == (pack("10.9.0.1"),)


def test_a_client_that_authenticates_anew_keeps_its_address_while_both_ike_sas_stand():
    pair = remote_access()
    pair.establish()
    old = own_sa(pair.west)
    fresh = IkeSa(
        is_initiator=True,
        candidates=[old.connection],
        path=old.path,
        spi_i=bytes(range(1, 9)),
        spi_r=NO_SPI,
        credentials=old.credentials,
        entropy=SeededEntropy("fresh"),
        node=pair.west.endpoint,
        tap=None,
    )
    begun = fresh.initiate(old.wanted_child, pair.now)
    pair.west.endpoint.adopt(fresh)
    pair.perform(pair.west, begun)
    pair.settle()
    assert (old.assigned.own, fresh.assigned.own) == ((pack("10.9.0.1"),), (pack("10.9.0.1"),))
    pair.perform(pair.west, old.terminate(pair.now))
    pair.settle()
    assert list(pair.east.endpoint.leases.lent(VISITORS)) == [pack("10.9.0.1")]
    assert not pair.east.seen(AddressReturned)


@pytest.mark.parametrize("begins", ["west", "east"])
def test_a_new_ike_sa_inherits_the_address(begins):
    pair = remote_access()
    pair.establish()
    side = getattr(pair, begins)
    pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    assert own_sa(pair.west).assigned.own == (pack("10.9.0.1"),)
    assert own_sa(pair.east).assigned.at_peer == (pack("10.9.0.1"),)
    assert not pair.east.seen(AddressReturned)
    assert not any(isinstance(action, ReleaseAddress) for action in pair.west.actions)


@pytest.mark.parametrize("begins", ["west", "east"])
def test_a_rekeyed_child_is_still_about_the_address(begins):
    pair = remote_access()
    pair.establish()
    side = getattr(pair, begins)
    pair.perform(side, side.endpoint.rekey("net", pair.now))
    pair.settle()
    assert children_of(pair.west) == {"10.9.0.1/32 === 10.2.0.0/24"}
    assert children_of(pair.east) == {"10.2.0.0/24 === 10.9.0.1/32"}
    assert len(pair.east.seen(AddressLent)) == 1


# -- what a peer may write into it ------------------------------------------------------------------


def ask(pair: Pair, *attributes, cfg_type=CfgType.CFG_REQUEST) -> None:
    """West sends an INFORMATIONAL with a Configuration payload."""
    sa = own_sa(pair.west)
    pair.perform(pair.west, sa.enqueue(Inform([Configuration(cfg_type, list(attributes))]), pair.now))
    pair.settle()


@pytest.mark.conf("IK2-90")
@pytest.mark.parametrize("length", [0, 3, 65_000])
def test_unknown_attributes_of_any_length_are_ignored(length):
    pair = Pair()
    pair.establish()
    ask(pair, (0x3FFF, bytes(length)), (A.APPLICATION_VERSION, b""))
    assert own_sa(pair.east).state is State.ESTABLISHED
    assert not pair.east.drops


@pytest.mark.conf("IK2-90")
@pytest.mark.parametrize(
    ("kind", "length"),
    [
        (A.INTERNAL_IP4_ADDRESS, 3),
        (A.INTERNAL_IP4_ADDRESS, 5),
        (A.INTERNAL_IP4_NETMASK, 1),
        (A.INTERNAL_IP4_DNS, 16),
        (A.INTERNAL_IP6_ADDRESS, 16),
        (A.INTERNAL_IP6_DNS, 4),
        (A.INTERNAL_IP4_SUBNET, 4),
        (A.INTERNAL_IP6_SUBNET, 16),
    ],
)
def test_known_attributes_have_their_lengths(kind, length):
    pair = Pair()
    pair.establish()
    ask(pair, (kind, bytes(length)))
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert not pair.east.endpoint.sas


def test_who_asks_what_we_are_is_told():
    asked = Configuration(CfgType.CFG_REQUEST, [(A.APPLICATION_VERSION, b""), (A.SUPPORTED_ATTRIBUTES, b"")])
    (answer,) = configuration.tell_about_us([asked])
    told = dict(answer.attributes)
    assert (answer.cfg_type, told[A.APPLICATION_VERSION]) == (CfgType.CFG_REPLY, b"ipsecsim")
    assert told[A.SUPPORTED_ATTRIBUTES][:4] == bytes([0, A.INTERNAL_IP4_ADDRESS, 0, A.INTERNAL_IP4_NETMASK])
    pair = Pair()
    pair.establish()
    ask(pair, *asked.attributes)
    assert pair.west.seen(IkeMessageReceived)[-1].payloads == ("CP",)


def test_what_a_peer_wants_us_to_set_is_ignored():
    pair = Pair()
    pair.establish()
    ask(pair, (A.INTERNAL_IP4_ADDRESS, pack("10.9.0.9")), cfg_type=CfgType.CFG_SET)
    assert pair.west.seen(IkeMessageReceived)[-1].payloads == ()
