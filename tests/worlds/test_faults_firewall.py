"""A firewall on the way that changes its mind in the middle of a session."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.why import findings
from ipsecsim.scenario import read
from ipsecsim.stack.events import RulesChanged

ESP, IKE = Diagnosis.ESP_FILTERED_ON_PATH, Diagnosis.IKE_FILTERED_ON_PATH

SITES = """
name: change_of_mind
until: UNTIL
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  isp: {kind: firewall, firewall: {rules: [RULE]}}
  east: {kind: gateway}
  bob: {kind: host}
links:
  left: [alice, west]
  near: [west, isp]
  far: [isp, east]
  right: [east, bob]
tunnels:
  net: {ends: [west, east], encap: ENCAP, dpd_delay: 10s}
script:
  - {at: 0s, do: ping alice bob name=before count=3 interval=1s}
  - {at: 5s, do: set nodes.isp.firewall.default drop}
  - {at: 6s, do: ping alice bob name=shut count=3 interval=1s}
  - {at: 20s, do: set nodes.isp.firewall.default accept}
  - {at: 21s, do: ping alice bob name=after count=3 interval=1s}
"""
IKE_PASSES, ONLY_ESP_PASSES = "accept proto=udp port=500|4500", "accept proto=esp"


def sites(rule: str, *, encap: str = "no", until: str = "30s", **changes: str) -> Run:
    text = SITES.replace("RULE", rule).replace("ENCAP", encap).replace("UNTIL", until)
    for old, new in changes.items():
        text = text.replace(old, new)
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def received(run: Run) -> dict[str, int]:
    return {name: result.received for name, result in run.world.results.items()}


def found(run: Run) -> set[Diagnosis]:
    return {each.diagnosis for each in findings(run.recorder, run.world.simulator)}


@pytest.mark.fault("FLT-34")
def test_protocol_50_dropped_in_mid_session_is_explained_and_traffic_is_back_with_the_first_packet():
    run = sites(IKE_PASSES)
    assert received(run) == {"before": 3, "shut": 0, "after": 3}
    assert found(run) == {ESP}
    assert is_up(run.world, "net"), "IKE saw nothing of it"
    assert len(run.recorder.of(RulesChanged)) == 2


@pytest.mark.fault("FLT-34")
def test_esp_in_udp_from_the_start_does_not_notice_that_protocol_50_is_dropped():
    run = sites(IKE_PASSES, encap="yes")
    assert received(run) == {"before": 3, "shut": 3, "after": 3}
    assert found(run) == set()


@pytest.mark.fault("FLT-34")
def test_udp_4500_dropped_in_mid_session_is_explained_for_ike_and_for_esp():
    run = sites(ONLY_ESP_PASSES, encap="yes")
    assert received(run) == {"before": 3, "shut": 0, "after": 3}
    assert found(run) == {ESP, IKE}
    assert is_up(run.world, "net"), "the request that was on its way is asked again, and answered"


@pytest.mark.fault("FLT-34")
def test_udp_4500_dropped_for_good_ends_the_tunnel_within_dpd_and_165_seconds():
    shut = {"  - {at: 20s, do: set nodes.isp.firewall.default accept}\n": ""}
    run = sites(ONLY_ESP_PASSES, encap="yes", until="185s", **shut)
    assert received(run)["after"] == 0
    assert not is_up(run.world, "net")
    assert found(run) == {ESP, IKE}
