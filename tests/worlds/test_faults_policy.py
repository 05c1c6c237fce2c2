"""Faults that try to get round policy: other rules in the middle of traffic, a second IP version, false routes."""

from itertools import pairwise

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.net.events import FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.support.life import sites

EVERYBODY = (bytes(4), b"\xff" * 4)


def icmp_in_clear(run: Run, link: str) -> list[bytes]:
    """What can be read on a link by whoever looks."""
    packets = [event.packet for _, event in run.recorder.of(FrameSent) if event.link == link]
    return [each for each in packets if ip.upper_layer(each)[0] in (IpProtocol.ICMP, IpProtocol.ICMPV6)]


@pytest.mark.fault("FLT-38")
@pytest.mark.parametrize("sas_go", ["before", "after", "with"])
def test_other_rules_in_the_middle_of_traffic_leave_no_moment_in_which_it_goes_in_clear(sas_go):
    """The new rules have a BYPASS for ICMP behind the one that protects it, and the SAs go at that time."""
    text = """
name: reload
until: 4s
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links: {left: [alice, west], wan: {endpoints: [west, east], delay: 10ms}, right: [east, bob]}
tunnels: {net: [west, east]}
script: [do: ping alice bob count=300 interval=10ms]
"""
    run = Run(read(text))
    west = run.world.simulator.nodes["west"]
    assert isinstance(west, VpnGateway)

    def reload() -> None:
        clear = Policy("icmp", PolicyAction.BYPASS, (Selector(EVERYBODY, EVERYBODY, IpProtocol.ICMP),))
        west.ipsec.spd.replace([*west.ipsec.spd.policies, clear])

    moments = {"before": (ms(1000), ms(1001)), "after": (ms(1001), ms(1000)), "with": (ms(1000), ms(1000))}
    reload_at, flush_at = moments[sas_go]
    run.world.simulator.plan(reload_at, west, reload)
    run.world.simulator.plan(flush_at, west, west.flush)
    run.run()
    assert icmp_in_clear(run, "wan") == []
    assert check(run.recorder, run.world.simulator) == []
    sealed = [row.turn.at for row, _ in run.recorder.of(PacketSealed) if row.node == "west"]
    assert max(later - at for at, later in pairwise(sealed)) <= ms(50), "keys are made anew"


@pytest.mark.fault("FLT-39")
def test_a_second_ip_version_is_denied_where_the_rules_speak_of_the_first():
    run = sites(
        "do: ping alice bob",
        "{at: 1s, do: ping alice bob ip=6 name=six}",
        until="3s",
        settings=(
            ("ip", "both"),
            ("tunnels.net.child.local_ts", "10.1.0.0/24"),
            ("tunnels.net.child.remote_ts", "10.2.0.0/24"),
        ),
    )
    assert run.world.results["ping"].received == 1
    assert run.world.results["six"].received == 0
    assert icmp_in_clear(run, "wan") == []
    dropped = [(row.node, event.reason) for row, event in run.recorder.of(PacketDropped)]
    assert dropped == [("west", DropReason.SPD_NO_MATCH)]


@pytest.mark.fault("FLT-40")
@pytest.mark.parametrize("false", ["10.1.0.0/24", "10.1.0.2/32", "0.0.0.0/1"])
def test_a_false_route_to_a_neighbour_takes_nothing_out_of_the_tunnel(false):
    """Policy decides, and then the route of what it made: mallory gets ESP, or nothing (RFC 4301 5.1)."""
    text = f"""
name: false_route
until: 3s
nodes:
  carol:
    kind: laptop
    routes: [{false} via=mallory]
    ipsec:
      connections:
        home:
          remote_addrs: moon
          children: {{work: {{remote_ts: 10.1.0.0/24, start_action: trap}}}}
      secrets: {{ike-home: {{secret: the same for both of us}}}}
  mallory: {{kind: router}}
  cafe: {{kind: router}}
  moon: {{kind: gateway, ipsec: {{
    connections: {{all: {{remote_addrs: carol, children: {{work: {{local_ts: 10.1.0.0/24}}}}}}}},
    secrets: {{ike-all: {{secret: the same for both of us}}}}}}}}
  server: {{kind: host}}
links:
  wifi: [carol, mallory, cafe]
  uplink: [cafe, moon]
  office: {{endpoints: [moon, server], net: 10.1.0.0/24}}
script: [do: ping carol server count=3 interval=100ms]
expect: {{leaks: none}}
"""
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert icmp_in_clear(run, "wifi") == []
    assert len(run.recorder.of(PacketSealed)) > 0
