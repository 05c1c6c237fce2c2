"""What NATs do to tunnels in their life: they reboot, forget, move, and pass errors on; each within its time."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.mobility_events import NatMappingChanged, PeerRebound
from ipsecsim.ipsec.events import SaPathMtuLowered
from ipsecsim.net.events import EchoReplyReceived
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.keepalives import INTERVAL
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.nat.events import MappingMade

HOME = """
name: home
until: 120s
nodes:
  carol: {kind: host}
  home: {kind: nat, nat: NAT}
  internet: {kind: router}
  moon: {kind: gateway}
  server: {kind: host}
links:
  air: [carol, home]
  dsl: {endpoints: [home, internet], net: 192.0.2.0/24, delay: 8ms}
  uplink: [internet, moon]
  office: {endpoints: [moon, server], net: 10.1.0.0/24}
tunnels:
  work: {ends: [carol, moon], mobike: MOBIKE, dpd_delay: DPD, child: {start_action: start}}
script:
"""
ROUND_TRIP = 40 * MILLISECOND  # and more than that
DOWN = 5 * SECOND  # as long as a reboot takes


def home(
    *script: str, nat: str = "home_router", mobike: bool = False, dpd: str = "0", keepalive: str = "20s"
) -> Run:
    source = HOME.replace("NAT", nat).replace("MOBIKE", "yes" if mobike else "no").replace("DPD", dpd)
    source = source.replace(
        "carol: {kind: host}", f"carol: {{kind: host, ipsec: {{keepalive: {keepalive}}}}}"
    )
    return Run(read(source + "".join(f"  - {line}\n" for line in script)))


def finished(run: Run) -> Run:
    run.run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def gateway(run: Run, name: str) -> VpnGateway:
    node = run.world.simulator.nodes[name]
    assert isinstance(node, VpnGateway)
    return node


def answered(run: Run, name: str) -> list[Instant]:
    return [row.at for row, event in run.recorder.of(EchoReplyReceived) if event.name == name]


def ends(run: Run, node: str) -> list[DropReason]:
    return [event.reason for row, event in run.recorder.of(PacketDropped) if row.node == node]


def mapped(run: Run, after: Instant) -> list[tuple[Instant, int]]:
    """When the box gave a port for 4500, and which one."""
    return [
        (row.at, event.outside[1])
        for row, event in run.recorder.of(MappingMade)
        if row.at >= after and event.inside[1] == 4500
    ]


BOTH = pytest.mark.parametrize("mobike", [False, True], ids=["without MOBIKE", "with MOBIKE"])


# FLT-08: the box reboots, and gives other ports


@pytest.mark.fault("FLT-08")
@BOTH
def test_a_talk_goes_on_at_the_clients_next_packet_after_the_box_has_rebooted(mobike: bool) -> None:
    run = finished(
        home(
            "{at: 1s, do: ping carol server count=60 interval=500ms name=out}",
            "{at: 10s, do: reboot home}",
            "{at: 20s, do: ping server carol count=3 name=back}",
            mobike=mobike,
        )
    )
    up = 10 * SECOND + DOWN
    first = next(at for at in answered(run, "out") if at > up)
    assert first <= up + 500 * MILLISECOND + ROUND_TRIP
    assert len(answered(run, "back")) == 3
    ((row, event),) = run.recorder.of(PeerRebound)
    assert (row.node, event.only_esp) == ("moon", mobike)
    assert event.after[1] == mapped(run, up)[0][1] != event.before[1]


@pytest.mark.fault("FLT-08")
@BOTH
def test_an_idle_client_has_a_mapping_again_with_its_next_keepalive(mobike: bool) -> None:
    run = finished(home("{at: 10s, do: reboot home}", mobike=mobike))
    up = 10 * SECOND + DOWN
    assert up < mapped(run, up)[0][0] <= up + INTERVAL + ROUND_TRIP
    assert run.recorder.of(PeerRebound) == []  # nobody has sealed a keepalive, so nobody follows it
    (sa,) = gateway(run, "moon").ike.sas
    assert sa.path.remote_port != mapped(run, up)[0][1]


@pytest.mark.fault("FLT-08")
def test_with_mobike_ike_goes_to_the_new_port_when_the_client_has_asked_for_it_and_not_before() -> None:
    run = home(
        "{at: 1s, do: ping carol server count=30 name=out}",
        "{at: 10s, do: reboot home}",
        mobike=True,
        dpd="30s",
    )
    run.run(until=20 * SECOND)
    (sa,) = gateway(run, "moon").ike.sas
    port = mapped(run, 15 * SECOND)[0][1]
    assert (sa.carrier.path.remote_port, sa.path.remote_port == port) == (port, False)
    finished(run)
    (noticed,) = run.recorder.of(NatMappingChanged)
    assert noticed[0].node == "carol"
    assert sa.path.remote_port == port


# FLT-09: the box forgets sooner than keepalives come


@pytest.mark.fault("FLT-09")
@pytest.mark.parametrize("ports", ["preserving", "sequential"])
def test_what_is_lost_between_two_keepalives_is_told_as_an_expired_mapping(ports: str) -> None:
    run = finished(
        home(
            "{at: 1s, do: ping carol server}",
            "{at: 15s, do: ping server carol name=lost}",
            "{at: 22s, do: ping server carol name=after}",
            "{at: 40s, do: ping carol server name=out}",
            "{at: 41s, do: ping server carol name=back}",
            nat=f"{{ports: {ports}, timeouts: {{udp: 10s}}}}",
        )
    )
    assert answered(run, "lost") == []
    assert ends(run, "home")[0] is DropReason.NAT_MAPPING_EXPIRED
    again = mapped(run, 2 * SECOND)[0][0]
    assert again <= 1 * SECOND + INTERVAL + ROUND_TRIP
    # where the box gives the same port again, a keepalive is enough; else the client has to say something
    assert len(answered(run, "after")) == (1 if ports == "preserving" else 0)
    assert len(answered(run, "out")) == len(answered(run, "back")) == 1


@pytest.mark.parametrize(
    ("keepalive", "survives"), [("5s", True), ("9s", True), ("11s", False), ("20s", False)]
)
@pytest.mark.fault("FLT-09")
def test_a_mapping_survives_if_and_only_if_keepalives_come_sooner_than_it_ends(
    keepalive: str, survives: bool
) -> None:
    run = finished(
        home("{at: 59s, do: ping server carol}", nat="{timeouts: {udp: 10s}}", keepalive=keepalive)
    )
    assert (len(mapped(run, 0)) == 1) is survives


# FLT-10: the box gets another address outside

MOVED = pack("192.0.2.77")


def moves(run: Run, at: Instant) -> Run:
    """The provider gives the box another address."""
    box: Node = run.world.simulator.nodes["home"]
    assert box.translation is not None
    translation = box.translation
    run.world.simulator.plan(at, box, lambda: translation.move([MOVED]))
    return run


@pytest.mark.fault("FLT-10")
def test_without_mobike_the_gateway_follows_the_next_packet_to_the_new_address() -> None:
    run = finished(
        moves(home("{at: 1s, do: ping carol server count=60 interval=500ms name=out}"), 10 * SECOND)
    )
    first = next(at for at in answered(run, "out") if at > 10 * SECOND)
    assert first <= 10 * SECOND + 500 * MILLISECOND + ROUND_TRIP
    ((_, event),) = run.recorder.of(PeerRebound)
    assert event.after[0] == MOVED


@pytest.mark.fault("FLT-10")
def test_with_mobike_the_client_finds_out_by_dpd_and_says_where_it_is() -> None:
    """RFC 4555 3.8: to another address nothing goes before the client has asked for it."""
    run = home("{at: 1s, do: ping carol server count=60 interval=500ms name=out}", mobike=True, dpd="10s")
    finished(moves(run, 10 * SECOND))
    first = next(at for at in answered(run, "out") if at > 10 * SECOND)
    assert first <= 10 * SECOND + 20 * SECOND
    assert run.recorder.of(PeerRebound) == []
    assert [row.node for row, _ in run.recorder.of(NatMappingChanged)] == ["carol"]
    (sa,) = gateway(run, "moon").ike.sas
    assert sa.path.remote == sa.carrier.path.remote == MOVED


# FLT-26: a link behind the box shrinks, and the error has to find its way through it


@pytest.mark.fault("FLT-26")
def test_an_error_about_a_link_that_shrank_passes_the_box_and_is_learned_once() -> None:
    run = home("{at: 1s, do: ping carol server count=5 size=1300 df=yes name=big}")
    internet = run.world.simulator.nodes["internet"]

    def shrink() -> None:
        for interface in internet.stack.interfaces.values():
            interface.mtu = 1200

    run.world.simulator.plan(3500 * MILLISECOND, internet, shrink)
    finished(run)
    assert len(answered(run, "big")) == 3
    (lowered,) = run.recorder.of(SaPathMtuLowered)
    assert (lowered[0].node, lowered[1].mtu) == ("carol", 1200)
    too_big = [
        node
        for node in ("carol", "internet")
        for reason in ends(run, node)
        if reason is DropReason.IP_DF_TOO_BIG
    ]
    assert too_big == ["carol", "internet"]  # two packets at the most, one of which has crossed the box
