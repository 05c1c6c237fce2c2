"""Rules by hand: what their words select, what protects, and the order they are in."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.errors import ConfigError
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.policy import PolicyAction, first_match
from ipsecsim.ipsec.selector import Flow
from ipsecsim.scenario import read
from ipsecsim.scenario.build_ipsec import policies
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.scenario.examples import BOTH, KEYED, MIXED

ALICE, BOB, OTHER = pack("10.1.0.1"), pack("10.1.0.2"), pack("10.1.0.77")
ALICE_6, BOB_6 = pack("fd00:10:1::1"), pack("fd00:10:1::2")
TCP, UDP, ICMP, ICMPV6 = IpProtocol.TCP, IpProtocol.UDP, IpProtocol.ICMP, IpProtocol.ICMPV6
ECHO, REPLY, UNREACHABLE_4, ECHO_6 = 8 << 8, 0, 3 << 8 | 4, 128 << 8


def rules(*texts: str, ip: str = "4", node: str = "alice"):
    start, end = KEYED.index("        - bypass"), KEYED.index("  bob:")
    listed = "".join(f"        - {text}\n" for text in texts)
    return policies(read(f"ip: {ip}\n{KEYED[:start]}{listed}{KEYED[end:]}").nodes[node])


def verdict(made, flow: Flow, direction: Direction = Direction.OUTBOUND) -> str:
    policy = first_match(made, flow, direction)
    return "no match" if policy is None else policy.action.value


def leaves(protocol: int, source_port=None, destination_port=None, to: bytes = BOB) -> Flow:
    return Flow(ALICE, to, protocol, source_port, destination_port)


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ("dst=bob", [leaves(TCP, 1, 2), leaves(ICMP, ECHO, ECHO)], [leaves(TCP, 1, 2, OTHER)]),
        ("src=alice", [leaves(TCP, 1, 2, OTHER)], [Flow(OTHER, BOB, TCP, 1, 2)]),
        ("dst=10.1.0.0/26", [leaves(UDP, 1, 2)], [leaves(UDP, 1, 2, OTHER)]),
        ("dst=bob|10.1.0.77", [leaves(UDP, 1, 2), leaves(UDP, 1, 2, OTHER)], [leaves(UDP, 1, 2, ALICE)]),
        ("dst=any", [leaves(UDP, 1, 2, OTHER)], []),
        ("proto=udp|tcp", [leaves(UDP, 1, 2), leaves(TCP, 1, 2)], [leaves(ICMP, ECHO, ECHO)]),
        ("proto=89", [leaves(89)], [leaves(UDP, 1, 2)]),
        ("proto=udp dport=9", [leaves(UDP, 5, 9)], [leaves(UDP, 9, 5), leaves(TCP, 5, 9)]),
        ("proto=udp sport=9", [leaves(UDP, 9, 5)], [leaves(UDP, 5, 9)]),
        ("proto=udp port=9", [leaves(UDP, 9, 5), leaves(UDP, 5, 9)], [leaves(UDP, 5, 5)]),
        (
            "proto=tcp dport=80|8000-8080",
            [leaves(TCP, 1, 80), leaves(TCP, 1, 8000), leaves(TCP, 1, 8080)],
            [leaves(TCP, 1, 81), leaves(TCP, 1, 7999)],
        ),
        ("icmp=echo", [leaves(ICMP, ECHO, ECHO)], [leaves(ICMP, REPLY, REPLY), leaves(UDP, ECHO, ECHO)]),
        ("proto=icmp icmp=echo_reply|8", [leaves(ICMP, REPLY, REPLY), leaves(ICMP, ECHO, ECHO)], []),
        ("icmp=too_big", [leaves(ICMP, UNREACHABLE_4, UNREACHABLE_4)], [leaves(ICMP, 3 << 8, 3 << 8)]),
        ("icmp=3/4", [leaves(ICMP, UNREACHABLE_4, UNREACHABLE_4)], [leaves(ICMP, 3 << 8 | 3, 3 << 8 | 3)]),
        ("icmp=unreachable", [leaves(ICMP, UNREACHABLE_4, UNREACHABLE_4)], [leaves(ICMP, ECHO, ECHO)]),
        ("", [leaves(89, None, None, OTHER)], []),
    ],
)
@pytest.mark.conf("ARC-05")
def test_a_rule_selects_what_its_words_say(words, inside, outside):
    made = rules(f"bypass {words}".strip())
    for flow in inside:
        assert verdict(made, flow) == "bypass"
    for flow in outside:
        assert verdict(made, flow) == "no match"


def test_a_rule_holds_for_the_answer_too():
    made = rules("bypass dst=bob proto=udp dport=9")
    assert verdict(made, Flow(BOB, ALICE, UDP, 9, 5), Direction.INBOUND) == "bypass"
    assert verdict(made, Flow(BOB, ALICE, UDP, 5, 9), Direction.INBOUND) == "no match"


@pytest.mark.conf("ARC-08")
def test_a_rule_for_one_direction_is_written_as_the_packet_goes():
    arriving = rules("bypass dir=in src=bob proto=udp dport=9")
    assert verdict(arriving, Flow(BOB, ALICE, UDP, 5, 9), Direction.INBOUND) == "bypass"
    assert verdict(arriving, Flow(BOB, ALICE, UDP, 9, 5), Direction.INBOUND) == "no match"
    assert verdict(arriving, leaves(UDP, 9, 5)) == "no match"
    leaving = rules("bypass dir=out dst=bob proto=udp dport=9")
    assert verdict(leaving, leaves(UDP, 5, 9)) == "bypass"
    assert verdict(leaving, Flow(BOB, ALICE, UDP, 9, 5), Direction.INBOUND) == "no match"


def test_both_ip_versions_are_meant_where_no_address_says_which():
    made = rules("bypass icmp=echo", "discard dst=bob", ip="both")
    assert verdict(made, leaves(ICMP, ECHO, ECHO)) == "bypass"
    assert verdict(made, Flow(ALICE_6, BOB_6, ICMPV6, ECHO_6, ECHO_6)) == "bypass"
    assert verdict(made, leaves(UDP, 1, 2)) == verdict(made, Flow(ALICE_6, BOB_6, UDP, 1, 2)) == "discard"
    assert len(rules("discard")[0].selectors) == 1


@pytest.mark.conf("ARC-03")
def test_the_first_rule_that_matches_decides():
    flow = leaves(ICMP, ECHO, ECHO)
    assert verdict(rules("bypass proto=icmp", "discard"), flow) == "bypass"
    assert verdict(rules("discard", "bypass proto=icmp"), flow) == "discard"


def test_a_rule_is_called_by_its_number_or_by_what_protects():
    made = rules("bypass proto=icmp", "protect dst=bob sa=out|in", "discard")
    assert [(each.name, each.action) for each in made] == [
        ("#1", PolicyAction.BYPASS),
        ("out|in", PolicyAction.PROTECT),
        ("#3", PolicyAction.DISCARD),
    ]


def test_nobody_is_asked_for_keys_that_come_by_hand():
    assert [each.negotiable for each in rules("protect dst=bob sa=out|in")] == [False]
    by_name = {each.name: each.negotiable for each in policies(read(MIXED).nodes["west"])}
    assert by_name == {"#1": False, "net": True, "hand": False}


@pytest.mark.conf("ARC-42")
def test_nothing_is_added_to_an_spd_by_hand():
    assert len(rules("discard proto=tcp")) == 1
    assert policies(read(KEYED).nodes["bob"])[-1].name == "out|in"


# A tunnel in a rule


def west(*spd: str) -> str:
    listed = "".join(f"        - {text}\n" for text in spd)
    return MIXED.replace(
        "  west: {kind: gateway}\n", f"  west:\n    kind: gateway\n    ipsec:\n      spd:\n{listed}"
    )


WITH_IKE = (
    "bypass proto=udp sport=500|4500",
    "protect dst=10.2.0.0/24 tunnel=net",
    "protect dst=10.3.0.0/24 tunnel=hand",
)


def test_a_rule_may_name_a_tunnel_whoever_makes_its_keys():
    topology = read(west(*WITH_IKE))
    rules = topology.nodes["west"].ipsec.rules
    assert [(each.child, each.sas) for each in rules[1:]] == [
        (("net", "net"), ()),
        (None, ("hand-out", "hand-in")),
    ]
    assert [each.message for each in topology.warnings if "IKE" in each.message] == []


@pytest.mark.parametrize(
    "spd",
    [
        WITH_IKE[1:],
        ("discard proto=udp", *WITH_IKE),
        ("bypass dir=out proto=udp sport=500|4500", *WITH_IKE[1:]),
    ],
    ids=["missing", "too late", "one way"],
)
@pytest.mark.conf("ARC-42")
def test_an_spd_that_shuts_ike_out_is_told_of(spd):
    messages = [each.message for each in read(west(*spd)).warnings]
    assert (
        "connection 'net': no rule of west lets IKE to 198.51.100.1 through; "
        "write first  - bypass proto=udp sport=500|4500" in messages
    )


def test_beside_a_tunnel_by_hand_the_rules_of_ike_are_written_out():
    spd = [each.text for each in read(MIXED).nodes["west"].ipsec.rules]
    assert spd == [
        "bypass src=192.0.2.1 proto=udp sport=500|4500",
        "protect src=10.1.0.0/24 dst=10.2.0.0/24 tunnel=net/net",
        "protect src=10.1.0.0/24 dst=10.3.0.0/24 sa=hand-out|hand-in",
    ]


def test_selectors_of_a_tunnels_children_become_rules():
    spd = [each.text for each in read(BOTH).nodes["bob"].ipsec.rules]
    assert spd[0] == "protect src=10.1.0.2 dst=10.1.0.1 proto=6 sport=80 sa=both-web-out|both-web-in"


# Modes


@pytest.mark.parametrize(
    ("mode", "own", "is_refused"),
    [
        ("transport", "10.1.0.0/24", True),
        ("transport", "any", True),
        ("tunnel", "10.1.0.0/24", False),
        ("transport", "west", False),
        ("tunnel", "west", False),
    ],
)
@pytest.mark.conf("ARC-19", "ARC-20")
def test_a_gateway_has_transport_mode_for_its_own_packets_only(mode, own, is_refused):
    said = f"""
      sas:
        out: {{spi: 0x1001, src: west, dst: east, esp_proposals: default, key: seed:a}}
        in: {{spi: 0x1002, src: east, dst: west, esp_proposals: default, key: seed:b}}
      spd:
        - protect src={own} dst=10.2.0.0/24 sa=out|in mode={mode}
"""
    source = MIXED.replace("  west: {kind: gateway}\n", f"  west:\n    kind: gateway\n    ipsec:{said}")
    source = source[: source.index("tunnels:")] + source[source.index("script:") :]
    if not is_refused:
        assert read(source).nodes["west"].ipsec.sas["out"].mode == mode
        return
    with pytest.raises(ConfigError) as caught:
        read(source)
    first, line, caret = str(caught.value).splitlines()
    assert first.endswith(
        "transport mode protects only a gateway's own packets (RFC 4301 4.1); "
        "use mode: tunnel, or end the tunnel at the hosts"
    )
    assert line[caret.index("^") :] == "transport"
