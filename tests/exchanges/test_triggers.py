"""The packet that asks for a child, and what both ends make of it (RFC 7296 2.9, RFC 4301 4.4.1)."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.events import BeganAgain, ChildSaFailed, IkeMessageSent
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ipsec.populate import ADDRESSES, Part
from ipsecsim.ipsec.selector import ANY_PORT, Flow, Selector
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.numbers import IpProtocol
from tests.support.misbehaving import a_peer_that, adds, changes
from tests.support.pair import Pair

HERE, THERE = pack("10.1.0.7"), pack("10.2.0.9")
WEB = Flow(HERE, THERE, IpProtocol.TCP, 40000, 443)
PAIR_OF_WEB = "10.1.0.7/32 === 10.2.0.9/32"


def host(address: bytes) -> Prefix:
    return Prefix(address, 32)


def ask_for(pair: Pair, flow: Flow = WEB, only: Selector | None = None) -> None:
    """A packet of west's has no SA."""
    pair.perform(pair.west, pair.west.endpoint.initiate("net", pair.now, Trigger(flow, only)))
    pair.settle()


def carried(side) -> list[str]:
    """What the outbound SAs of a side are for."""
    outbound = [sa for (direction, _), sa in side.sas.items() if direction == "out"]
    return sorted("; ".join(map(str, sa.selectors)) for sa in outbound)


def offered(trigger: Trigger, networks=("10.1.0.0/24", "10.2.0.0/24")):
    return trigger.offered(*([traffic_selector(Prefix.parse(each))] for each in networks))


# -- asking -----------------------------------------------------------------------------------------


def test_the_packets_addresses_protocol_and_ports_go_first():
    local, remote = offered(Trigger(WEB))
    assert local[0] == traffic_selector(host(HERE), IpProtocol.TCP, (40000, 40000))
    assert remote[0] == traffic_selector(host(THERE), IpProtocol.TCP, (443, 443))
    assert [len(local), len(remote)] == [2, 2]


def test_of_a_ping_no_type_goes_first_since_its_answer_has_another_one():
    ping = Flow(HERE, THERE, IpProtocol.ICMP, 0x800, 0x800)
    local, remote = offered(Trigger(ping))
    assert (local[0].protocol, (local[0].start_port, local[0].end_port)) == (IpProtocol.ICMP, ANY_PORT)
    assert (remote[0].start, remote[0].end) == (THERE, THERE)


def test_a_packet_that_the_rule_does_not_speak_of_does_not_go_first():
    """RFC 7296 2.9.1: no initiator may ask for what its own policy forbids."""
    local, _ = offered(Trigger(WEB), ("10.9.0.0/24", "10.2.0.0/24"))
    assert local == [traffic_selector(Prefix.parse("10.9.0.0/24"))]


@pytest.mark.conf("IK2-79")
@pytest.mark.parametrize("east", [{}, {"local_ts": ["10.2.0.0/25"]}, {"local_ts": ["10.2.0.9/32"]}])
def test_the_answer_holds_the_first_choice_and_lists_nothing_twice(east):
    pair = Pair(east=east)
    ask_for(pair)
    (sa,) = (sa for (direction, _), sa in pair.west.sas.items() if direction == "out")
    assert len(sa.selectors) == 1
    assert Trigger(WEB).is_carried(sa.selectors)


@pytest.mark.conf("IK2-79")
def test_of_two_children_the_responder_takes_the_one_that_holds_the_first_choice_and_says_that_there_is_more():
    pair = Pair(east={"local_ts": ["10.2.0.128/25"], "second": (["10.2.0.0/25"], ["10.1.0.0/24"])})
    ask_for(pair)
    assert carried(pair.west) == ["10.1.0.0/24 === 10.2.0.0/25"]
    answer = pair.east.seen(IkeMessageSent)[-1]
    assert "N(ADDITIONAL_TS_POSSIBLE)" in answer.payloads


@pytest.mark.conf("IK2-80")
def test_nothing_in_common_is_told_and_the_packet_given_up():
    pair = Pair(east={"local_ts": ["10.9.0.0/24"]})
    ask_for(pair)
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "TS_UNACCEPTABLE")]
    assert pair.west.actions == [ChildGivenUp("net", reached=True)]


def test_a_packet_outside_the_narrowed_child_gets_one_of_its_own_and_only_one():
    pair = Pair(east={"local_ts": ["10.2.0.0/25", "10.2.0.200/32"]})
    ask_for(pair)
    other = Flow(HERE, pack("10.2.0.150"), IpProtocol.UDP, 1, 2)
    before = len(pair.west.endpoint.sas[0].children)
    for _ in range(3):
        ask_for(pair, other)  # nobody there wants to carry it
    assert len(pair.west.endpoint.sas[0].children) == before
    assert [each.notify for each in pair.west.seen(ChildSaFailed)] == ["TS_UNACCEPTABLE"] * 3


# -- one child for each pair ------------------------------------------------------------------------


@pytest.mark.conf("IK2-80")
def test_a_responder_with_one_child_for_each_pair_takes_the_first_choice_of_the_offer():
    pair = Pair(east={"from_packet": ADDRESSES})
    ask_for(pair)
    assert carried(pair.west) == [PAIR_OF_WEB]
    assert "N(ADDITIONAL_TS_POSSIBLE)" in pair.east.seen(IkeMessageSent)[-1].payloads
    other = Flow(HERE, pack("10.2.0.10"), IpProtocol.UDP, 1, 2)
    ask_for(pair, other)
    ask_for(pair, other)
    assert carried(pair.west) == [PAIR_OF_WEB.replace(".9", ".10"), PAIR_OF_WEB]
    assert len(pair.west.endpoint.sas) == 1


@pytest.mark.conf("IK2-80")
def test_without_a_packet_it_requires_one():
    pair = Pair(east={"from_packet": ADDRESSES})
    pair.establish()
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "SINGLE_PAIR_REQUIRED")]
    assert pair.west.actions == [ChildGivenUp("net", reached=True)]


@pytest.mark.conf("IK2-80")
def test_single_pair_required_makes_the_initiator_ask_for_the_packet_alone():
    """A responder that does not look at the first choice, but says what it needs."""
    habits = [adds(Notify(NotifyType.SINGLE_PAIR_REQUIRED))]

    def without_child(said) -> None:
        said.payloads[:] = [each for each in said.payloads if each.type not in (P.SA, P.TSi, P.TSr)]

    pair = a_peer_that(without_child, *habits, in_="IKE_AUTH response")
    ask_for(pair)
    assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "SINGLE_PAIR_REQUIRED")]
    assert PAIR_OF_WEB in carried(pair.west)
    assert not any(isinstance(each, ChildGivenUp) for each in pair.west.actions)


# -- populated from the packet ----------------------------------------------------------------------


def only(flow: Flow) -> Selector:
    port = (flow.destination_port, flow.destination_port)
    return Selector((HERE, HERE), (THERE, THERE), flow.protocol, ANY_PORT, port)


@pytest.mark.conf("ARC-09")
def test_a_child_for_each_port_is_asked_for_alone_and_rekeyed_as_what_it_is():
    parts = ADDRESSES | {Part.PROTOCOL, Part.REMOTE_PORT}
    pair = Pair(west={"from_packet": parts})
    flows = [Flow(HERE, THERE, IpProtocol.TCP, 40000, port) for port in (80, 443, 80)]
    for flow in flows:
        ask_for(pair, flow, only(flow))
    expected = [f"{PAIR_OF_WEB}, TCP, remote port {port}" for port in (443, 80)]
    assert carried(pair.west) == expected
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    assert carried(pair.west) == expected


@pytest.mark.conf("ARC-09")
def test_two_packets_at_once_share_the_ike_sa_that_the_first_one_asked_for():
    pair = Pair(west={"from_packet": frozenset({Part.REMOTE_PORT})})
    for port in (80, 443, 443):
        flow = Flow(HERE, THERE, IpProtocol.TCP, 40000, port)
        pair.perform(pair.west, pair.west.endpoint.initiate("net", 0, Trigger(flow, only(flow))))
    pair.settle()
    assert len(pair.west.endpoint.sas) == 1
    assert len(carried(pair.west)) == 2


# -- rekeying ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["IKE_SA_INIT", "IKE_AUTH"])
def test_a_try_that_begins_anew_asks_for_all_that_the_first_one_was_to_ask_for(lost):
    one, other = (Selector((HERE, HERE), (there, there)) for there in (THERE, pack("10.2.0.10")))
    retransmit = RetransmitPolicy(timeout=SECOND, tries=1)
    pair = Pair(west={"keyingtries": 2, "retransmit": retransmit})
    for only in (one, other):
        flow = Flow(HERE, only.remote[0], IpProtocol.TCP, 40000, 443)
        pair.perform(pair.west, pair.west.endpoint.initiate("net", pair.now, Trigger(flow, only)))
    if lost == "IKE_AUTH":
        pair.deliver()
        pair.deliver()
    pair.wire.clear()
    while not pair.west.seen(BeganAgain):
        pair.wire.clear()
        pair.wait_until(pair.now + SECOND)
    pair.settle()
    assert carried(pair.west) == sorted(map(str, (one, other)))


@pytest.mark.conf("IK2-113")
def test_a_new_pair_is_not_asked_for_with_a_packet_in_front():
    pair = Pair()
    ask_for(pair)
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    _, request, *_ = [each.length for each in pair.west.seen(IkeMessageSent)][1:]
    alone = Pair()
    alone.establish()
    alone.perform(alone.west, alone.west.endpoint.rekey("net", alone.now))
    assert request == [each.length for each in alone.west.seen(IkeMessageSent)][2]


@pytest.mark.conf("IK2-113")
@pytest.mark.parametrize("kind", ["request", "response"])
def test_a_new_pair_that_would_carry_less_is_not_taken_by_either_side(kind):
    less = [traffic_selector(Prefix.parse("10.2.0.0/25"))]
    pair = a_peer_that(changes(P.TSr, selectors=less), in_=f"CREATE_CHILD_SA {kind}")
    pair.establish()
    before = carried(pair.west)
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    assert carried(pair.west) == before == ["10.1.0.0/24 === 10.2.0.0/24"]
    assert [each.notify for each in pair.west.seen(ChildSaFailed)] == ["TS_UNACCEPTABLE"]
    assert len(pair.west.sas) == len(pair.east.sas) == 2


@pytest.mark.conf("IK2-81")
def test_a_child_asked_for_alone_may_not_be_answered_with_its_whole_rule():
    pair = a_peer_that(
        changes(P.TSr, selectors=[traffic_selector(Prefix.parse("10.2.0.0/24"))]),
        in_="IKE_AUTH response",
        west={"from_packet": ADDRESSES},
    )
    ask_for(pair, WEB, Selector((HERE, HERE), (THERE, THERE)))
    assert not pair.west.sas
    assert pair.west.drops == [DropReason.TS_UNACCEPTABLE]
