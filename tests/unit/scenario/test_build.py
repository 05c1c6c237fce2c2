"""From a model to a world: what people write that no tunnel speaks of still becomes nodes."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import ChildSaCreated
from ipsecsim.ipsec.events import PacketSealed, SaInstalled
from ipsecsim.net.events import FrameArrived
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from tests.unit.scenario.examples import SITES

THREE = """name: lab
nodes:
  pc: {kind: host}
  office: {kind: gateway}
  home: {kind: gateway}
links:
  lan: [pc, office]
  dsl: [office, home]
tunnels:
  vpn: [pc, home]
script:
  - do: ping pc home
"""


@pytest.mark.conf("ARC-42")
def test_a_gateway_without_a_tunnel_is_built_and_lets_nothing_across():
    """Not even IKE between two others: that is traffic like any other."""
    run = Run(read(THREE)).run()
    office = run.world.simulator.nodes["office"]
    assert isinstance(office, VpnGateway)
    assert office.ike.connections == ()
    dropped = [event for record, event in run.recorder.of(PacketDropped) if record.node == "office"]
    assert {event.reason for event in dropped} == {DropReason.SPD_NO_MATCH}
    assert not any(record.node == "home" for record, _ in run.recorder.of(FrameArrived))
    assert check(run.recorder, run.world.simulator) == []


def test_a_host_with_a_tunnel_has_ipsec_and_forwards_nothing():
    pc = Run(read(THREE)).world.simulator.nodes["pc"]
    assert isinstance(pc, VpnGateway)
    assert not pc.stack.forwards
    assert pc.unprotected == {"lan"}


def test_one_end_may_cut_the_icv_of_sha256_as_the_draft_did():
    words = "tunnels: {net: {ends: [west, east], child: {esp_proposals: aes128-sha256, sha256_96: yes}}}"
    run = Run(read(SITES.replace("tunnels:\n  net: [west, east]", words), do=["ping alice bob"])).run()
    assert {event.suite for _, event in run.recorder.of(SaInstalled)} == {"aes128-sha256_96"}
    assert {event.icv_length for _, event in run.recorder.of(PacketSealed)} == {12}
    assert {event.suite for _, event in run.recorder.of(ChildSaCreated)} == {"aes128-sha256"}
    assert run.world.pings["ping"].lost == 0
