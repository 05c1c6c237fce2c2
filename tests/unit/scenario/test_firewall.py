"""`firewall:` of a node: its own rules before those of the preset, and what is wrong with a rule."""

import pytest

from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.scenario.firewall import PRESETS
from ipsecsim.scenario.schema import FIREWALL_PRESETS
from ipsecsim.stack.firewall import Firewall, Ruleset, Verdict
from ipsecsim.wire import icmpv4, ipv4, udp
from tests.unit.scenario.examples import refusal
from tests.unit.stack.test_firewall import passes

HOME = """
name: office
nodes:
  pc: {kind: host}
  fw: {kind: firewall, firewall: FIREWALL}
  server: {kind: host}
links:
  lan: [pc, fw]
  wan: [fw, server]
"""


def rules(firewall: str, kind: str = "firewall") -> Ruleset | None:
    return (
        read(HOME.replace("FIREWALL", firewall).replace("kind: firewall", f"kind: {kind}"))
        .nodes["fw"]
        .firewall
    )


def test_without_words_a_firewall_is_open_and_other_nodes_have_none():
    text = HOME.replace(", firewall: FIREWALL", "")
    assert read(text).nodes["fw"].firewall == Ruleset()
    assert read(text).nodes["pc"].firewall is None
    assert rules("open", "router") == Ruleset()


def test_own_rules_stand_before_those_of_the_preset():
    made = rules("{preset: blocks_ipsec, default: reject, stateful: no, log: yes, rules: [accept src=pc]}")
    assert [rule.text for rule in made.rules] == ["accept src=pc", *PRESETS["blocks_ipsec"].rules]
    assert (made.default, made.stateful, made.log) == (Verdict.REJECT, False, True)


def test_every_preset_of_the_language_is_there():
    assert tuple(PRESETS) == FIREWALL_PRESETS


A, B = bytes((10, 1, 0, 2)), bytes((10, 1, 1, 2))
PACKETS = {
    "ike": ipv4.build(A, B, 17, udp.build(A, B, 500, 500, b"")),
    "nat_t": ipv4.build(A, B, 17, udp.build(A, B, 4500, 4500, b"")),
    "esp": ipv4.build(A, B, 50, bytes(40)),
    "ah": ipv4.build(A, B, 51, bytes(40)),
    "dns": ipv4.build(A, B, 17, udp.build(A, B, 5000, 53, b"")),
    "web": ipv4.build(
        A, B, 6, (5000).to_bytes(2, "big") + (443).to_bytes(2, "big") + bytes(9) + b"\x02" + bytes(6)
    ),
    "ping": ipv4.build(A, B, 1, icmpv4.Echo(False, 1, 1, b"").emit()),
    "too_big": ipv4.build(A, B, 1, icmpv4.IcmpError(3, 4, bytes(28)).emit()),
}


@pytest.mark.parametrize(
    ("preset", "passing"),
    [
        ("open", set(PACKETS)),
        ("blocks_ipsec", {"dns", "web", "ping", "too_big"}),
        ("allows_nat_t_only", {"ike", "nat_t"}),
        ("web_only", {"dns", "web"}),
        ("filters_icmp", {"ike", "nat_t", "esp", "ah", "dns", "web"}),
    ],
)
def test_what_passes_a_preset(preset, passing):
    wall = Firewall(rules(preset))
    passed = {name for name, packet in PACKETS.items() if passes(wall, packet) is None}
    assert passed == passing


def test_it_reads_back_from_the_expanded_file():
    topology = read(
        HOME.replace(
            "FIREWALL", "{preset: web_only, log: yes, rules: ['reject in=lan dst=server state!=new']}"
        )
    )
    again = read(expanded_yaml(topology))
    assert again == topology
    assert again.nodes["fw"].firewall.rules[0].match.conditions


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{rules: [permit proto=esp]}", "unknown word 'permit'"),
        ("{rules: [accept in=eth0]}", "fw has no interface 'eth0'; known: lan, wan"),
        ("{rules: [accept src=sever]}", "no node 'sever'; did you mean 'server'?"),
        ("{rules: ['accept state<new']}", "'state' is no number to compare; write state= or state!="),
        ("{rules: [accept state=open]}", "unknown word 'open'"),
        ("{rules: [accept layer=esp]}", "a rule has no 'layer'"),
        ("{rules: [accept dscp=46-12]}", "the range '46-12' is upside down"),
        ("{rules: [accept icmp=ping]}", "unknown word 'ping'"),
        ("strict", "unknown word 'strict'"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_in_its_place(said, message):
    text = HOME.replace("FIREWALL", said)
    assert message in refusal(text)


def test_a_last_rule_that_refuses_everything_draws_a_remark():
    stateful = read(HOME.replace("FIREWALL", "{default: drop, rules: [accept in=lan, drop]}"))
    assert any(
        "this rule refuses answers too; write  default: drop" in str(each) for each in stateful.warnings
    )
    stateless = read(HOME.replace("FIREWALL", "{default: drop, stateful: no, rules: [accept in=lan, drop]}"))
    assert not stateless.warnings
