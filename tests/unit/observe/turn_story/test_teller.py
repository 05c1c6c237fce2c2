"""Turns are told without knowing the topology, and whatever the bytes of their packets are."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent, TurnBegan
from ipsecsim.net.turn import Turn
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.turn_story import Place, Teller, tell
from ipsecsim.stack.events import PacketForwarded
from ipsecsim.wire import ipv4
from ipsecsim.wire.icmpv4 import Echo

THERE = pack("10.2.0.2")
PING = ipv4.build(pack("10.1.0.2"), THERE, 1, Echo(False, 1, 1, b"").emit())


def recording(*turns: tuple[str, list[TraceEvent]]) -> Recorder:
    recorder = Recorder()
    for number, (node, events) in enumerate(turns, 1):
        turn = Turn(number, number * 1000, node, "frame" if number > 1 else "script", number - 1)
        for event in (TurnBegan(turn.stimulus), *events):
            recorder.observe(turn, event)
    return recorder


def sent(packet: bytes) -> FrameSent:
    return FrameSent(1, "wan", "wan", THERE, packet)


def arrived(packet: bytes) -> FrameArrived:
    return FrameArrived(1, "wan", "wan", packet)


@pytest.mark.parametrize("packet", [b"", b"\x45", b"\x60" + bytes(10), bytes(40), b"\xff" * 64, PING[:21]])
def test_a_packet_that_is_none_is_dropped_in_a_sentence(packet):
    dropped = PacketDropped(DropReason.IP_MALFORMED, packet, "too short")
    recorder = recording(("a", [sent(packet)]), ("b", [arrived(packet), dropped]))
    told = Teller(recorder, {"b": Place(addresses=frozenset({THERE}))})
    assert told.tell(1).say
    story = told.tell(2)
    assert story.say.startswith("b drops ")
    assert [(hook.name, hook.verdict) for hook in story.hooks][1] == ("IP header", "fail")


def test_without_a_topology_addresses_stand_for_names():
    recorder = recording(
        ("a", [sent(PING)]), ("r", [arrived(PING), PacketForwarded("wan", THERE, 63, 4), sent(PING)])
    )
    assert tell(recorder, 2).say == "r passes ping 1 on to 10.2.0.2 and lowers its time to live."
    named = tell(recorder, 2, {"bob": Place(addresses=frozenset({THERE}))})
    assert named.say == "r passes ping 1 on to bob and lowers its time to live."


def test_what_a_link_loses_the_link_drops():
    lost = PacketDropped(DropReason.LINK_LOSS, PING, "on wan")
    story = tell(recording(("a", [sent(PING), FrameLost(1, "wan"), lost])), 1)
    assert story.say == "The link wan drops ping 1: the link lost it, by chance."
    assert story.drop is not None
    assert story.drop.knows.startswith("nobody")
    assert story.drop.blind == "a: nobody tells it"
    assert [hook.verdict for hook in story.hooks][-2:] == ["pass", "fail"]


def test_a_turn_that_did_not_happen_is_an_index_error():
    with pytest.raises(IndexError):
        tell(recording(("a", [])), 2)
