"""A firewall on a node's path: what passes through, what is for the node, what it says, and rules that change."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import DatagramReceived
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import ConnectionForgotten, FirewallLogged, IcmpErrorSent, RulesChanged
from ipsecsim.stack.firewall import Ruleset, Verdict

HOME = """
name: office
ip: both
until: 20s
nodes:
  pc: {kind: host}
  fw: {kind: firewall, firewall: FIREWALL}
  server: {kind: host}
links:
  lan: [pc, fw]
  wan: [fw, server]
script:
"""


def office(firewall: str, *script: str) -> Run:
    lines = "".join(f"  - {{at: {number}s, do: {line}}}\n" for number, line in enumerate(script))
    run = Run(read(HOME.replace("FIREWALL", firewall) + lines)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def received(run: Run) -> dict[str, int]:
    return {name: result.received for name, result in run.world.pings.items()}


def drops(run: Run) -> list[tuple[str, str]]:
    return [(record.node, event.reason.name) for record, event in run.recorder.of(PacketDropped)]


INSIDE_OUT = "{default: drop, rules: [accept in=lan out=wan]}"


@pytest.mark.parametrize("version", [4, 6])
def test_one_way_in_both_versions(version):
    run = office(INSIDE_OUT, f"ping pc server ip={version} name=out", f"ping server pc ip={version} name=in")
    assert received(run) == {"out": 1, "in": 0}
    assert drops(run) == [("fw", "FW_STATE")]


@pytest.mark.parametrize(("version", "sort"), [(4, (3, 13)), (6, (1, 1))])
def test_reject_tells_the_sender_and_drop_does_not(version, sort):
    run = office("{default: reject}", f"ping pc server ip={version}")
    assert drops(run) == [("fw", "FW_RULE")]
    ((record, told),) = run.recorder.of(IcmpErrorSent)
    assert (record.node, (told.type, told.code)) == ("fw", sort)
    assert not office("{default: drop}", "ping pc server").recorder.of(IcmpErrorSent)


def test_the_node_itself_is_behind_its_firewall():
    run = office("{rules: [drop icmp=echo in=lan]}", "ping pc fw name=to", "ping fw pc name=from")
    assert received(run) == {"to": 0, "from": 1}
    run = office("{rules: [reject out=lan icmp=echo]}", "ping fw pc name=from", "ping server pc name=through")
    assert received(run) == {"from": 0, "through": 0}


def test_a_firewall_may_be_on_any_node():
    text = HOME.replace("firewall: FIREWALL", "").replace(
        "server: {kind: host}", "server: {kind: host, firewall: F}"
    )
    rules = "{default: drop, rules: [accept proto=udp dport=9]}"
    run = Run(
        read(
            text.replace("F}", f"{rules}}}")
            + "  - do: [send pc server proto=udp dport=9 size=10, ping pc server]\n"
        )
    )
    run.run()
    assert len(run.recorder.of(DatagramReceived)) == 1
    assert drops(run) == [("server", "FW_RULE")]


def test_the_log_is_in_the_story():
    run = office("{default: drop, log: yes}", "ping pc server")
    ((record, logged),) = run.recorder.of(FirewallLogged)
    assert (record.node, logged.by, logged.inbound, logged.outbound) == ("fw", "default: drop", "lan", "wan")


def test_its_rules_may_change_while_it_runs():
    run = Run(read(HOME.replace("FIREWALL", "open") + "  - do: ping pc server count=4 interval=1s\n"))
    node = run.world.simulator.nodes["fw"]
    run.world.simulator.plan(1_500_000_000, node, lambda: node.filter(Ruleset(default=Verdict.DROP)))
    run.run()
    assert received(run) == {"ping": 2}
    assert len(run.recorder.of(RulesChanged)) == 1


def test_fragments_pass_a_firewall_that_keeps_state():
    rules = "default: drop, rules: [accept proto=udp dport=9]"
    for stateful, expected in (("yes", 1), ("no", 0)):
        text = HOME.replace("FIREWALL", f"{{{rules}, stateful: {stateful}}}")
        run = Run(read(text + "  - do: send pc server proto=udp dport=9 size=4000\n")).run()
        assert len(run.recorder.of(DatagramReceived)) == expected
        assert {reason for _, reason in drops(run)} <= {"FW_RULE", DropReason.FRAG_TIMEOUT.name}


def test_a_script_changes_the_preset_and_the_default_and_own_rules_stay():
    run = office(
        "{rules: [accept dst=pc]}",
        "ping pc server name=open",
        "set nodes.fw.firewall.preset filters_icmp",
        "ping pc server name=filtered",
        "set nodes.fw.firewall.preset web_only",
        "ping pc server name=web",
        "set nodes.fw.firewall.default accept",
        "ping pc server name=again",
        "set nodes.pc.firewall.preset filters_icmp",
        "ping pc server name=own",
    )
    assert received(run) == {"open": 1, "filtered": 0, "web": 0, "again": 1, "own": 0}
    assert [record.node for record, _ in run.recorder.of(RulesChanged)] == ["fw"] * 3


def test_a_firewall_that_is_flushed_knows_nobody():
    sends = (
        "send pc server proto=udp dport=9 sport=99 size=10",
        "send server pc proto=udp dport=99 sport=9 size=10",
    )
    run = office(INSIDE_OUT, *sends, "flush fw", sends[1])
    assert [reason for node, reason in drops(run) if node == "fw"] == ["FW_STATE"]


GATEWAYS = """
name: walls
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway, firewall: {default: drop, rules: [RULES]}}
  bob: {kind: host}
links:
  left: [alice, west]
  wan: [west, east]
  right: [east, bob]
tunnels: {net: {ends: [west, east], mobike: no}}
script:
  - do: ping alice bob
"""


def test_on_a_gateway_it_sees_a_packet_with_its_protection_and_without():
    """As a packet filter on a gateway of flesh and blood does: what came out of the tunnel is judged once more."""
    for rules, expected in (
        ("accept proto=udp port=500, accept proto=esp", [("east", "FW_RULE")]),
        ("accept proto=udp port=500, accept proto=esp, accept icmp=echo dst=bob", []),
        (
            "accept proto=udp port=500 in=wan, accept proto=icmp out=right, accept proto=esp in=right",
            [("east", "FW_RULE")],
        ),
    ):
        run = Run(read(GATEWAYS.replace("RULES", rules))).run()
        assert check(run.recorder, run.world.simulator) == []
        assert drops(run) == expected
        assert received(run) == {"ping": 0 if expected else 1}


def test_behind_a_nat_on_the_same_box_it_sees_the_addresses_inside():
    text = HOME.replace("ip: both\n", "").replace("kind: firewall", "kind: nat, nat: {outside: wan}")
    for where, expected in (("src=pc", 1), ("src=fw", 0)):
        rules = f"{{default: drop, rules: [accept {where} in=lan]}}"
        run = Run(read(text.replace("FIREWALL", rules) + "  - do: ping pc server\n")).run()
        assert received(run) == {"ping": expected}


def test_a_firewall_that_reboots_goes_by_its_rules_and_knows_nobody():
    send, answer = (
        "send pc server proto=udp dport=9 sport=99 size=10",
        "send server pc proto=udp dport=99 sport=9 size=10",
    )
    run = office(INSIDE_OUT, send, answer, "reboot fw", *["note it is down"] * 5, answer, send, answer)
    assert [reason for node, reason in drops(run) if node == "fw"] == ["FW_STATE"]
    (forgotten,) = run.recorder.of(ConnectionForgotten)
    assert forgotten[1].why == "it lost all that was in memory"
