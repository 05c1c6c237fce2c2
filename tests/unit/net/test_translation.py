"""A NAT on a node's path: fragments are put together first, errors find back, and time goes by."""

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import EchoReplyReceived, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.telling.explain import explain
from ipsecsim.scenario import read
from ipsecsim.stack.events import EchoAnswered, FragmentStored, IcmpErrorSent, PacketReassembled
from ipsecsim.stack.nat.events import MappingEnded, MappingMade, PacketTranslated
from ipsecsim.wire import ipv4

HOME = """
name: home
until: 20m
nodes:
  pc: {kind: host}
  box: {kind: nat, nat: {timeouts: {udp: 30s}}}
  internet: {kind: router}
  server: {kind: host}
links:
  lan: [pc, box]
  dsl: {endpoints: [box, internet], MTU}
  web: [internet, server]
script:
"""


def home(script: str, mtu: str = "delay: 1ms") -> Run:
    run = Run(read(HOME.replace("MTU", mtu) + script)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def drops(run: Run) -> list[DropReason]:
    return [event.reason for _, event in run.recorder.of(PacketDropped)]


def test_a_ping_goes_out_and_its_answer_comes_back():
    run = home("  - do: ping pc server count=2\n")
    assert len(run.recorder.of(EchoReplyReceived)) == 2
    assert len(run.recorder.of(MappingMade)) == 1
    assert [event.where for _, event in run.recorder.of(PacketTranslated)] == ["source", "destination"] * 2


@pytest.mark.conf("NAT-10")
def test_fragments_are_put_together_before_they_are_translated():
    run = home("  - do: ping pc server size=4000\n")
    assert len(run.recorder.of(EchoReplyReceived)) == 1
    assert [record.node for record, _ in run.recorder.of(PacketReassembled)] == ["box", "server", "box", "pc"]
    at_box = [event.offset for record, event in run.recorder.of(FragmentStored) if record.node == "box"]
    assert len(at_box) == 4


@pytest.mark.conf("NAT-10")
def test_fragments_may_come_in_any_order():
    out_of_order = "from: {internet: {reorder: 50%}}, delay: 5ms"
    run = home("  - do: ping pc server size=4000 count=10 interval=1s\n", out_of_order)
    assert len(run.recorder.of(EchoReplyReceived)) == 10
    offsets = [event.offset for record, event in run.recorder.of(FragmentStored) if record.node == "box"]
    assert offsets != sorted(offsets)


@pytest.mark.conf("NAT-13")
def test_the_path_mtu_is_found_through_it():
    """RFC 4787 REQ-13: the host inside hears of a link outside that is too small for it, and does not try again."""
    near = home("  - do: ping pc server size=1400 df=yes count=2\n", "mtu: 1000")
    assert drops(near) == [DropReason.IP_DF_TOO_BIG] * 2
    assert [record.node for record, _ in near.recorder.of(PacketDropped)] == ["box", "pc"]
    # the router is behind the NAT here, so that the error passes it
    text = HOME.replace("MTU", "delay: 1ms").replace(
        "web: [internet, server]", "web: {endpoints: [internet, server], mtu: 1000}"
    )
    far = Run(read(text + "  - do: ping pc server size=1400 df=yes count=2\n")).run()
    assert [record.node for record, _ in far.recorder.of(PacketDropped)] == ["internet", "pc"]
    assert check(far.recorder, far.world.simulator) == []


def test_a_mapping_ends_when_its_time_is_over():
    run = home("  - do: send pc server\n  - {at: 31s, do: send pc server}\n")
    (record, ended), *_ = run.recorder.of(MappingEnded)
    assert record.at // 10**9 == 30
    assert len(run.recorder.of(MappingMade)) == 2
    assert ended.inside[1] > 0


def test_what_came_from_outside_and_leaves_there_again_gets_no_mapping():
    """Else anybody outside could fill the table."""
    text = HOME.replace("MTU", "delay: 1ms").replace("timeouts: {udp: 30s}", "ports_per_host: 9")
    run = Run(read(text + "  - do: ping pc server\n"))
    simulator = run.world.simulator
    box, server = simulator.nodes["box"], simulator.nodes["server"]
    came = ipv4.build(pack("198.51.100.7"), server.address, 17, bytes(8))
    simulator.plan(SECOND, box, lambda: box.receive("dsl", came))
    run.run()
    assert [event.protocol for _, event in run.recorder.of(MappingMade)] == [1], "only pc's ping"
    sent = [event.packet for record, event in run.recorder.of(FrameSent) if record.node == "box"]
    assert any(packet[ipv4.SOURCE] == pack("198.51.100.7") for packet in sent)


def test_from_outside_nobody_gets_in():
    run = home("  - do: [ping server box, send server box dport=4711]\n")
    assert len(run.recorder.of(EchoReplyReceived)) == 1, "the box itself answers a ping"
    assert DropReason.NAT_NO_MAPPING in drops(run)


def test_who_gets_no_port_is_told_by_icmp_and_the_story_says_why():
    pings = "".join(f"  - {{at: {number}s, do: ping pc server}}\n" for number in range(3))
    text = HOME.replace("timeouts: {udp: 30s}", "ports_per_host: 2").replace("MTU", "delay: 1ms")
    run = Run(read(text + pings)).run()
    ((record, dropped),) = run.recorder.of(PacketDropped)
    assert dropped.reason is DropReason.NAT_PORTS_EXHAUSTED
    assert "no outside port is left for it" in explain(dropped)
    assert "2 mappings of this host" in explain(dropped)
    ((record, told),) = run.recorder.of(IcmpErrorSent)
    assert (record.node, told.type, told.code) == ("box", 3, 13), "RFC 5508 REQ-8"
    assert check(run.recorder, run.world.simulator) == []


BEHIND_TWO = """
name: behind_two
until: 60s
nodes:
  pc: {kind: host}
  tablet: {kind: host}
  home: {kind: nat, nat: {outside: access}}
  carrier: {kind: nat, nat: {preset: carrier_grade, ports_per_host: LIMIT, outside: uplink}}
  neighbour: {kind: nat, nat: {outside: access}}
  other: {kind: host}
  internet: {kind: router}
  server: {kind: host}
links:
  lan: [pc, tablet, home]
  theirs: [other, neighbour]
  access: [home, neighbour, carrier]
  uplink: [carrier, internet]
  web: {endpoints: [internet, server], MTU}
script:
"""


def behind_two(script: str, limit: int = 512, mtu: str = "mtu: 1500") -> Run:
    text = BEHIND_TWO.replace("LIMIT", str(limit)).replace("MTU", mtu)
    run = Run(read(text + script)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def test_behind_two_nats_a_packet_is_translated_twice_and_its_answer_too():
    run = behind_two("  - do: ping pc server size=3000\n")
    assert len(run.recorder.of(EchoReplyReceived)) == 1
    told = [(record.node, event.where) for record, event in run.recorder.of(PacketTranslated)]
    assert told == [
        ("home", "source"),
        ("carrier", "source"),
        ("carrier", "destination"),
        ("home", "destination"),
    ]


def test_a_carrier_serves_its_customers_from_ranges_of_their_own_and_bounds_each():
    pings = "".join(
        f"  - {{at: {number}s, do: [ping pc server, ping other server]}}\n" for number in range(4)
    )
    run = behind_two(pings + "  - {at: 10s, do: ping tablet server}\n", limit=4)
    ranges: dict[bytes, set[int]] = {}
    for record, event in run.recorder.of(MappingMade):
        if record.node == "carrier":
            ranges.setdefault(event.inside[0], set()).add((event.outside[1] - 1024) // 512)
    assert sorted(len(each) for each in ranges.values()) == [1, 1]
    assert set.intersection(*ranges.values()) == set()
    assert drops(run) == [DropReason.NAT_PORTS_EXHAUSTED], "the fifth of one customer, whoever at home it is"
    assert len(run.recorder.of(EchoReplyReceived)) == 8
    assert [record.node for record, _ in run.recorder.of(IcmpErrorSent)] == ["carrier"]


def test_a_path_mtu_is_found_through_both():
    run = behind_two("  - do: ping pc server size=1400 df=yes count=2\n", mtu="mtu: 1000")
    assert [record.node for record, _ in run.recorder.of(PacketDropped)] == ["internet", "pc"]


SERVED = """
name: served
until: 60s
nodes:
  server: {kind: host}
  pc: {kind: host}
  box: {kind: nat, nat: {preset: symmetric, forward: [dst=192.0.2.9 to=server]}}
  far: {kind: host}
links:
  lan: [server, pc, box]
  outside: {endpoints: [box, far], net: 192.0.2.0/24}
script:
  - do: [ping server far, ping pc far]
"""


def test_a_host_with_an_outside_address_of_its_own_is_seen_there_by_all():
    run = Run(read(SERVED)).run()
    assert len(run.recorder.of(EchoReplyReceived)) == 2
    seen = [unpack(event.destination) for record, event in run.recorder.of(EchoAnswered)]
    assert seen == ["192.0.2.9", "192.0.2.1"]
    assert [event.protocol for _, event in run.recorder.of(MappingMade)] == [1], "only the pc's"
    assert check(run.recorder, run.world.simulator) == []
