"""`when:` waits for a claim, `expect:` holds one on the way."""

from ipsecsim.experiment.run import Run
from ipsecsim.net.events import EchoRequestSent, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import expanded_yaml, read

SITES = """name: waiting
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  east: {kind: gateway}
  bob: {kind: host}
links:
  left: [alice, west]
  wan: {endpoints: [west, east], delay: 20ms}
  right: [east, bob]
tunnels:
  net: [west, east]
script:
"""


def played(script: str) -> Run:
    run = Run(read(SITES + script)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def told(script: str) -> list[str]:
    return [str(verdict) for verdict in played(script).verdicts()]


def test_an_action_waits_for_its_moment_and_others_count_from_it():
    run = played(
        "  - do: initiate net\n"
        "  - {when: {tunnel net: up}, do: ping alice bob name=first}\n"
        "  - {at: +1s, do: ping alice bob name=second}\n"
    )
    sent = {event.name: record.at for record, event in run.recorder.of(EchoRequestSent)}
    assert sent == {"first": 80_000_000, "second": 1_080_000_000}  # two round trips of 40 ms, then a second


def test_every_part_of_a_condition_has_to_hold():
    run = played(
        "  - do: [initiate net, ping bob alice name=early]\n"
        "  - {when: {tunnel net: up, early: received 1}, do: ping alice bob name=late}\n"
    )
    sent = {event.name: record.at for record, event in run.recorder.of(EchoRequestSent)}
    assert sent["late"] > 80_000_000
    assert run.world.pings["late"].received == 1


def test_what_never_comes_is_told_and_not_done():
    run = played("  - {when: {drops: IP_TTL}, do: ping bob alice}\n")
    assert [str(each) for each in run.verdicts()] == [
        "NOT MET  when drops: IP_TTL   found that it never held"
    ]
    assert not run.recorder.of(EchoRequestSent)


def test_a_claim_on_the_way_is_judged_at_its_time():
    assert told(
        "  - do: initiate net\n"
        "  - {at: 10ms, expect: {tunnel net: down}}\n"
        "  - {at: 10ms, expect: {tunnel net: up}}\n"
        "  - {at: 90ms, expect: {tunnel net: up}}\n"
    ) == [
        "met      at 0.010 s, tunnel net: down",
        "NOT MET  at 0.010 s, tunnel net: up   found 0 up, 1 down",
        "met      at 0.090 s, tunnel net: up",
    ]


def test_within_leaves_time_and_no_more():
    assert told(
        "  - do: initiate net\n"
        "  - {at: 10ms, expect: {tunnel net: up}, within: 100ms}\n"
        "  - {at: 10ms, expect: {tunnel net: up}, within: 20ms}\n"
    ) == [
        "NOT MET  at 0.010 s within 20 ms, tunnel net: up   found 0 up, 1 down",
        "met      at 0.010 s within 100 ms, tunnel net: up",
    ]


def test_looking_sends_nothing():
    def frames(script: str) -> list[bytes]:
        return [event.packet for _, event in played(script).recorder.of(FrameSent)]

    ping = "  - do: ping alice bob\n"
    assert len(frames(ping)) > 0
    assert frames(ping) == frames(ping + "  - {at: 1ms, expect: {ping: lost 1}}\n")


def test_a_script_that_waits_survives_its_expansion():
    topology = read(
        SITES + "  - do: initiate net\n  - {when: {tunnel net: up}, do: ping alice bob}\n"
        "  - {at: 1s, expect: {tunnel net: up}, within: 2s}\n"
    )
    assert read(expanded_yaml(topology)) == topology
