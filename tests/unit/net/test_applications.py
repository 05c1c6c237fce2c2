"""The programs of the script's traffic, between two hosts: what they send, and what they find out."""

from itertools import pairwise

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.application import Result
from ipsecsim.net.apps.flow import HEADER, FlowListener, identifier
from ipsecsim.net.apps.voice import VoiceListener
from ipsecsim.net.events import (
    DatagramReceived,
    DatagramSent,
    FlowPacketArrived,
    FrameSent,
    HopFound,
    HopSilent,
    PathMtuFound,
    QueryAnswered,
    QueryGivenUp,
    TrafficRefused,
)
from ipsecsim.net.node import Node
from ipsecsim.scenario import read
from ipsecsim.stack.actions import DatagramArrived
from ipsecsim.wire import rtp

LINE = """\
name: line
ip: {version}
nodes:
  alice: {{kind: host}}
  near: {{kind: router}}
  far: {{kind: router}}
  bob: {{kind: host}}
links:
  left: [alice, near]
  middle: {{endpoints: [near, far], {middle}}}
  right: [far, bob]
script: [{script}]
"""


def line(*sentences: str, middle: str = "delay: 5ms", version: str = "4") -> Run:
    """Two hosts, two routers, and what the one between these does to packets."""
    script = ", ".join(f"do: {each}" for each in sentences)
    return Run(read(LINE.format(script=script, middle=middle, version=version))).run()


def sizes(run: Run, link: str = "left") -> set[int]:
    return {len(event.packet) for _, event in run.recorder.of(FrameSent) if event.link == link}


def sent_at(run: Run) -> list[int]:
    return [record.at for record, _ in run.recorder.of(DatagramSent)]


def gaps(run: Run) -> list[int]:
    times = sent_at(run)
    return [later - earlier for earlier, later in pairwise(times)]


def unwatched_bob() -> Node:
    """A node that may be asked outside of turns."""
    bob = line("note over").world.simulator.nodes["bob"]
    bob.tap = None
    return bob


# -- flow -----------------------------------------------------------------------------------------


def test_a_constant_flow_keeps_its_rate():
    run = line("flow alice bob rate=800kbit size=500 duration=1s")
    assert set(gaps(run)) == {5 * MILLISECOND}
    result = run.world.results["flow"]
    assert (result.sent, result.received, result.lost) == (200, 200, 0)
    assert result.data == 100_000
    assert sizes(run) == {528}


@pytest.mark.parametrize("kind", ["poisson", "on_off"])
def test_the_other_paces_are_uneven_and_the_same_each_time(kind):
    sentence = f"flow alice bob kind={kind} interval=10ms count=300"
    run = line(sentence)
    assert run.world.results["flow"].received == 300
    assert sent_at(run) == sent_at(line(sentence))
    if kind == "poisson":
        assert len(set(gaps(run))) > 250
        assert sum(gaps(run)) / 299 == pytest.approx(10 * MILLISECOND, rel=0.2)
    else:
        assert gaps(run).count(10 * MILLISECOND) > 250
        assert max(gaps(run)) > 100 * MILLISECOND


def test_two_flows_to_one_port_are_told_apart():
    run = line("flow alice bob count=3 name=one", "flow alice bob count=5 name=two")
    assert [run.world.results[name].received for name in ("one", "two")] == [3, 5]


def test_a_group_is_reached_on_the_link_and_no_further():
    """A router listens beside alice; bob does too, and stands behind it."""
    run = line(
        "flow alice near group=224.0.0.9 count=3 name=here", "flow alice bob group=224.0.0.5 name=there"
    )
    assert run.world.results["here"].received == 3
    assert run.world.results["there"].received == 0
    assert {(row.node, event.reason) for row, event in run.recorder.of(PacketDropped)} == {
        ("near", DropReason.IP_TTL)
    }


def test_what_comes_twice_or_late_is_counted_apart():
    run = line("flow alice bob count=200 interval=1ms", middle="delay: 5ms, duplicate: 20%, reorder: 10%")
    result = run.world.results["flow"]
    assert (result.received, result.lost) == (200, 0)
    assert result.repeated == len(run.recorder.of(FlowPacketArrived)) - 200 > 10
    assert result.overtaken > 5


def test_loss_is_what_never_came():
    run = line("flow alice bob count=1000 interval=1ms", middle="loss: 10%")
    result = run.world.results["flow"]
    assert result.lost == 1000 - len(run.recorder.of(FlowPacketArrived))
    assert 50 < result.lost < 150


# -- voice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "version", "size"),
    [("g711", "4", 200), ("g729", "4", 60), ("g711", "6", 220), ("g729", "6", 80)],
)
def test_a_call_is_fifty_packets_of_one_size_a_second(codec, version, size):
    run = line(f"voice alice bob codec={codec} duration=2s", version=version)
    assert sizes(run) == {size}
    assert set(gaps(run)) == {20 * MILLISECOND}
    result = run.world.results["voice"]
    assert (result.sent, result.received, result.jitter) == (100, 100, 0)


def test_the_jitter_is_that_of_rfc_3550():
    run = line("voice alice bob duration=4s name=call", middle="delay: 30ms, jitter: 6ms, loss: 5%")
    transits = [event.transit for _, event in run.recorder.of(FlowPacketArrived)]
    estimate = 0.0
    for before, after in pairwise(transits):
        estimate += (abs(after - before) - estimate) / 16
    assert run.world.results["call"].jitter == pytest.approx(estimate, abs=1000)
    assert estimate > MILLISECOND


def test_a_call_of_more_than_65536_packets_goes_on_counting():
    bob = unwatched_bob()
    listener = VoiceListener(bob, name="call", result=(result := Result(sent=0x30000)))
    source = identifier(bob, "call")
    for number in (1, 0x7FFF, 0xFFFE, 0xFFFF, 0x10000, 0x10002, 0x10001, 0x10001, 0x17FFF, 0x1FFFE, 1):
        payload = rtp.build(0, number, 160 * number, source) + bytes(160)
        arrived = DatagramArrived(bytes(4), 4000, bytes(4), 5004, payload, bytes(20))
        assert listener.on_datagram(arrived, 30 * SECOND * number) == []
    assert (result.received, result.repeated, result.overtaken) == (10, 1, 1)


def test_what_is_not_of_the_call_is_left_to_others():
    run = line("voice alice bob duration=20ms", "send alice bob dport=5004")
    assert run.world.results["voice"].received == 1
    assert len(run.recorder.of(DatagramReceived)) == 2


def test_a_number_that_was_never_sent_is_not_counted():
    bob = unwatched_bob()
    for sequence in (0, 6, 1 << 31):
        listener = FlowListener(bob, name="flow", result=(result := Result(sent=5)))
        payload = HEADER.pack(identifier(bob, "flow"), sequence, 0)
        arrived = DatagramArrived(bytes(4), 4000, bytes(4), 5001, payload, bytes(20))
        assert listener.on_datagram(arrived, SECOND) is None
        assert result.received == 0


# -- dns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "bob"), [("4", "10.2.0.2"), ("6", "fd00:10:2::2")])
def test_a_name_is_found_in_the_version_that_is_spoken(version, bob):
    run = line("dns alice bob count=2", version=version)
    answers = [event for _, event in run.recorder.of(QueryAnswered)]
    assert [(event.question, event.address) for event in answers] == [
        ("host1.example", pack(bob)),
        ("host2.example", pack(bob)),
    ]
    assert run.world.results["dns"].received == 2


def test_a_query_is_sent_again_and_then_given_up():
    run = line("dns alice bob count=2", middle="loss: 100%")
    assert sent_at(run) == [0, 5 * SECOND, 10 * SECOND, 15 * SECOND]
    assert [event.tries for _, event in run.recorder.of(QueryGivenUp)] == [2, 2]
    assert (run.world.results["dns"].sent, run.world.results["dns"].lost) == (2, 2)


def test_two_programs_ask_one_server_and_each_is_answered_once():
    run = line("dns alice bob name=one", "dns alice bob name=two")
    assert len(run.recorder.of(QueryAnswered)) == 2
    assert len(run.recorder.of(DatagramSent)) == 2


# -- trace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["4", "6"])
def test_a_trace_finds_every_router_and_the_path_mtu(version):
    run = line("trace alice bob", middle="mtu: 1300", version=version)
    hops = [event for _, event in run.recorder.of(HopFound)]
    names = [
        node for event in hops for node in run.world.simulator.nodes.values() if _has(node, event.source)
    ]
    assert [node.name for node in names] == ["near", "far", "bob"]
    assert [event.is_there for event in hops] == [False, False, True]
    assert [event.mtu for _, event in run.recorder.of(PathMtuFound)] == [1300]
    assert max(sizes(run, "right")) <= 1300


def _has(node, address: bytes) -> bool:
    return address in node.stack.addresses


def test_without_df_small_probes_say_nothing_of_the_mtu():
    run = line("trace alice bob df=no", middle="mtu: 600")
    assert len(run.recorder.of(HopFound)) == 3
    assert not run.recorder.of(PathMtuFound)
    assert max(sizes(run)) == 60


def test_a_trace_ends_where_nobody_answers_any_more():
    run = line("trace alice bob", middle="loss: 100%")
    assert [event.hops for _, event in run.recorder.of(HopSilent)] == [2, 3, 4]
    assert run.world.results["trace"].hops[1:] == [None, None, None]
    assert run.now == 6 * SECOND + 400_000


# -- bad news -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["4", "6"])
@pytest.mark.parametrize(
    ("sentence", "told"), [("send alice bob dport=77", 1), ("ping alice bob size=1400 df=yes", 1)]
)
def test_a_program_is_told_by_icmp_what_became_of_its_packet(sentence, told, version):
    run = line(sentence, "ping alice bob name=other", middle="mtu: 1300", version=version)
    heard = [event for _, event in run.recorder.of(TrafficRefused)]
    assert [event.name for event in heard] == [sentence.split()[0]]
    assert run.world.results[sentence.split()[0]].refused == told
    assert run.world.results["other"].received == 1


def test_claims_about_traffic_are_measured():
    script = "voice alice bob duration=1s"
    text = LINE.format(script=f"do: {script}", middle="delay: 40ms, rate: 1mbit", version="4")
    claims = (
        "sent 50",
        "received 50",
        "lost 0",
        "lost at most 1%",
        "size 200",
        "jitter at most 1us",
        "duration about 1022ms",
        "goodput about 68kbit",
    )
    for claim in claims:
        verdicts = Run(read(f"{text}expect: {{voice: {claim}}}\n")).run().verdicts()
        assert [str(each) for each in verdicts if not each.is_met] == []


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("flow alice bob count=1", "rtt at most 1s"),
        ("send alice bob", "received 1"),
        ("ping alice bob", "jitter at most 1s"),
        ("flow alice bob count=1", "retransmissions 0"),
    ],
)
def test_what_a_program_cannot_know_is_not_measured(sentence, claim):
    text = LINE.format(script=f"do: {sentence}", middle="delay: 1ms", version="4")
    run = Run(read(f"{text}expect: {{{sentence.split()[0]}: {claim}}}\n")).run()
    with pytest.raises(ConfigError, match="cannot be measured"):
        run.verdicts()


# -- behind a NAT ---------------------------------------------------------------------------------

BEHIND_NAT = """\
name: behind_nat
nodes:
  alice: {kind: host}
  home: {kind: nat, nat: home_router}
  isp: {kind: router}
  bob: {kind: host}
links:
  inside: [alice, home]
  outside: [home, isp]
  narrow: {endpoints: [isp, bob], mtu: 1300}
script: [do: [SENTENCE]]
"""


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("flow alice bob count=20", "received 20"),
        ("voice alice bob duration=200ms", "received 10"),
        ("dns alice bob count=3", "received 3"),
        ("trace alice bob", "size 1300"),
        ("trace alice bob", "hops 3"),
        ("ping alice bob size=1400 df=yes", "received 0"),
    ],
)
def test_programs_work_through_a_nat_and_so_do_the_errors_that_they_are_told(sentence, claim):
    verb = sentence.split()[0]
    text = BEHIND_NAT.replace("SENTENCE", sentence)
    run = Run(read(f"{text}expect: {{{verb}: {claim}}}\n")).run()
    assert [str(each) for each in run.verdicts() if not each.is_met] == []
    told = [event.name for _, event in run.recorder.of(TrafficRefused)]
    assert bool(told) is (verb in ("trace", "ping"))
