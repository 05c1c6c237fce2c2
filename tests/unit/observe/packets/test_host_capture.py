"""A capture on a node: what a packet socket sees there, and what it does not. A live kernel is asked in interop."""

from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameDoubled, FrameLost
from ipsecsim.observe.packets.host_capture import Sight, sights
from ipsecsim.scenario import read
from ipsecsim.wire.layers import kind

SITES = """
name: sites
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links:
  left: {endpoints: [alice, west], net: 10.1.0.0/24}
  wan: {endpoints: [west, east], OPTIONS}
  right: {endpoints: [east, bob], net: 10.2.0.0/24}
tunnels: {net: {ends: [west, east], keying: manual}}
script: [{do: ping alice bob}]
"""


def seen(source: str, node: str, **options) -> list[Sight]:
    return list(sights(Run(read(source, **options)).run().lives, node))


def words(found: list[Sight]) -> list[tuple[str, str, str]]:
    return [(each.link, each.way, kind(each.packet)) for each in found]


def sites(options: str = "delay: 1ms") -> str:
    return SITES.replace("OPTIONS", options)


def test_what_came_through_a_tunnel_is_seen_twice_and_what_goes_into_it_once():
    found = seen(sites(), "east")
    assert words(found) == [
        ("wan", "in", "esp"),
        ("wan", "in", "icmp"),
        ("right", "out", "icmp"),
        ("right", "in", "icmp"),
        ("wan", "out", "esp"),
    ]
    outer, opened, *_ = found
    assert (outer.at, outer.turn) == (opened.at, opened.turn)
    assert opened.opened_from == outer.number
    assert [each.was_on_link for each in found] == [True, False, True, True, True]


def test_no_link_carried_what_only_the_gateway_saw():
    run = Run(read("capture_on_gateway")).run()
    opened = [each for each in sights(run.lives, "east") if each.opened_from]
    assert len(opened) == 2
    for each in opened:
        assert each.link not in {hop.link for hop in run.lives[each.number].hops}


def test_a_packet_that_the_link_carried_in_clear_too_says_so():
    """West sends back to the internet, in clear, what an attacker has made of the answers."""
    opened = [each for each in seen("encryption_only", "west") if each.opened_from]
    assert [each.was_on_link for each in opened] == [False, True, True, True]


def test_what_came_in_transport_mode_is_seen_once():
    found = [each for each in seen("transport_ike", "bob") if kind(each.packet) in ("esp", "icmp")]
    assert words(found)[:2] == [("lan", "in", "esp"), ("lan", "out", "esp")]
    assert not any(each.opened_from for each in found)


def test_what_never_left_the_node_is_not_seen_and_what_the_link_lost_is():
    nobody_there = Run(read("overlapping_subnets")).run()
    assert len(nobody_there.recorder.of(FrameLost)) > 0
    assert list(sights(nobody_there.lives, "alice")) == []
    assert [each.way for each in seen(sites("loss: 100%"), "west")] == ["in", "out"]


def test_what_the_link_doubles_is_seen_once_where_it_leaves_and_twice_where_it_arrives():
    run = Run(read(sites("duplicate: 100%"))).run()
    assert run.recorder.of(FrameDoubled)
    assert words(list(sights(run.lives, "west")))[:2] == [("left", "in", "icmp"), ("wan", "out", "esp")]
    assert words(list(sights(run.lives, "east")))[:2] == [("wan", "in", "esp"), ("wan", "in", "icmp")]
    assert [each.way for each in sights(run.lives, "east") if kind(each.packet) == "esp"].count("in") == 2
