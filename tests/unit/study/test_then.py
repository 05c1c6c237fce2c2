"""What a packet met is told as it stood when the packet died, whatever came of the rules since."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.study.then import Then
from ipsecsim.study.why import why

FIREWALL = """
name: other_rules_later
nodes:
  alice: {kind: host}
  isp:
    kind: firewall
    firewall: {default: drop, rules: [accept proto=udp]}
  bob: {kind: host}
links: {left: [alice, isp], right: [isp, bob]}
script:
  - {at: 1s, do: ping alice bob}
  - {at: 5s, do: set nodes.isp.firewall.default accept}
  - {at: 6s, do: ping alice bob name=later}
"""


def test_a_firewall_is_asked_for_the_rules_that_it_had():
    run = Run(read(FIREWALL)).run()
    *_, last = why(run, "ping alice bob").strip.rules
    assert str(last) == "default: fits: DROP"
    assert run.world.results["later"].received == 1


def test_the_answer_is_the_same_before_and_after_the_rules_became_other_ones():
    run = Run(read(FIREWALL))
    run.advance(until=3_000_000_000)
    early = why(run, "ping alice bob")
    assert early.strip == why(run.run(), "ping alice bob").strip


@pytest.mark.parametrize("name", ["rekey_child", "gateway_crash_dpd", "leak_while_down", "roaming_mobike"])
def test_a_node_made_again_knows_what_the_inventory_says_of_it(name):
    """Asked of every node at some turns of a run in which SAs and with them selectors come and go."""
    run = Run(read(name)).run()
    then = Then(run)
    for turn in range(1, run.turns + 1, max(1, run.turns // 7)):
        for node in run.topology.nodes:
            again = then.node(node, turn)
            assert rules(again) == rules_of(run, node, turn - 1)


def rules(node) -> list[str]:
    policies = node.ipsec.spd.policies if hasattr(node, "ipsec") else ()
    return [
        f"{number} {each.name}: {'; '.join(map(str, each.selectors))}"
        for number, each in enumerate(policies, 1)
    ]


def rules_of(run: Run, node: str, turn: int) -> list[str]:
    known = run.inventory.tree(turn, node).get("policies", {})
    return [f"{name}: {row['selectors']}" for name, row in known.items()]


def test_a_run_that_was_meddled_with_is_told_as_it_is():
    run = Run(read(FIREWALL)).run()
    run.world.simulator.plan(run.now + 1, run.world.simulator.nodes["bob"], lambda: None)
    run.run()
    assert Then(run).node("isp", run.turns) is run.world.simulator.nodes["isp"]
