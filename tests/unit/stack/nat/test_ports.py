"""Which outside port a flow gets, and what happens when none is left."""

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.nat.behaviour import Behaviour, Forward, Ports, preset
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.nat.translator import ALICE, BOB, OTHER, OUTSIDE, PEER, Translator, datagram


def test_ports_are_picked_as_the_word_says():
    kept = Translator(Behaviour(ports=Ports.PRESERVING))
    assert [kept.out(host, 5000)[1] for host in (ALICE, BOB)] == [5000, 5001]
    in_order = Translator(Behaviour(ports=Ports.SEQUENTIAL))
    assert [in_order.out(ALICE, port)[1] for port in (9000, 7000, 8000)] == [1024, 1025, 1026]
    blocks = Translator(Behaviour(ports=Ports.CONTIGUOUS, block=512))
    own = [blocks.out(host, port)[1] // 512 for host in (ALICE, BOB) for port in (1, 2, 3)]
    assert own[:3] == [own[0]] * 3
    assert own[3:] == [own[3]] * 3
    assert own[0] != own[3], "each host has a range of its own"
    anywhere = Translator(Behaviour(ports=Ports.RANDOM))
    assert len({anywhere.out(ALICE, port)[1] - port for port in range(2000, 2010)}) > 5


def test_one_host_can_not_take_all_ports():
    nat = Translator(preset("carrier_grade", most_per_host=10))
    given = [nat.out(ALICE, 5000 + number) for number in range(11)]
    assert given[-1] is DropReason.NAT_PORTS_EXHAUSTED
    assert DropReason.NAT_PORTS_EXHAUSTED not in given[:-1]
    assert nat.out(BOB, 5000)[0] == unpack(OUTSIDE), "the others are served"


def test_when_all_ports_are_given_the_next_packet_is_dropped():
    nat = Translator(Behaviour(most_per_host=100_000, ports=Ports.SEQUENTIAL))
    hosts = (pack(f"10.0.{number // 250}.{number % 250 + 1}") for number in range(70))
    given = [nat.out(host, 1000 + port) for host in hosts for port in range(1000)]
    free = 0x10000 - 1024
    assert given[free] is DropReason.NAT_PORTS_EXHAUSTED
    assert len(set(given[:free])) == free


@pytest.mark.conf("NAT-03")
def test_a_well_known_port_becomes_another_well_known_one():
    """RFC 4787 REQ-3a: whoever speaks from 500 may need a port below 1024, whoever does not may not."""
    nat = Translator(Behaviour(ports=Ports.PRESERVING))
    given = [nat.out(pack(f"10.0.0.{number}"), 500)[1] for number in range(1, 5)]
    assert given == [500, 501, 502, 503]
    high = [nat.out(pack(f"10.0.0.{number}"), 65535)[1] for number in range(1, 4)]
    assert high == [65535, 1024, 1025]


def test_when_no_well_known_port_is_left_a_high_one_does():
    nat = Translator(Behaviour(ports=Ports.PRESERVING))
    given = [nat.out(pack(f"10.0.{number >> 8}.{number & 255}"), 500)[1] for number in range(1025)]
    assert sorted(given[:1023]) == list(range(1, 1024))
    assert given[1023:] == [1024, 1025]


def test_two_hosts_never_have_one_range():
    """Hosts whose numbers lie a whole round apart would begin at the same range."""
    nat = Translator(Behaviour(ports=Ports.CONTIGUOUS, block=512))
    rounds = (0x10000 - 1024) // 512
    hosts = [(0x0A000000 + number * rounds).to_bytes(4, "big") for number in range(5)]
    ranges = [{(nat.out(host, port)[1] - 1024) // 512 for port in range(20)} for host in hosts]
    assert all(len(own) == 1 for own in ranges)
    assert len(set.union(*ranges)) == len(hosts)


def test_when_every_range_is_taken_the_next_host_gets_nothing_until_one_is_free():
    nat = Translator(Behaviour(ports=Ports.CONTIGUOUS, block=16128))
    hosts = [pack(f"10.0.0.{number}") for number in range(1, 6)]
    given = [nat.out(host, 5000) for host in hosts]
    assert given[4] is DropReason.NAT_PORTS_EXHAUSTED
    assert DropReason.NAT_PORTS_EXHAUSTED not in given[:4]
    nat.nat.expire(nat.nat.next_deadline())
    assert nat.out(hosts[4], 5000)[0] == unpack(OUTSIDE)


def test_a_range_can_be_full_too():
    nat = Translator(Behaviour(ports=Ports.CONTIGUOUS, block=4))
    given = [nat.out(ALICE, 5000 + number) for number in range(5)]
    assert [port for _, port in given[:4]] == list(range(given[0][1], given[0][1] + 4))
    assert given[4] is DropReason.NAT_PORTS_EXHAUSTED


def test_who_gets_no_port_is_told_that_it_is_prohibited():
    nat = Translator(Behaviour(most_per_host=0))
    with pytest.raises(Refused) as refused:
        nat.nat.outbound(datagram(ALICE, 5000, PEER, 9), 0)
    assert refused.value.problem is Problem.PROHIBITED, "RFC 5508 REQ-8"


def test_ports_that_a_rule_leads_inside_are_given_to_nobody_else():
    rule = Forward(IpProtocol.UDP, ((1024, 1030),), BOB)
    nat = Translator(Behaviour(ports=Ports.SEQUENTIAL, forwards=(rule,)))
    assert [nat.out(ALICE, port, OTHER)[1] for port in (1, 2)] == [1031, 1032]


def test_switched_off_and_on_it_gives_other_ports_while_there_are_others():
    for kind in Ports:
        nat = Translator(Behaviour(ports=kind, block=8))
        before = nat.out(ALICE, 5000)
        nat.nat.reboot()
        assert nat.out(ALICE, 5000) != before, kind
    full = Translator(Behaviour(ports=Ports.CONTIGUOUS, block=2))
    before = {full.out(ALICE, port) for port in (1, 2)}
    full.nat.reboot()
    assert {full.out(ALICE, port) for port in (1, 2)} == before, "it has no others to give"
