"""What links do to packets by chance, and what IKE and ESP make of it: FLT-01 to FLT-05 within their bounds."""

from dataclasses import replace
from math import comb

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import MessageRetransmitted, ResponseRepeated
from ipsecsim.ipsec.events import PacketOpened, PacketSealed, SaInstalled
from ipsecsim.net.events import FrameCorrupted, FrameDoubled
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.stack.events import EchoAnswered
from ipsecsim.wire import ipv6

pytestmark = pytest.mark.slow

CABLE = """\
name: cable
ip: {version}
nodes: {{alice: {{kind: host}}, bob: {{kind: host}}}}
links: {{cable: {{endpoints: [alice, bob], {link}}}}}
tunnels: {{pair: {{ends: [alice, bob], {tunnel}}}}}
script: [{script}]
"""
BY_HAND = "keying: manual, child: {{mode: transport, esp_proposals: {suite}, replay_window: {window}}}"


def by_hand(suite: str = "aes256gcm16", window: int = 32) -> str:
    return BY_HAND.format(suite=suite, window=window)


def cable(
    link: str, *sentences: str, tunnel: str = "dpd_delay: 0", seed: str = "1", version: str = "4"
) -> Run:
    """Two hosts, their tunnel, and a cable on which things happen."""
    script = ", ".join(f"do: {each}" for each in sentences)
    topology = read(CABLE.format(link=link, tunnel=tunnel, script=script, version=version))
    return Run(topology, seed=seed)


def drops(run: Run) -> list[DropReason]:
    return [event.reason for _, event in run.recorder.of(PacketDropped)]


# -- FLT-01: loss ---------------------------------------------------------------------------------


def setup_rate(loss: float) -> float:
    """Two exchanges, for each of them six tries, and each try has to get there and back."""
    return (1 - (1 - (1 - loss) ** 2) ** 6) ** 2


def is_within(successes: int, tries: int, rate: float) -> bool:
    """Does the outcome lie in the 99 % interval of the binomial distribution?"""

    def chance(count: int) -> float:
        return comb(tries, count) * rate**count * (1 - rate) ** (tries - count)

    below, above = sum(map(chance, range(successes + 1))), sum(map(chance, range(successes, tries + 1)))
    return min(below, above) > 0.005


def sets_up(loss: int, seed: int, *, patience: int | None = 600 * SECOND) -> bool:
    """Does a handshake come to its end? With `patience` a responder waits longer for IKE_AUTH than 30 s."""
    run = cable(f"loss: {loss}%, delay: 10ms", "initiate pair", seed=str(seed))
    if patience is not None:
        bob = run.world.simulator.nodes["bob"]
        assert isinstance(bob, VpnGateway)
        bob.ike.connections = tuple(replace(each, half_open_timeout=patience) for each in bob.ike.connections)
    run.run()
    return is_up(run.world, "pair")


@pytest.mark.fault("FLT-01")
@pytest.mark.parametrize(("loss", "tries"), [(0, 5), (10, 40), (20, 60), (50, 150)])
def test_handshakes_come_through_loss_as_often_as_the_model_says(loss, tries):
    successes = sum(sets_up(loss, seed) for seed in range(tries))
    assert is_within(successes, tries, setup_rate(loss / 100)), (successes, tries)


@pytest.mark.fault("FLT-01")
@pytest.mark.parametrize("loss", [0, 10, 50])
def test_esp_loses_what_the_link_loses_and_not_one_packet_more(loss):
    run = cable(f"loss: {loss}%", "flow alice bob count=500 interval=1ms", tunnel=by_hand()).run()
    lost = drops(run)
    assert set(lost) <= {DropReason.LINK_LOSS}
    assert run.world.results["flow"].lost == len(lost)
    assert check(run.recorder, run.world.simulator) == []


# -- FLT-02: bursts and outages -------------------------------------------------------------------


@pytest.mark.fault("FLT-02")
@pytest.mark.parametrize("outage", [1, 10, 30])
def test_an_outage_costs_no_sa_and_ike_goes_on_with_its_next_retransmission(outage):
    """The cable goes just before both SAs are to get new keys."""
    run = cable("delay: 5ms", "initiate pair").run()
    simulator = run.world.simulator
    alice, link = simulator.nodes["alice"], simulator.links["cable"]
    assert isinstance(alice, VpnGateway)
    before = {sa.spi_i for sa in alice.ike.sas}
    start = simulator.now + SECOND

    def plug(up: bool) -> None:
        link.options.up = up

    simulator.plan(start, alice, lambda: plug(False))
    (policy,) = {child.config.policy for sa in alice.ike.sas for child in sa.children}
    simulator.plan(start + MILLISECOND, alice, lambda: alice.rekey(policy))
    simulator.plan(start + outage * SECOND, alice, lambda: plug(True))
    run.run(start + 200 * SECOND)
    assert {sa.spi_i for sa in alice.ike.sas} == before
    assert is_up(run.world, "pair")
    renewed = [row.at for row, _ in run.recorder.of(SaInstalled) if row.at > start]
    again = [row.at for row, _ in run.recorder.of(MessageRetransmitted)]
    assert renewed, "new keys came in the end"
    first = next(at for at in again if at >= start + outage * SECOND)
    assert max(renewed) - first < 100 * MILLISECOND
    assert first - (start + outage * SECOND) <= 75.6 * SECOND


@pytest.mark.fault("FLT-02")
def test_bursts_of_loss_take_no_sa_down():
    run = cable(
        "loss: gemodel p=5% r=20%, delay: 5ms",
        "initiate pair",
        "flow alice bob count=300 interval=100ms",
        tunnel="dpd_delay: 2, child: {rekey_time: 10s, life_time: 60s}",
        seed="bursts",
    )
    run.run(40 * SECOND)
    assert is_up(run.world, "pair")
    assert DropReason.LINK_LOSS in drops(run)
    assert len(run.recorder.of(SaInstalled)) > 4
    assert set(drops(run)) <= {DropReason.LINK_LOSS, DropReason.NO_SA_YET}
    assert check(run.recorder, run.world.simulator) == []


# -- FLT-03: duplication --------------------------------------------------------------------------


@pytest.mark.fault("FLT-03")
@pytest.mark.parametrize("share", [0, 30, 100])
def test_whatever_comes_twice_happens_once(share):
    run = cable(
        f"duplicate: {share}%, delay: 5ms", "initiate pair", "ping alice bob count=20 interval=10ms"
    ).run()
    assert run.world.results["ping"].received == 20
    assert len(run.recorder.of(EchoAnswered)) == 20
    assert len(run.recorder.of(SaInstalled)) == 4, "each request of IKE was done once"
    doubled = len(run.recorder.of(FrameDoubled))
    assert bool(doubled) is bool(share)
    again = len(run.recorder.of(ResponseRepeated))
    refused = drops(run)
    assert set(refused) <= {DropReason.REPLAY_SEEN, DropReason.UNEXPECTED_RESPONSE}
    assert (DropReason.REPLAY_SEEN in refused) is bool(share)
    if share == 100:
        assert again == 2
    assert check(run.recorder, run.world.simulator) == []


# -- FLT-04: reordering ---------------------------------------------------------------------------


@pytest.mark.fault("FLT-04")
@pytest.mark.parametrize("window", [32, 64, 128])
@pytest.mark.parametrize("suite", ["aes256gcm16", "aes256gcm16-esn"])
def test_reordering_inside_the_window_costs_nothing(suite, window):
    """A packet that does not travel at all overtakes `window` - 1 others, sent a millisecond apart."""
    delay = f"{(window - 1) * 1000 + 500}us"
    run = cable(
        f"delay: {delay}, reorder: 10%",
        f"flow alice bob count={6 * window} interval=1ms",
        tunnel=by_hand(suite, window),
    ).run()
    result = run.world.results["flow"]
    assert result.lost == 0
    assert result.overtaken > window
    assert drops(run) == []


@pytest.mark.fault("FLT-04")
@pytest.mark.parametrize(
    ("suite", "reason"),
    [("aes256gcm16", DropReason.REPLAY_OLD), ("aes256gcm16-esn", DropReason.ICV_FAIL)],
)
def test_reordering_beyond_the_window_is_counted(suite, reason):
    """With extended numbers one below the window is taken for one of the next round (RFC 4303 A2.2)."""
    run = cable(
        "delay: 45ms, reorder: 10%", "flow alice bob count=300 interval=1ms", tunnel=by_hand(suite)
    ).run()
    assert set(drops(run)) == {reason}
    assert run.world.results["flow"].lost == len(drops(run)) > 20


# -- FLT-05: corruption ---------------------------------------------------------------------------

BITS = 8 * 140  # of the packets below
FIRST_CHECK_HIT = {
    DropReason.IP_MALFORMED,
    DropReason.NO_SA,
    DropReason.SEQ_ZERO,
    DropReason.REPLAY_SEEN,
    DropReason.REPLAY_OLD,
    DropReason.ESP_SHORT,
    DropReason.ESP_ALIGN,
    DropReason.ICV_FAIL,
}


@pytest.mark.fault("FLT-05")
@pytest.mark.parametrize("per_bit", [1e-6, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("suite", ["aes256gcm16", "aes128-sha256"])
def test_no_wrong_bit_gets_past_the_checks(suite, per_bit):
    share = 100 * (1 - (1 - per_bit) ** BITS)
    run = cable(
        f"corrupt: {share:.4f}%", "flow alice bob count=400 interval=1ms size=64", tunnel=by_hand(suite)
    ).run()
    spoilt = len(run.recorder.of(FrameCorrupted))
    assert set(drops(run)) <= FIRST_CHECK_HIT
    assert len(drops(run)) == spoilt == run.world.results["flow"].lost
    if per_bit >= 1e-3:
        assert {DropReason.IP_MALFORMED, DropReason.ICV_FAIL, DropReason.NO_SA} <= set(drops(run))
    assert len(run.recorder.of(PacketOpened)) == 400 - spoilt
    assert check(run.recorder, run.world.simulator) == []


@pytest.mark.fault("FLT-05")
def test_over_ipv6_a_wrong_bit_in_the_header_may_pass_and_none_in_the_data():
    """Nothing covers traffic class, flow label and hop limit there (RFC 8200 8.1); all else ends somewhere."""
    run = cable(
        "corrupt: 100%", "flow alice bob count=400 interval=1ms size=64", tunnel=by_hand(), version="6"
    ).run()
    result = run.world.results["flow"]
    assert len(run.recorder.of(FrameCorrupted)) == 400
    assert result.received + len(drops(run)) == 400
    assert 0 < result.received < 60
    sealed = {event.inner[ipv6.HEADER_LENGTH :] for _, event in run.recorder.of(PacketSealed)}
    opened = {event.inner[ipv6.HEADER_LENGTH :] for _, event in run.recorder.of(PacketOpened)}
    assert len(opened) == result.received
    assert opened <= sealed
    assert set(drops(run)) <= FIRST_CHECK_HIT | {DropReason.IP_NOT_LOCAL, DropReason.SA_SELECTOR_MISMATCH}
    assert check(run.recorder, run.world.simulator) == []
