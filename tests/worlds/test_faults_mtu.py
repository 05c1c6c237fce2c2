"""Links that take less than others, whether somebody says so or not: FLT-25 and FLT-26 within their bounds."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import MessageRetransmitted
from ipsecsim.ike.fragment_events import IkeFragmentSizeLowered
from ipsecsim.ipsec.events import SaInstalled, SaPathMtuLowered
from ipsecsim.net.apps.ping import Ping
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.why import findings
from ipsecsim.scenario import read

LARGE_IKE = [
    ("tunnels.net.auth", "pubkey"),
    ("nodes.west.cert", "long_chain"),
    ("nodes.east.cert", "long_chain"),
]


def retransmitted(run: Run) -> int:
    return len(run.recorder.of(MessageRetransmitted)) + len(run.recorder.of(IkeFragmentSizeLowered))


def found(run: Run) -> list[str]:
    return [each.diagnosis.name for each in findings(run.recorder, run.world.simulator)]


@pytest.mark.fault("FLT-25")
def test_where_ip_fragments_vanish_ike_cuts_its_messages_at_the_second_retransmission():
    run = Run(read("ike_fragments_dropped", params={"fragmentation": "yes", "size": "4000"})).run()
    assert is_up(run.world, "net")
    assert retransmitted(run) <= 2
    up_at = run.recorder.of(SaInstalled)[0][0].at
    assert up_at < 12 * SECOND
    assert check(run.recorder, run.world.simulator) == []


@pytest.mark.fault("FLT-25")
@pytest.mark.parametrize("mtu", [1280, 1400])
def test_over_ipv6_ike_falls_to_1280_bytes_when_no_router_may_say_so(mtu):
    settings = [
        *LARGE_IKE,
        ("ip", "6"),
        ("links.narrow.mtu", str(mtu)),
        ("tunnels.net.fragment_size", "1500"),
    ]
    run = Run(read("pmtu_blackhole", settings=settings)).run()
    assert is_up(run.world, "net")
    assert [event.size for _, event in run.recorder.of(IkeFragmentSizeLowered)] == [1280]
    assert retransmitted(run) <= 2


@pytest.mark.fault("FLT-25")
def test_where_routers_may_speak_ike_does_not_have_to_search():
    settings = [*LARGE_IKE, ("ip", "6"), ("links.narrow.mtu", "1400"), ("tunnels.net.fragment_size", "1500")]
    run = Run(read("pmtu_blackhole", params={"icmp": "open"}, settings=settings)).run()
    assert is_up(run.world, "net")
    assert [event.size for _, event in run.recorder.of(IkeFragmentSizeLowered)] == [1400]
    assert not run.recorder.of(MessageRetransmitted)
    assert run.recorder.of(SaInstalled)[0][0].at < SECOND


@pytest.mark.fault("FLT-25")
@pytest.mark.parametrize("version", ["4", "6"])
def test_what_esp_loses_in_a_black_hole_is_lost_with_a_reason_and_a_diagnosis(version):
    run = Run(read("pmtu_blackhole", settings=[("ip", version)])).run()
    assert run.world.results["large"].received == 0
    assert "PMTU_BLACKHOLE" in found(run)
    lost = [
        row.node for row, event in run.recorder.of(PacketDropped) if event.reason is DropReason.IP_DF_TOO_BIG
    ]
    assert "core" in lost
    assert check(run.recorder, run.world.simulator) == []


@pytest.mark.fault("FLT-26")
def test_a_link_that_shrinks_costs_two_packets_and_each_sa_learns_of_it_once():
    """Then alice knows as well, and what is right for the tunnel gets through."""
    settings = [("links.narrow.mtu", "1500")]
    run = Run(read("pmtu_blackhole", params={"icmp": "open"}, settings=settings))
    simulator = run.world.simulator
    run.run(SECOND // 2)
    core, alice, bob = simulator.nodes["core"], simulator.nodes["alice"], simulator.nodes["bob"]

    def shrink() -> None:
        for interface in core.stack.interfaces.values():
            interface.mtu = 1300

    simulator.plan(20 * SECOND, core, shrink)
    size = 1246 - 28
    results = []
    for number in range(6):
        small = number >= 2  # alice's programs heed what they are told
        app = Ping(
            alice, bob.address, name=f"after {number}", size=size if small else 1400, dont_fragment=True
        )
        results.append(app.result)
        simulator.plan((21 + number) * SECOND, alice, lambda app=app: alice.run(app))
    run.run(60 * SECOND)
    dropped = [event.reason for row, event in run.recorder.of(PacketDropped) if row.at > 20 * SECOND]
    assert dropped.count(DropReason.IP_DF_TOO_BIG) <= 2
    assert [each.received for each in results] == [0, 0, 1, 1, 1, 1]
    learned = [row for row, _ in run.recorder.of(SaPathMtuLowered) if row.node == "west"]
    assert len(learned) == 1
    assert "PMTU_BLACKHOLE" not in found(run)
