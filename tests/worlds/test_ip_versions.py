"""Whole networks of IPv4, of IPv6, and of both; tunnels of each in each."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import ChildSaCreated
from ipsecsim.net.events import EchoReplyReceived, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import IcmpErrorSent, PacketFragmented, PacketReassembled, PathMtuLowered
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import two_gateways

BOTH = pytest.mark.parametrize("version", [4, 6])

LINE = """\
name: line
ip: both
nodes: {alice: {}, one: {kind: router}, two: {kind: router}, bob: {}}
links:
  left: [alice, one]
  middle: {endpoints: [one, two], mtu: 1300}
  right: [two, bob]
script:
"""


def line(*sentences: str) -> Run:
    """A finished run over two routers with a narrow link between them."""
    steps = [f"  - {{at: {2 * number}s, do: '{each}'}}\n" for number, each in enumerate(sentences)]
    run = Run(read(LINE + "".join(steps))).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def drops(run: Run) -> list[tuple[str, DropReason]]:
    return [(record.node, event.reason) for record, event in run.recorder.of(PacketDropped)]


@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("outer", [4, 6])
@pytest.mark.parametrize("encap", [False, True], ids=["", "in UDP"])
def test_a_tunnel_of_either_version_carries_either(inner, outer, encap):
    world = two_gateways(inner=inner, outer=outer, encap=encap)
    result = world.ping("a", "b", count=2)
    world.run()
    assert result.received == 2
    sent = [event.packet for _, event in world.recorder.of(FrameSent) if event.link == "wan_east"]
    assert {ip.version(packet) for packet in sent} == {outer}
    protocols = {ip.upper_layer(packet)[0] for packet in sent}
    assert protocols == ({IpProtocol.UDP} if encap else {IpProtocol.UDP, IpProtocol.ESP})
    assert check(world.recorder, world.simulator) == []


def test_one_tunnel_over_ipv6_carries_both_versions():
    """Selectors of both in one Child SA (RFC 7296 2.9); an address of one end decides the outer version."""
    run = Run(
        read(
            """\
name: both
ip: both
nodes: {alice: {}, west: {kind: gateway}, east: {kind: gateway}, bob: {}}
links: {left: [alice, west], wan: [west, east], right: [east, bob]}
tunnels: {net: {ends: [west, east], remote_addrs: 2001:db8:1::2}}
script:
  - do: ping alice bob
  - {at: 1s, do: ping alice bob ip=6 name=six}
"""
        )
    ).run()
    assert [result.received for result in run.world.pings.values()] == [1, 1]
    on_wan = [event.packet for _, event in run.recorder.of(FrameSent) if event.link == "wan"]
    assert {ip.version(packet) for packet in on_wan} == {6}
    assert len(run.recorder.of(ChildSaCreated)) == 2  # one, told by both ends
    assert check(run.recorder, run.world.simulator) == []


def test_a_name_stands_for_the_first_version_unless_the_sentence_says_which():
    run = line("ping alice bob", "ping alice bob ip=6 name=six", "send alice bob ip=6 size=10")
    sources = [len(event.source) for _, event in run.recorder.of(EchoReplyReceived)]
    assert sources == [4, 16]
    assert drops(run) == []


def test_an_ipv4_packet_that_must_not_be_cut_teaches_its_source_the_path():
    run = line("ping alice bob size=1400 df=yes", "ping alice bob size=1400 name=again")
    assert [run.world.pings[name].received for name in ("ping", "again")] == [0, 1]
    assert drops(run) == [("one", DropReason.IP_DF_TOO_BIG)]
    assert [event.mtu for _, event in run.recorder.of(IcmpErrorSent)] == [1300]
    assert [(record.node, event.mtu) for record, event in run.recorder.of(PathMtuLowered)] == [
        ("alice", 1300)
    ]
    # alice cuts her request herself; bob knows nothing yet, and a router cuts his answer
    assert [record.node for record, _ in run.recorder.of(PacketFragmented)] == ["alice", "two"]


def test_ipv6_packets_teach_both_ends_the_path():
    first = "ping alice bob size=1400 ip=6"
    run = line(first, f"{first} name=again", f"{first} name=last")
    assert [run.world.pings[name].received for name in ("ping", "again", "last")] == [0, 0, 1]
    assert drops(run) == [("one", DropReason.IP_DF_TOO_BIG), ("two", DropReason.IP_DF_TOO_BIG)]
    lowered = [(record.node, event.mtu) for record, event in run.recorder.of(PathMtuLowered)]
    assert lowered == [("alice", 1300), ("bob", 1300)]
    # nobody on the way cuts anything
    assert [record.node for record, _ in run.recorder.of(PacketFragmented)] == ["alice", "alice", "bob"]


def test_who_must_not_cut_and_knows_the_path_refuses_at_once():
    first = "ping alice bob size=1400 df=yes"
    run = line(f"{first} ip=4", f"{first} ip=4", f"{first} ip=6", f"{first} ip=6")
    assert drops(run) == [("one", DropReason.IP_DF_TOO_BIG), ("alice", DropReason.IP_DF_TOO_BIG)] * 2


@BOTH
def test_a_datagram_larger_than_every_link_arrives_in_pieces(version):
    run = line(f"ping alice bob size=1400 df=yes ip={version}", f"send alice bob size=4000 ip={version}")
    (record, whole), *others = run.recorder.of(PacketReassembled)
    assert (record.node, whole.pieces, others) == ("bob", 4, [])
    assert ip.version(whole.packet) == version
