"""What somebody on the path can do without keys: make trouble, and nothing else (RFC 7296 5, RFC 4303 3.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.trial import check
from ipsecsim.ike.events import IkeProposalChosen
from ipsecsim.ipsec.events import PacketOpened, SaInstalled, SaRemoved
from ipsecsim.net.events import BitFlipped, FrameSent, PacketReplayed
from ipsecsim.scenario import read
from ipsecsim.stack.events import EchoAnswered

SITES = """name: sites
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
  mallory: {kind: attacker, tap: wan}
links: {left: [alice, west], wan: {endpoints: [west, east], delay: 5ms}, right: [east, bob]}
tunnels: {net: {ends: [west, east], rekey_time: 4h}}
until: 5m
script:
"""
MESSAGES = {  # MOBIKE, on by default, moves IKE to port 4500 after the first exchange
    "IKE_SA_INIT request": "src=west port=500",
    "IKE_SA_INIT response": "src=east port=500",
    "IKE_AUTH request": "layer=ike src=west port=4500",
    "IKE_AUTH response": "layer=ike src=east port=4500",
}


def play(*lines: str, seed: str = "1") -> Run:
    run = Run(read(SITES + "".join(f"  - {line}\n" for line in lines)), seed=seed).run()
    assert [str(each) for each in check(run)] == []
    return run


def drops(run: Run, node: str) -> list[DropReason]:
    return [event.reason for row, event in run.recorder.of(PacketDropped) if row.node == node]


def suites(run: Run) -> set[str]:
    """What the SAs of the run use, IKE and ESP."""
    ike = {event.suite for _, event in run.recorder.of(IkeProposalChosen)}
    return ike | {event.suite for _, event in run.recorder.of(SaInstalled)}


@pytest.mark.fault("FLT-22")
def test_a_whole_session_sent_again_delivers_nothing_twice_and_changes_no_sa():
    """From the first IKE message to the DELETE: neither while the SAs live nor when they are gone."""
    run = play(
        "do: ping alice bob count=5",
        "{at: 10s, do: replay mallory}",
        "{at: 20s, do: terminate net}",
        "{at: 30s, do: replay mallory}",
    )
    replayed = run.recorder.of(PacketReplayed)
    # the second time also what east said to the first, and the DELETE with its answer
    assert len(replayed) == (4 + 10) + (4 + 10) + 2 + 2
    assert len(run.recorder.of(PacketOpened)) == 10
    assert [row.at // SECOND for row, _ in run.recorder.of(SaInstalled)] == [0] * 4
    assert {row.at // SECOND for row, _ in run.recorder.of(SaRemoved)} == {20}
    assert [reason for reason in drops(run, "west") if reason is DropReason.REPLAY_SEEN] == [
        DropReason.REPLAY_SEEN
    ] * 5
    assert drops(run, "bob") == drops(run, "alice") == []


@pytest.mark.fault("FLT-22")
def test_a_session_with_rekeying_sent_again_brings_no_old_key_back():
    run = play(
        "do: ping alice bob count=3",
        "{at: 5s, do: rekey net}",
        "{at: 6s, do: rekey net sa=ike}",
        "{at: 7s, do: ping alice bob count=3}",
        "{at: 20s, do: replay mallory}",
        "{at: 30s, do: ping alice bob}",
    )
    assert len(run.recorder.of(PacketOpened)) == 14
    assert max(row.at // SECOND for row, _ in run.recorder.of(SaInstalled)) == 5
    assert is_up(run.world, "net")


@pytest.mark.fault("FLT-42")
@pytest.mark.parametrize("which", MESSAGES.values(), ids=MESSAGES)
def test_a_message_of_the_handshake_taken_out_delays_it_and_nothing_else(which):
    run = play(f"do: [drop mallory {which} count=1, ping alice bob]")
    assert [r for name in ("west", "east") for r in drops(run, name)] == [DropReason.ADVERSARY_DROP]
    assert is_up(run.world, "net")
    assert run.recorder.of(PacketOpened)
    assert suites(run) == suites(play("do: ping alice bob"))


@pytest.mark.fault("FLT-42")
@pytest.mark.parametrize("which", MESSAGES.values(), ids=MESSAGES)
def test_a_message_of_the_handshake_always_taken_out_keeps_the_tunnel_down_and_nothing_leaks(which):
    run = play(f"do: [drop mallory {which}, ping alice bob]")
    assert not is_up(run.world, "net")
    assert not run.recorder.of(PacketOpened)
    assert not [e for _, e in run.recorder.of(FrameSent) if e.link == "wan" and e.packet[9] == 1]


@pytest.mark.fault("FLT-42")
@pytest.mark.parametrize("seed", [str(number) for number in range(6)])
@pytest.mark.parametrize("which", MESSAGES.values(), ids=MESSAGES)
def test_a_bit_of_the_handshake_flipped_never_makes_the_two_agree_on_something_else(which, seed):
    """They fail, or come to where they would have come to anyway: to no weaker suite, and to no half a tunnel."""
    run = play(f"do: [flip mallory {which} count=1, ping alice bob]", seed=seed)
    assert len(run.recorder.of(BitFlipped)) == 1
    assert suites(run) <= suites(play("do: ping alice bob"))
    opened = run.recorder.of(PacketOpened)
    assert len(opened) in (0, 2)
    assert is_up(run.world, "net") or not opened


@pytest.mark.fault("FLT-42")
@pytest.mark.parametrize("which", ["layer=ike", "layer=esp", ""])
def test_a_bit_of_everything_flipped_delivers_nothing_spoilt(which):
    run = play(f"do: [flip mallory {which}, ping alice bob count=3]")
    assert all(row.node != "mallory" for row, _ in run.recorder.of(FrameSent))
    assert not run.recorder.of(PacketOpened)
    assert drops(run, "alice") == drops(run, "bob") == []


@pytest.mark.fault("FLT-23")
def test_what_was_recorded_before_new_keys_and_before_a_crash_is_worth_nothing_afterwards():
    """Every SPI is fresh, so that no old packet meets a new SA."""
    text = """
name: recorded
until: 12s
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
  mallory: {kind: attacker, tap: wan}
links:
  left: [alice, west]
  wan: {endpoints: [west, east], delay: 10ms}
  right: [east, bob]
tunnels:
  net: {ends: [west, east], child: {start_action: start}}
script:
  - {at: 1s, do: ping alice bob count=3 interval=100ms}
  - {at: 2s, do: rekey net}
  - {at: 3s, do: rekey net sa=ike}
  - {at: 4s, do: ping alice bob name=new count=3 interval=100ms}
  - {at: 5s, do: replay mallory}
  - {at: 6s, do: crash west}
  - {at: 7s, do: restart west}
  - {at: 8s, do: replay mallory}
  - {at: 10s, do: ping alice bob name=last}
"""
    run = Run(read(text)).run()
    assert check(run) == []
    assert [run.world.results[name].received for name in ("ping", "new", "last")] == [3, 3, 1]
    inbound = [event.spi for _, event in run.recorder.of(SaInstalled) if event.direction == "in"]
    assert len(inbound) == len(set(inbound)) == 6
    assert len([row for row, _ in run.recorder.of(EchoAnswered) if row.node == "bob"]) == 7
    replayed = {event.packet for _, event in run.recorder.of(PacketReplayed)}
    dropped = [event for _, event in run.recorder.of(PacketDropped) if event.packet in replayed]
    reasons = {event.reason for event in dropped}
    assert {DropReason.NO_SA, DropReason.REPLAY_SEEN} <= reasons
