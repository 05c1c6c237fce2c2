"""New keys in whole worlds: the new SAs are there before the old ones go, so nothing is lost (RFC 7296 2.8)."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import ChildIdle, ChildRekeyed, IkeRekeyed, ReauthenticationBegan
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read

WORLD = """
name: over_time
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links: {left: [alice, west], wan: {endpoints: [west, east], delay: 300us}, right: [east, bob]}
tunnels: {net: {ends: [west, east], CONNECTION child: {CHILD}}}
script: [SCRIPT]
"""


def play(script: str, *, child: str = "", connection: str = "", **options) -> Run:
    text = WORLD.replace("CHILD", child).replace("CONNECTION", connection).replace("SCRIPT", script)
    run = Run(read(text, **options)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def begun(run: Run, kind: type) -> int:
    """How many rekeyings both ends began."""
    return len([event for _, event in run.recorder.of(kind) if not event.by_peer])


@pytest.mark.conf("IK2-61")
def test_a_thousand_packets_a_second_go_through_a_hundred_rekeyings_and_none_is_lost():
    run = play(
        "do: ping alice bob count=700 interval=2ms",
        child="rekey_packets: 6, life_packets: 40, rand_packets: 2",
    )
    (ping,) = run.world.pings.values()
    assert (ping.sent, ping.lost) == (700, 0)
    assert begun(run, ChildRekeyed) >= 100


def test_verbs_ask_for_new_keys_and_new_proofs():
    run = play(
        "do: ping alice bob, {at: 1s, do: rekey net}, {at: 2s, do: rekey net sa=ike}, {at: 3s, do: reauth net}, "
        "{at: 4s, do: ping alice bob}"
    )
    told = [
        begun(run, ChildRekeyed),
        begun(run, IkeRekeyed),
        len(list(run.recorder.of(ReauthenticationBegan))),
    ]
    assert told == [1, 1, 1]
    assert all(ping.lost == 0 for ping in run.world.pings.values())


def test_until_is_waited_for_although_all_is_quiet():
    text = WORLD.replace("CHILD", "rekey_time: 100s, rand_time: 0s").replace("CONNECTION", "")
    run = Run(read("until: 350s\n" + text.replace("SCRIPT", "do: ping alice bob"))).run()
    assert 2 <= begun(run, ChildRekeyed) <= 6
    assert 200 * SECOND < run.now <= 350 * SECOND


def test_an_idle_child_goes_and_comes_back_with_traffic():
    run = play("do: ping alice bob, {at: 60s, do: ping alice bob}", child="inactivity: 20s")
    assert len(list(run.recorder.of(ChildIdle))) >= 1
    assert all(ping.lost == 0 for ping in run.world.pings.values())


def test_what_nobody_may_ask_for_by_traffic_is_not_negotiated():
    run = play("do: ping alice bob", child="start_action: none")
    (ping,) = run.world.pings.values()
    assert ping.lost == 1
    assert not run.world.simulator.nodes["west"].ike.sas


@pytest.mark.parametrize("what", ["time", "bytes", "packets"])
def test_a_life_that_ends_before_new_keys_come_is_an_error_of_the_file(what):
    with pytest.raises(ConfigError, match=f"life_{what} ends the child before rekey_{what}"):
        play("do: ping alice bob", child=f"rekey_{what}: 100, life_{what}: 50")


def test_who_never_gives_up_needs_an_end_of_the_run():
    with pytest.raises(ConfigError, match="keyingtries: 0 may go on for ever"):
        play("do: ping alice bob", connection="keyingtries: 0,")


@pytest.mark.fault("FLT-29")
@pytest.mark.parametrize("off_by", [-1, 0, 1])
def test_a_limit_by_packets_and_one_by_time_that_come_at_once_ask_for_one_new_pair(off_by):
    """`off_by` nanoseconds the packet comes after the time is over."""
    child = "nodes.west.ipsec.connections.net.children.net"
    limits = {
        "rekey_time": "5s",
        "rand_time": "0s",
        "life_packets": "9",
        "rekey_packets": "2",
        "rand_packets": "0",
    }
    settings = [(f"{child}.{key}", value) for key, value in limits.items()]
    begins = play("do: ping alice bob", settings=settings)
    (at,) = (
        row.at
        for row, event in begins.recorder.of(SaInstalled)
        if (row.node, event.direction) == ("west", Direction.OUTBOUND.value)
    )
    second = at + 5 * SECOND + off_by
    run = play(f"do: ping alice bob, {{at: {second}ns, do: ping alice bob}}", settings=settings)
    assert begun(run, ChildRekeyed) == 1
    assert all(ping.lost == 0 for ping in run.world.pings.values())
    (rekeyed,) = (row.at for row, event in run.recorder.of(ChildRekeyed) if not event.by_peer)
    assert rekeyed <= second + SECOND
