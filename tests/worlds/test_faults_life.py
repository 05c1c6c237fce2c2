"""Faults in the life of nodes and their links, each borne within its time (tests/data/faults.csv)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Instant, ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import AddressLent, IkeMessageSent
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.events import SaInstalled, SaMoved, SaRemoved
from ipsecsim.net.events import EchoReplyReceived, FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from tests.support.life import sites, told

pytestmark = pytest.mark.slow

ROUND_TRIP = ms(20)
DPD = 2 * SECOND
RETRANSMITTED = 166 * SECOND  # a request and all its retransmissions
WITHOUT_MOBIKE = (("tunnels.net.mobike", "no"),)


def gateway(run: Run, name: str) -> VpnGateway:
    node = run.world.simulator.nodes[name]
    assert isinstance(node, VpnGateway)
    return node


def spis(run: Run, name: str) -> set[bytes]:
    """The IKE SAs that a gateway has at the end, by the initiator's SPI."""
    return {sa.spi_i for sa in gateway(run, name).ike.sas if sa.state is State.ESTABLISHED}


def answered(run: Run, since: Instant) -> list[Instant]:
    return [row.turn.at for row, _ in run.recorder.of(EchoReplyReceived) if row.turn.at >= since]


@pytest.mark.fault("FLT-06")
@pytest.mark.parametrize(("settings", "patience"), [(WITHOUT_MOBIKE, 0), ((), 300 * SECOND)])
@pytest.mark.parametrize("deaf", ["west", "east"])
def test_where_one_direction_is_dead_both_ends_come_to_know(deaf, settings, patience):
    """RFC 4555 3.11: who follows with MOBIKE waits some minutes longer for the one who decides."""
    other = "east" if deaf == "west" else "west"
    end = 5 * SECOND + DPD + RETRANSMITTED + patience
    run = sites(
        "do: ping alice bob",
        f"{{at: 5s, do: set links.wan.from.{other}.loss 100%}}",
        until=f"{end // SECOND}s",
        settings=settings,
    )
    assert run.world.pings["ping"].received == 1
    assert gateway(run, "west").ike.sas == gateway(run, "east").ike.sas == ()
    assert gateway(run, "west").ipsec.sad.all() == gateway(run, "east").ipsec.sad.all() == []


@pytest.mark.fault("FLT-07")
@pytest.mark.parametrize(("half", "flaps"), [(ms(50), 20), (ms(500), 5), (5 * SECOND, 3)])
@pytest.mark.parametrize("settings", [WITHOUT_MOBIKE, ()])
def test_a_flapping_link_makes_no_sa_flap(half, flaps, settings):
    """Ten times a second to once in ten: the SAs of the beginning are those of the end."""
    script = ["do: ping alice bob"]
    at = 2 * SECOND
    for _ in range(flaps):
        script.append(f"{{at: {at // ms(1)}ms, do: set links.wan.state down}}")
        script.append(f"{{at: {(at + half) // ms(1)}ms, do: set links.wan.state up}}")
        at += 2 * half
    last_up = at - half
    script.append(f"{{at: {(last_up + ms(1)) // ms(1)}ms, do: ping alice bob name=after}}")
    run = sites(*script, until=f"{last_up // SECOND + 14}s", settings=settings)
    assert len(told(run, SaInstalled, "west")) == len(told(run, SaInstalled, "east")) == 2
    assert answered(run, last_up)[0] <= last_up + ms(1) + 2 * ROUND_TRIP
    for name in ("west", "east"):
        during = [at for at in told(run, IkeMessageSent, name) if 2 * SECOND <= at <= last_up]
        assert len(during) <= 4 + 2 * flaps, "control traffic is bounded"


@pytest.mark.fault("FLT-13")
def test_a_peer_that_crashes_and_begins_anew_replaces_what_it_has_forgotten():
    """RFC 7296 2.4: INITIAL_CONTACT says so; what comes under an old SPI until then is NO_SA."""
    run = sites(
        "do: ping alice bob",
        "{at: 5s, do: crash west}",
        "{at: 5999ms, do: ping bob alice count=10 interval=10ms name=back}",
        "{at: 6s, do: restart west}",
        start="start",
    )
    assert told(run, SaInstalled, "west")[-1] <= 6 * SECOND + 2 * ROUND_TRIP
    assert told(run, SaRemoved, "east") == [
        at for at in told(run, SaRemoved, "east") if at <= 6 * SECOND + 2 * ROUND_TRIP
    ]
    assert len(told(run, SaRemoved, "east")) == 2
    assert spis(run, "west") == spis(run, "east")
    assert len(spis(run, "east")) == 1
    reasons = [event.reason for row, event in run.recorder.of(PacketDropped) if row.node == "west"]
    assert DropReason.NO_SA in reasons
    assert run.world.pings["back"].received > 0


@pytest.mark.fault("FLT-14")
def test_a_peer_that_crashes_and_waits_is_found_out_by_the_liveness_check():
    bound = DPD + RETRANSMITTED + SECOND
    run = sites(
        "do: ping alice bob count=190 interval=1s",
        "{at: 5s, do: crash east}",
        "{at: 6s, do: restart east}",
        until="190s",
    )
    assert answered(run, 6 * SECOND)[0] <= 5 * SECOND + bound
    assert spis(run, "west") == spis(run, "east")
    assert len(spis(run, "east")) == 1
    reasons = {event.reason for row, event in run.recorder.of(PacketDropped) if row.node == "east"}
    assert {DropReason.NODE_DOWN, DropReason.NO_SA} <= reasons


@pytest.mark.fault("FLT-15")
def test_when_a_peer_never_comes_back_its_sas_go_and_nothing_leaves_in_clear():
    run = sites("do: ping alice bob count=200 interval=1s", "{at: 5s, do: crash east}", until="200s")
    assert max(told(run, SaRemoved, "west")[:2]) <= 5 * SECOND + DPD + RETRANSMITTED
    assert gateway(run, "west").ipsec.sad.all() == []
    assert DropReason.NO_SA_YET in {event.reason for _, event in run.recorder.of(PacketDropped)}
    assert not answered(run, 6 * SECOND)


@pytest.mark.fault("FLT-32")
def test_a_client_whose_gateway_dies_reaches_the_other_one_and_keeps_its_inner_address():
    run = Run(read("gateway_failover")).run()
    assert check(run.recorder, run.world.simulator) == []
    assert [str(each) for each in run.verdicts() if not each.is_met] == []
    crash, ping_each = 8 * SECOND, 5 * SECOND
    after = answered(run, crash)[0]
    # the ping that asks for the other tunnel is lost, so the one after it is the first that is answered
    assert after <= crash + 10 * SECOND + RETRANSMITTED + 2 * ping_each
    lent = [(row.node, event.address) for row, event in run.recorder.of(AddressLent)]
    assert lent == [("moon", "10.9.0.7"), ("sun", "10.9.0.7")]


@pytest.mark.fault("FLT-16")
@pytest.mark.parametrize("unique", ["no", "replace", "keep", "never"])
def test_two_that_begin_at_the_same_instant_come_to_agree(unique):
    run = sites(
        "{at: 5s, do: [ping alice bob, ping bob alice name=back]}",
        start="start",
        until="8s",
        settings=(
            ("nodes.east.ipsec.connections.net.children.net.start_action", "start"),
            ("nodes.west.ipsec.connections.net.unique", unique),
            ("nodes.east.ipsec.connections.net.unique", unique),
        ),
    )
    assert told(run, IkeMessageSent, "west")[0] == told(run, IkeMessageSent, "east")[0] == 0
    assert spis(run, "west") == spis(run, "east")
    assert len(spis(run, "west")) in ((1, 2) if unique in ("no", "never") else (1,))
    assert not [at for at in told(run, IkeMessageSent, "west") if ms(4900) <= at <= ms(5100)]
    assert run.world.pings["ping"].received == run.world.pings["back"].received == 1


# -- roaming --------------------------------------------------------------------------------------

MOBILE_ROUND_TRIP, WIFI_ROUND_TRIP = 2 * ms(37), 2 * ms(12)


@pytest.mark.fault("FLT-11")
def test_with_mobike_the_sas_follow_within_three_round_trips():
    """RFC 4555 3.7: the gateway asks at the new address first."""
    run = Run(read("roaming_mobike")).run()
    moved = [row.turn.at for row, _ in run.recorder.of(SaMoved)]
    broken = [at for at in moved if at < 5 * SECOND]
    made = [at for at in moved if at >= 5 * SECOND]
    assert len(broken) == len(made) == 4
    assert max(broken) <= ms(2500) + 3 * MOBILE_ROUND_TRIP
    assert max(made) <= 6 * SECOND + 3 * WIFI_ROUND_TRIP
    assert len(run.recorder.of(SaInstalled)) == 4
    assert check(run.recorder, run.world.simulator) == []


@pytest.mark.fault("FLT-11")
def test_without_mobike_the_sas_are_made_anew_and_nothing_leaks_meanwhile():
    run = Run(read("roaming_without_mobike")).run()
    assert len(run.recorder.of(SaInstalled)) == 12
    assert check(run.recorder, run.world.simulator) == []


@pytest.mark.fault("FLT-12")
@pytest.mark.parametrize("moves", [10, 11])
def test_of_ten_moves_in_a_second_the_last_one_wins(moves):
    """RFC 4555 3.5: what was asked for at an address that is left again changes nothing."""
    names = ("mobile", "wifi")
    roams = tuple(f"roam carol {names[move % 2]}" for move in range(moves))
    script = "\n".join(f"  - {{at: {2000 + 100 * move}ms, do: {roam}}}" for move, roam in enumerate(roams))
    text = f"""
name: restless
extends: roaming_mobike
until: 6s
script:
{script}
  - {{at: 4s, do: ping carol server count=3 interval=100ms}}
expect: {{ping: received 3}}
"""
    run = Run(read(text)).run()
    last = ms(2000 + 100 * (moves - 1))
    round_trip = MOBILE_ROUND_TRIP if moves % 2 else WIFI_ROUND_TRIP
    carol, moon = gateway(run, "carol"), gateway(run, "moon")
    (ours,), (theirs,) = carol.ike.sas, moon.ike.sas
    own = carol.stack.interfaces[names[(moves - 1) % 2]].address
    assert ours.path.local == theirs.path.remote == own
    assert max(row.turn.at for row, _ in run.recorder.of(SaMoved)) <= last + 3 * round_trip
    assert len(run.recorder.of(SaInstalled)) == 4
    assert run.world.pings["ping"].received == 3
    assert check(run.recorder, run.world.simulator) == []


# -- clocks ---------------------------------------------------------------------------------------

CERTIFICATES = (("tunnels.net.auth", "pubkey"), ("tunnels.net.child.rekey_time", "20s"))


def frames(run: Run) -> list[tuple[Instant, str, bytes]]:
    return [(row.turn.at, event.link, event.packet) for row, event in run.recorder.of(FrameSent)]


@pytest.mark.fault("FLT-24")
@pytest.mark.parametrize("jumps", [("+1h",), ("-1h",), ("+3650d",), ("+1s",) * 5, ("-1s",) * 5])
def test_no_timer_minds_a_clock_that_jumps_or_drifts(jumps):
    """Every frame is the same and comes at the same instant: new keys, liveness checks and all."""
    traffic = "do: ping alice bob count=60 interval=1s"
    sets = tuple(
        f"{{at: {5 + number}s, do: set nodes.east.clock {jump}}}" for number, jump in enumerate(jumps)
    )
    # certificates of both ends are judged before the first jump
    plain = sites(traffic, until="70s", settings=CERTIFICATES)
    jumped = sites(traffic, *sets, until="70s", settings=CERTIFICATES)
    assert len(told(plain, SaInstalled, "west")) >= 4
    assert frames(jumped) == frames(plain)


@pytest.mark.fault("FLT-24")
@pytest.mark.parametrize("clock", ["+3650d", "-3650d", "2036-01-01", "2016-07-01T12:00"])
def test_certificates_are_judged_by_the_clock_of_who_judges(clock):
    run = sites("do: set nodes.east.clock " + clock, "{at: 1s, do: ping alice bob}", settings=CERTIFICATES)
    reasons = {event.reason for row, event in run.recorder.of(PacketDropped) if row.node == "east"}
    assert DropReason.CERT_CONSTRAINT in reasons
    assert run.world.pings["ping"].received == 0


@pytest.mark.fault("FLT-24")
def test_a_clock_that_was_wrong_from_the_start_is_set_right():
    run = sites(
        "do: ping alice bob",
        "{at: 2s, do: set nodes.east.clock 2026-01-01}",
        "{at: 3s, do: ping alice bob name=again}",
        settings=(*CERTIFICATES, ("nodes.east.clock", "2020-01-01")),
    )
    assert (run.world.pings["ping"].received, run.world.pings["again"].received) == (0, 1)
