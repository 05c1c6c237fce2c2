"""Why a rule did not match: the first selector that did not fit, in the words of the rule and of the packet."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.policy import Policy, PolicyAction, first_match
from ipsecsim.ipsec.selector import OPAQUE_PORT, Flow, Selector
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.scenario import read
from ipsecsim.stack.match import Seen
from ipsecsim.study.rules import firewall_rules, misfit, spd_rules
from ipsecsim.study.why import why
from ipsecsim.wire import ip, udp
from ipsecsim.wire.numbers import IpProtocol

LEFT, RIGHT = Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")


def flow(source: str, to: str, protocol: int = IpProtocol.UDP, ports=(4000, 53)) -> Flow:
    return Flow(pack(source), pack(to), protocol, *ports)


@pytest.mark.parametrize(
    ("row", "packet", "words"),
    [
        (Selector.between(LEFT, RIGHT), flow("10.1.0.2", "10.2.0.2"), ""),
        (
            Selector.between(LEFT, RIGHT),
            flow("10.1.0.2", "10.3.0.9"),
            "remote 10.2.0.0/24, the packet goes to 10.3.0.9",
        ),
        (
            Selector.between(LEFT, RIGHT),
            flow("10.9.0.2", "10.3.0.9"),
            "local 10.1.0.0/24, the packet comes from 10.9.0.2",
        ),
        (
            Selector.between(LEFT, RIGHT, IpProtocol.TCP),
            flow("10.1.0.2", "10.2.0.2"),
            "protocol TCP, the packet is UDP",
        ),
        (
            Selector(
                (LEFT.first, LEFT.last), (RIGHT.first, RIGHT.last), IpProtocol.UDP, remote_ports=(80, 80)
            ),
            flow("10.1.0.2", "10.2.0.2"),
            "remote port 80, the packet has 53",
        ),
        (
            Selector((LEFT.first, LEFT.last), (RIGHT.first, RIGHT.last), local_ports=(1000, 2000)),
            flow("10.1.0.2", "10.2.0.2", IpProtocol.ESP, (None, None)),
            "local port 1000-2000, the packet shows none",
        ),
        (
            Selector((LEFT.first, LEFT.last), (RIGHT.first, RIGHT.last), remote_ports=OPAQUE_PORT),
            flow("10.1.0.2", "10.2.0.2"),
            "remote port hidden, the packet has 53",
        ),
        (
            Selector.between(LEFT, RIGHT),
            flow("2001:db8::1", "2001:db8::2"),
            "for IPv4, the packet is IPv6",
        ),
    ],
)
def test_the_first_thing_that_does_not_fit_is_named(row, packet, words):
    assert misfit(row, packet, Direction.OUTBOUND) == words
    assert (words == "") is row.matches_outbound(packet)


def test_of_a_packet_that_arrives_the_destination_is_the_local_side():
    row, packet = Selector.between(LEFT, RIGHT), flow("10.3.0.9", "10.1.0.2")
    assert misfit(row, packet, Direction.INBOUND) == "remote 10.2.0.0/24, the packet comes from 10.3.0.9"


def test_rules_are_asked_until_one_fits():
    policies = [
        Policy(
            "only in", PolicyAction.DISCARD, (Selector.between(LEFT, RIGHT),), direction=Direction.INBOUND
        ),
        Policy("asleep", PolicyAction.PROTECT, (Selector.between(LEFT, RIGHT),), is_asleep=True),
        Policy("of its SAs", PolicyAction.PROTECT, (), follows_sas=True),
        Policy(
            "two rows", PolicyAction.BYPASS, (Selector.between(RIGHT, LEFT), Selector.between(LEFT, LEFT))
        ),
        Policy("net", PolicyAction.PROTECT, (Selector.between(LEFT, RIGHT),)),
        Policy("never asked", PolicyAction.BYPASS, (Selector.between(LEFT, RIGHT),)),
    ]
    tried = spd_rules(policies, flow("10.1.0.2", "10.2.0.2"), Direction.OUTBOUND)
    assert [str(each) for each in tried] == [
        "only in: only for packets that arrive",
        "asleep: asleep while it has no SA",
        "of its SAs: for what its SAs carry, and there is none",
        "two rows: remote 10.1.0.0/24, the packet goes to 10.2.0.2",
        "net: fits: PROTECT",
    ]
    assert first_match(policies, flow("10.1.0.2", "10.2.0.2"), Direction.OUTBOUND).name == tried[-1].rule


def test_a_firewall_says_which_word_did_not_fit():
    topology = read("nat_t_only")
    ruleset = next(spec.firewall for spec in topology.nodes.values() if spec.firewall is not None)
    ends = pack("192.0.2.1"), pack("198.51.100.2")
    packet = ip.build(*ends, IpProtocol.UDP, udp.build(*ends, 53, 53, b"?"))
    tried = firewall_rules(ruleset, Seen(packet, "near", "far"))
    assert "port=500|4500, the packet has port 53 > 53" in str(tried[0])
    assert str(tried[-1]) == "default: fits: DROP"


def test_the_answer_about_a_dropped_packet_holds_the_checks_and_the_rules():
    strip = why(Run(read("outside_the_selectors")).run()).strip
    assert [hook.name for hook in strip.hooks if hook.verdict == "fail"] == ["SPD out"]
    assert [hook.name for hook in strip.hooks if hook.verdict == "unreached"] == ["send"]
    assert str(strip.rules[-1]) == "net: remote 10.2.0.0/24, the packet goes to 10.3.0.2"


@pytest.mark.parametrize("name", ["outside_the_selectors", "ping_from_gateway", "nat_before_policy"])
def test_the_rules_told_of_are_those_that_decided(name):
    run = Run(read(name)).run()
    answer = why(run)
    gateway = run.world.simulator.nodes[answer.node]
    assert isinstance(gateway, VpnGateway)
    assert [each.rule for each in answer.strip.rules] == [each.name for each in gateway.ipsec.spd.policies]
    assert all(each.why_not for each in answer.strip.rules)
