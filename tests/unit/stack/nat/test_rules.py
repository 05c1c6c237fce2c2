"""What always leads inside: forwarded ports, the host that gets the rest, and an address of one's own."""

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack import icmp
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.nat.behaviour import PRESETS, Behaviour, Dependence, Forward, OneToOne, preset
from ipsecsim.stack.nat.rewriting import quoted
from ipsecsim.wire import icmpv4, ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.nat.translator import (
    ALICE,
    BOB,
    OTHER,
    OUTSIDE,
    PEER,
    Box,
    Translator,
    datagram,
    portless,
)

PUBLIC = pack("203.0.113.9")
IKE = Forward(IpProtocol.UDP, ((500, 500), (4500, 4500)), BOB)
THE_REST = Forward(None, (), BOB)


@pytest.mark.parametrize("mapping", Dependence)
def test_a_forward_leads_a_port_inside_and_every_answer_comes_from_it(mapping):
    nat = Translator(Behaviour(mapping=mapping, forwards=(IKE,)))
    for peer, port in ((OTHER, 777), (PEER, 500), (PEER, 501)):
        assert nat.back(500, peer, port) == (unpack(BOB), 500)
        assert nat.out(BOB, 500, peer, port) == (unpack(OUTSIDE), 500)
    assert nat.back(80) is DropReason.NAT_NO_MAPPING
    assert nat.out(ALICE, 500)[1] not in (500, 4500), "the port is BOB's"


def test_what_comes_by_a_rule_takes_no_room_in_the_table():
    nat = Translator(preset("home_router", forwards=(THE_REST,)))
    for port in range(1, 500):
        assert nat.back(port, OTHER) == (unpack(BOB), port)
    assert len(nat.nat.mappings) == 0


@pytest.mark.parametrize("name", PRESETS)
def test_who_gets_the_rest_gets_it_and_the_others_are_served_too(name):
    nat = Translator(preset(name, forwards=(THE_REST,)))
    _, port = nat.out(ALICE, 6000)
    assert nat.back(port) == (unpack(ALICE), 6000)
    free = 700 if port != 700 else 701
    assert nat.back(free, OTHER) == (unpack(BOB), free)
    assert nat.out(BOB, free, OTHER) == (unpack(OUTSIDE), free)


def test_a_port_that_another_host_has_already_is_not_taken_from_it():
    nat = Translator(preset("home_router", forwards=(THE_REST,)))
    assert nat.out(ALICE, 6000) == (unpack(OUTSIDE), 6000)
    assert nat.out(BOB, 6000) == (unpack(OUTSIDE), 6001)
    assert nat.back(6000) == (unpack(ALICE), 6000)
    assert nat.back(6001) == (unpack(BOB), 6000)


def test_who_gets_the_rest_speaks_every_protocol():
    nat = Translator(preset("symmetric", forwards=(THE_REST,)))
    for protocol in (IpProtocol.ESP, IpProtocol.AH):
        came = nat.nat.inbound(portless(PEER, OUTSIDE, protocol, 7), 0)
        assert ipv4.parse(came).destination == BOB
        assert ipv4.parse(nat.nat.outbound(portless(BOB, PEER, protocol, 8), 0)).source == OUTSIDE
        with pytest.raises(Refused):
            nat.nat.outbound(portless(ALICE, PEER, protocol, 9), 0)


def test_what_the_box_asked_for_itself_is_not_the_rest():
    nat = Translator(preset("home_router", forwards=(THE_REST,)), box=Box(ports={500}))
    assert nat.back(500) == (unpack(OUTSIDE), 500)
    assert nat.back(501) == (unpack(BOB), 501)
    led = Translator(preset("home_router", forwards=(IKE,)), box=Box(ports={500}))
    assert led.back(500) == (unpack(BOB), 500), "a rule for just this port is meant so"


def test_an_error_about_what_was_led_in_speaks_of_the_outside():
    nat = Translator(preset("home_router", forwards=(IKE,)))
    came = nat.nat.inbound(datagram(PEER, 9, OUTSIDE, 500), 0)
    error = icmp.error_about(came, Problem.PORT, 0)
    told = nat.nat.outbound(ipv4.build(BOB, PEER, IpProtocol.ICMP, error.emit()), 0)
    assert ipv4.parse(told).source == OUTSIDE
    assert quoted(told)[:28] == datagram(PEER, 9, OUTSIDE, 500)[:28]


def one_to_one(name: str = "symmetric") -> Translator:
    return Translator(preset(name, one_to_one=(OneToOne(BOB, PUBLIC),)))


def test_a_host_with_an_address_of_its_own_keeps_every_port():
    nat = one_to_one()
    for port in (1, 500, 5000, 65535):
        assert nat.out(BOB, port) == (unpack(PUBLIC), port)
        assert nat.back(port, OTHER, to=PUBLIC) == (unpack(BOB), port)
    assert nat.out(ALICE, 5000)[0] == unpack(OUTSIDE)
    assert nat.back(4711) is DropReason.NAT_NO_MAPPING, "the box's address is not its"


def test_it_speaks_every_protocol_and_no_time_runs():
    nat = one_to_one()
    for protocol in (IpProtocol.ESP, IpProtocol.AH):
        assert ipv4.parse(nat.nat.outbound(portless(BOB, PEER, protocol, 8), 0)).source == PUBLIC
        assert ipv4.parse(nat.nat.inbound(portless(PEER, PUBLIC, protocol, 7), 0)).destination == BOB
    other = ipv4.build(BOB, PEER, 89, bytes(20))
    assert nat.nat.outbound(other, 0) == ipv4.build(PUBLIC, PEER, 89, bytes(20))
    assert nat.nat.next_deadline() is None


def test_errors_find_it_and_come_from_it():
    nat = one_to_one()
    sent = datagram(BOB, 5000, PEER, 9)
    error = icmp.error_about(nat.nat.outbound(sent, 0), Problem.TOO_BIG, 1400)
    back = nat.nat.inbound(ipv4.build(OTHER, PUBLIC, IpProtocol.ICMP, error.emit()), 0)
    assert ipv4.parse(back).destination == BOB
    assert quoted(back)[:28] == sent[:28]
    came = datagram(PEER, 9, PUBLIC, 53)
    error = icmp.error_about(nat.nat.inbound(came, 0), Problem.PORT, 0)
    for sender, known_as in ((BOB, PUBLIC), (ALICE, PUBLIC)):  # itself, or a router on the way to it
        told = nat.nat.outbound(ipv4.build(sender, PEER, IpProtocol.ICMP, error.emit()), 0)
        assert ipv4.parse(told).source == known_as
        assert quoted(told)[:28] == came[:28]


def test_it_is_reached_from_inside_by_its_outside_address():
    nat = one_to_one("home_router")
    packet = nat.nat.hairpin(datagram(ALICE, 5000, PUBLIC, 53), 0)
    assert (ipv4.parse(packet).source, ipv4.parse(packet).destination) == (OUTSIDE, BOB)
    answer = nat.nat.hairpin(datagram(BOB, 53, OUTSIDE, 5000), 0)
    assert (ipv4.parse(answer).source, ipv4.parse(answer).destination) == (PUBLIC, ALICE)
    ping = icmpv4.Echo(False, 7, 1, b"").emit()
    assert ipv4.parse(nat.nat.hairpin(ipv4.build(ALICE, PUBLIC, 1, ping), 0)).destination == BOB
