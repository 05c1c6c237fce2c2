"""A NAT on a node's path: fragments are put together first, errors find back, and time goes by."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import EchoReplyReceived
from ipsecsim.observe.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import FragmentStored, PacketReassembled
from ipsecsim.stack.nat.events import MappingEnded, MappingMade, PacketTranslated

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
    run = home("  - do: ping pc server size=1400 df=yes count=2\n", "mtu: 1000")
    assert drops(run) == [DropReason.IP_DF_TOO_BIG] * 2
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


def test_from_outside_nobody_gets_in():
    run = home("  - do: [ping server box, send server box dport=4711]\n")
    assert len(run.recorder.of(EchoReplyReceived)) == 1, "the box itself answers a ping"
    assert DropReason.NAT_NO_MAPPING in drops(run)
