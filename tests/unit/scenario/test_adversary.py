"""Attackers in a topology: what they tap, what they are asked to do, and what is refused with a remedy."""

import pytest

from ipsecsim.base.instant import MILLISECOND
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import PacketReplayed
from ipsecsim.net.tampering import Mask
from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.scenario.model_script import Drop, Flip, Replay
from tests.unit.scenario.examples import SITES, STAR, refusal

TAPPED = SITES.replace(
    "  bob: {kind: host}\n", "  bob: {kind: host}\n  mallory: {kind: attacker, tap: wan}\n"
)


def script(*lines: str) -> str:
    return TAPPED + "script:\n" + "".join(f"  - do: {line}\n" for line in lines)


def actions(*lines: str):
    return [action for entry in read(script(*lines)).script for action in entry.do]


def test_an_attacker_is_on_no_link_and_taps_one_or_several():
    node = read(TAPPED).nodes["mallory"]
    assert (node.kind, node.interfaces, node.taps) == ("attacker", (), ("wan",))
    both = TAPPED.replace("tap: wan", "tap: [left, wan, left]")
    assert read(both).nodes["mallory"].taps == ("left", "wan")


def test_a_counted_link_is_tapped_with_all_its_copies():
    source = STAR.replace("nodes:\n", "nodes:\n  mallory: {kind: attacker, tap: access}\n")
    assert read(source).nodes["mallory"].taps == ("access1", "access2", "access3")


def test_each_verb_says_what_is_done_to_which_packets_how_often():
    replay, flip, drop = actions(
        "replay mallory",
        "flip mallory layer=esp|ah dst=bob count=3",
        "drop mallory link=wan size>100 rate=50/s",
    )
    assert (type(replay), replay.where, replay.count, replay.interval) == (Replay, (), None, 0)
    assert (type(flip), flip.count) == (Flip, 3)
    assert [(each.key, each.values) for each in flip.where] == [("layer", ("esp", "ah")), ("dst", ("bob",))]
    assert (type(drop), drop.interval) == (Drop, 20 * MILLISECOND)
    assert [(each.key, each.operator) for each in drop.where] == [("link", "="), ("size", ">")]


def test_a_mask_says_which_bits_are_flipped():
    chance, chosen = actions("flip mallory layer=esp", "flip mallory layer=esp xor=20:c1014300")
    assert chance.mask is None
    assert chosen.mask == Mask(20, bytes.fromhex("c1014300"))
    assert [each.key for each in chosen.where] == ["layer"]


def test_what_is_expanded_says_the_same():
    source = script(
        "[replay mallory layer=esp, replay mallory layer=esp]",
        "drop mallory size!=84 count=2",
        "flip mallory layer=esp xor=20:c1014300",
    )
    topology = read(source)
    assert read(expanded_yaml(topology)) == topology
    assert "tap: [wan]" in expanded_yaml(topology)


def test_the_words_are_those_of_a_selection():
    """Of four ESP packets on the wire the one is meant that carries this SPI, goes there, and is as long."""
    run = Run(
        read(script("ping alice bob count=2") + "  - {at: 3s, do: replay mallory proto=esp dst=east}\n")
    ).run()
    replayed = [event.packet for _, event in run.recorder.of(PacketReplayed)]
    opened = [event.sequence for row, event in run.recorder.of(PacketOpened) if row.node == "east"]
    assert len(replayed) == len(opened) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("replay west", "'west' taps no link; it needs  kind: attacker, tap: LINK"),
        ("replay malory", "no node 'malory'; did you mean 'mallory'?"),
        ("flip mallory bob", "'flip' takes NODE; write for example  flip mallory layer=esp"),
        (
            "flip mallory xor=c101",
            "'c101' is no mask; write for example 20:ff00 (from byte 20 behind the IP header, hexadecimal)",
        ),
        ("replay mallory xor=0:ff", "'replay' has no 'xor'"),
        ("flip mallory leyer=esp", "'flip' has no 'leyer'; did you mean 'layer'?"),
        ("flip mallory layer=exp", "unknown word 'exp'; did you mean 'esp'?"),
        ("drop mallory link=wna", "no link 'wna'; did you mean 'wan'?"),
        ("drop mallory node=west", "'drop' has no 'node'"),
        ("drop mallory reason=ICV_FAIL", "'drop' has no 'reason'"),
        ("replay mallory count=0", "0 is out of range"),
        ("replay mallory rate=10", "'10' is no packet rate; write for example 100/s"),
        ("replay mallory rate=0/s", "'0/s' is no packet rate; write for example 100/s"),
        ("inject mallory layer=esp seq=9", "not yet: the script verb 'inject'"),
        ("flood mallory east rate=10/s", "not yet: the script verb 'flood'"),
        ("ping alice mallory", "'mallory' is on no link, so it has no address"),
        ("ping mallory alice", "'mallory' is on no link, so it has no address"),
    ],
)
def test_what_can_not_be_is_refused(line, message):
    assert message in refusal(script(line))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("tap: wan", "tap: wna", "no link 'wna'; did you mean 'wan'?"),
        ("tap: wan", "tap: link=wan", "no link 'link=wan'"),
        ("kind: attacker, tap", "kind: host, tap", "mallory taps a link, so it is  kind: attacker"),
        (
            "tap: wan",
            "tap: wan, nat: hotel",
            "an attacker has no 'nat': it only looks and meddles",
        ),
        ("tap: wan", "tap: wan, ipsec: {}", "an attacker has no 'ipsec'"),
        ("kind: attacker, tap: wan", "kind: attacker", "an attacker taps a link; write  tap: left"),
        ("wan: [west, east]", "wan: [west, east, mallory]", ""),
    ],
)
def test_only_an_attacker_taps_and_it_does_nothing_else(before, after, message):
    source = TAPPED.replace(before, after)
    if message:
        assert message in refusal(source)
    else:  # it may have a place of its own on a link, and an address there
        assert len(read(source).nodes["mallory"].interfaces) == 1
