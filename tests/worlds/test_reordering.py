"""How much the anti-replay window loses of a stream whose packets overtake each other (RFC 4303 3.4.3)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read

pytestmark = pytest.mark.slow

HASTY = """
name: hasty
nodes: {alice: {kind: host}, bob: {kind: host}}
links:
  wan:
    endpoints: [alice, bob]
    from: {alice: {delay: HALF, jitter: HALF, distribution: uniform, reorder: 30%}}
tunnels:
  hand: {ends: [alice, bob], keying: manual, child: {mode: transport, esp_proposals: SUITE, replay_window: WINDOW}}
script: [do: flow alice bob interval=200us count=2000]
"""
"""Five thousand packets a second; three in ten travel at once, the others any time up to twice HALF."""


def lost(longest_ms: int, window: int, suite: str = "aes256gcm16") -> tuple[set[DropReason], float]:
    """For which reasons packets were dropped, and how many of a hundred."""
    source = HASTY.replace("HALF", f"{longest_ms * 500}us").replace("WINDOW", str(window))
    run = Run(read(source.replace("SUITE", suite))).run()
    reasons = [event.reason for record, event in run.recorder.of(PacketDropped) if record.node == "bob"]
    return set(reasons), len(reasons) / 20


@pytest.mark.fault("FLT-04")
@pytest.mark.parametrize("suite", ["aes256gcm16", "aes256gcm16-esn"])
@pytest.mark.parametrize(("longest_ms", "window"), [(5, 64), (12, 64), (20, 1024)])
def test_a_window_loses_nothing_while_no_packet_is_overtaken_by_as_many_as_it_holds(
    longest_ms: int, window: int, suite: str
) -> None:
    assert lost(longest_ms, window, suite) == (set(), 0)


@pytest.mark.fault("FLT-04")
@pytest.mark.parametrize(
    ("suite", "reason"),
    [("aes256gcm16", DropReason.REPLAY_OLD), ("aes256gcm16-esn", DropReason.ICV_FAIL)],
)
def test_what_is_delayed_longer_than_the_window_lasts_is_lost(suite: str, reason: DropReason) -> None:
    """64 packets last 12.8 ms; of the seven in ten that take up to 20 ms about a third comes later.

    With extended numbers one that is left of the window is taken for one of the next four thousand million, and
    its ICV does not hold (RFC 4303 A2.2).
    """
    reasons, percent = lost(20, 64, suite)
    assert reasons == {reason}
    assert percent == pytest.approx(23, abs=2)
