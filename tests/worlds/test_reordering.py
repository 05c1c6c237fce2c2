"""How much the anti-replay window loses of a stream whose packets overtake each other (RFC 4303 3.4.3)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read

HASTY = """
name: hasty
nodes: {alice: {kind: host}, bob: {kind: host}}
links:
  wan:
    endpoints: [alice, bob]
    from: {alice: {delay: HALF, jitter: HALF, distribution: uniform, reorder: 30%}}
tunnels:
  hand: {ends: [alice, bob], keying: manual, child: {mode: transport, replay_window: WINDOW}}
script: [do: flow alice bob interval=200us count=2000]
"""
"""Five thousand packets a second; three in ten travel at once, the others any time up to twice HALF."""


def lost(longest_ms: int, window: int) -> float:
    """How many of a hundred packets came too late for the window."""
    source = HASTY.replace("HALF", f"{longest_ms * 500}us").replace("WINDOW", str(window))
    run = Run(read(source)).run()
    late = [event for _, event in run.recorder.of(PacketDropped) if event.reason is DropReason.REPLAY_OLD]
    return len(late) / 20


@pytest.mark.fault("FLT-04")
@pytest.mark.parametrize(("longest_ms", "window"), [(5, 64), (12, 64), (20, 1024)])
def test_a_window_loses_nothing_while_no_packet_is_overtaken_by_as_many_as_it_holds(
    longest_ms: int, window: int
) -> None:
    assert lost(longest_ms, window) == 0


@pytest.mark.fault("FLT-04")
def test_what_is_delayed_longer_than_the_window_lasts_is_lost() -> None:
    """64 packets last 12.8 ms; of the seven in ten that take up to 20 ms about a third comes later."""
    assert lost(20, 64) == pytest.approx(23, abs=2)
