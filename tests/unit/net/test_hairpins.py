"""Two hosts behind one NAT that know each other by outside endpoints only, and a NAT under a flood of fragments."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import DatagramReceived, EchoReplyReceived
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.nat.events import PacketTranslated
from ipsecsim.stack.reassembly import MOST_PACKETS
from ipsecsim.wire import ipv4

HOME = """
name: home
until: 60s
nodes:
  pc: {kind: host}
  tablet: {kind: host}
  box: {kind: nat, nat: NAT}
  internet: {kind: router}
  server: {kind: host}
links:
  lan: [pc, tablet, box]
  dsl: [box, internet]
  web: [internet, server]
script:
  - {at: 5s, do: ping pc server}
"""


def home(nat: str) -> Run:
    run = Run(read(HOME.replace("NAT", nat)))
    for name in ("pc", "tablet", "server"):
        run.world.simulator.nodes[name].stack.ports.add(5000)
    return run


def say(run: Run, at: int, speaker: str, to: bytes, port: int = 5000) -> None:
    node = run.world.simulator.nodes[speaker]
    run.world.simulator.plan(
        at, node, lambda: node.perform(node.stack.send_datagram(None, 5000, to, port, b"x"))
    )


def played(nat: str) -> Run:
    """pc and tablet speak to the server, so that they are 5000 and 5001 outside, and then to each other."""
    run = home(nat)
    nodes = run.world.simulator.nodes
    box, server = nodes["box"].address, nodes["server"].address
    say(run, SECOND, "pc", server)
    say(run, SECOND + ms(10), "tablet", server)
    say(run, 2 * SECOND, "pc", box, 5001)
    say(run, 3 * SECOND, "tablet", box)
    run.run()
    assert check(run.recorder, run.world.simulator) == []
    return run


@pytest.mark.conf("NAT-07")
def test_they_reach_each_other_through_the_box_both_ways_with_outside_sources():
    run = played("full_cone")
    box = run.world.simulator.nodes["box"].address
    heard = [(record.node, event.source) for record, event in run.recorder.of(DatagramReceived)][2:]
    assert heard == [("tablet", box), ("pc", box)]
    ends = [event.where for record, event in run.recorder.of(PacketTranslated) if record.at >= 2 * SECOND]
    assert ends[:4] == ["source", "destination"] * 2, "each packet is translated twice on its way"


def test_where_the_box_does_not_do_it_they_do_not():
    run = played("{preset: full_cone, hairpinning: no}")
    assert {record.node for record, _ in run.recorder.of(DatagramReceived)} == {"server"}
    reasons = [event.reason for record, event in run.recorder.of(PacketDropped) if record.node == "box"]
    assert reasons == [DropReason.NAT_FILTERED] * 2


@pytest.mark.conf("NAT-10")
@pytest.mark.fault("FLT-21")
def test_a_flood_of_pieces_costs_no_whole_packet_and_its_memory_has_an_end():
    """RFC 4787 REQ-14a."""
    run = home("home_router")
    simulator = run.world.simulator
    box = simulator.nodes["box"]
    stranger = pack("198.51.100.7")

    def flood() -> None:
        for number in range(4 * MOST_PACKETS):
            piece = ipv4.build(
                stranger,
                box.address,
                17,
                bytes(64),
                identification=number,
                more_fragments=True,
                fragment_offset=8,
            )
            box.receive("dsl", piece)
            assert box.stack.fragments_waiting <= MOST_PACKETS

    simulator.plan(5 * SECOND, box, flood)
    run.run()
    assert len(run.recorder.of(EchoReplyReceived)) == 1
    assert DropReason.FRAG_TABLE_FULL in {event.reason for _, event in run.recorder.of(PacketDropped)}
