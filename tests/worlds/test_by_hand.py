"""Whole worlds with keys by hand: dispositions, modes, fragments, windows, and what is never in clear."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened, PacketSealed
from ipsecsim.net.events import DatagramReceived, FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.wire import ip
from ipsecsim.wire.layers import layers
from tests.unit.scenario.examples import KEYED, MIXED

HOSTS = """
name: hosts
nodes: {alice: {kind: host}, hop: {kind: router}, bob: {kind: host}}
links: {near: [alice, hop], far: [hop, bob]}
tunnels: {hand: {ends: [alice, bob], keying: manual, child: {CHILD}}}
script: [do: [ping alice bob, send alice bob size=3000]]
"""
GATEWAYS = """
name: gateways
nodes: {alice: {kind: host}, west: {kind: gateway}, east: {kind: gateway}, bob: {kind: host}}
links: {left: [alice, west], wan: [west, east], right: [east, bob]}
tunnels: {hand: {ends: [west, east], keying: manual, child: {CHILD}}}
script: [do: [ping alice bob, send alice bob size=3000]]
"""
SUITES = ("esp_proposals: aes256gcm16", "esp_proposals: null-sha256", "ah_proposals: sha384")


def play(source: str, **options) -> Run:
    run = Run(read(source, **options)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def frames(run: Run, link: str) -> list[bytes]:
    return [event.packet for _, event in run.recorder.of(FrameSent) if event.link == link]


def dropped(run: Run) -> list[tuple[str, DropReason]]:
    return [(record.node, event.reason) for record, event in run.recorder.of(PacketDropped)]


def received(run: Run) -> int:
    return sum(each.received for each in run.world.pings.values())


def keyed(*spd: str) -> str:
    """Two hosts with SAs; alice's rules are these, and bob lets pass what is in clear unless it is protected."""
    start, end = KEYED.index("        - bypass"), KEYED.index("  bob:")
    source = KEYED[:start] + "".join(f"        - {rule}\n" for rule in spd) + KEYED[end:]
    return source.replace(
        "        - protect dst=alice sa=out|in", "        - protect dst=alice sa=out|in proto=udp"
    )


@pytest.mark.conf("ARC-04")
@pytest.mark.parametrize(
    ("rule", "on_the_wire", "reasons"),
    [
        ("protect dst=bob sa=out|in", ["esp"], []),
        ("bypass dst=bob", ["udp"], [("bob", DropReason.INBOUND_CLEAR_PROTECTED)]),
        ("discard", [], [("alice", DropReason.SPD_DISCARD)]),
    ],
)
def test_each_disposition_does_what_it_says(rule, on_the_wire, reasons):
    run = play(keyed(rule).replace("ping alice bob", "send alice bob"))
    assert [layers(packet)[1] for packet in frames(run, "lan")] == on_the_wire
    assert dropped(run) == reasons


@pytest.mark.conf("ARC-02")
def test_without_a_rule_nothing_crosses():
    run = play(keyed("bypass proto=tcp"))
    assert frames(run, "lan") == []
    assert dropped(run) == [("alice", DropReason.SPD_NO_MATCH)]


@pytest.mark.conf("ARC-20", "ARC-24")
@pytest.mark.parametrize("words", SUITES)
@pytest.mark.parametrize(("source", "mode"), [(HOSTS, "transport"), (HOSTS, "tunnel"), (GATEWAYS, "tunnel")])
@pytest.mark.parametrize("version", ["4", "6"])
def test_keys_by_hand_carry_traffic_in_every_mode_that_an_end_has(source, mode, words, version):
    run = play(f"ip: {version}{source.replace('CHILD', f'mode: {mode}, {words}')}".replace("3000", "300"))
    assert received(run) == 1
    assert [event.size for _, event in run.recorder.of(DatagramReceived)] == [300]
    assert dropped(run) == []
    headers = {layers(packet)[:2] for packet in frames(run, "wan" if source is GATEWAYS else "far")}
    assert headers == {(f"ipv{version}", words.partition("_")[0])}


@pytest.mark.conf("ARC-19")
def test_transport_mode_between_gateways_is_refused_before_anything_runs():
    with pytest.raises(
        ConfigError, match=r"transport mode protects only a gateway's own packets \(RFC 4301 4.1\)"
    ):
        read(GATEWAYS.replace("CHILD", "mode: transport"))


@pytest.mark.conf("ARC-20")
def test_a_gateway_may_use_transport_mode_for_what_is_its_own():
    source = GATEWAYS.replace("CHILD", "mode: transport, local_ts: west, remote_ts: east")
    run = play(source.replace("ping alice bob, send alice bob size=3000", "ping west east"))
    assert received(run) == 1
    assert {layers(packet)[1] for packet in frames(run, "wan")} == {"esp"}


@pytest.mark.conf("ARC-23")
@pytest.mark.parametrize(
    "source", [KEYED, HOSTS.replace("CHILD", "mode: transport, esp_proposals: aes256gcm16")]
)
def test_neither_encryption_nor_integrity_is_refused_for_keys_by_hand(source):
    with pytest.raises(ConfigError, match=r"null without integrity protects nothing \(RFC 4301 4.2\)"):
        read(source.replace("aes256gcm16", '"null"'))


@pytest.mark.conf("ESP-16")
@pytest.mark.parametrize("version", ["4", "6"])
def test_a_datagram_that_is_too_long_is_sealed_whole_and_cut_afterwards(version):
    source = HOSTS.replace("CHILD", "mode: transport").replace("ping alice bob, ", "")
    run = play(f"ip: {version}{source}")
    ((record, sealed),) = run.recorder.of(PacketSealed)
    assert record.node == "alice"
    assert ip.is_whole(sealed.inner)
    assert len(frames(run, "near")) == 3
    assert all(ip.is_fragment(packet) for packet in frames(run, "near"))
    ((_, opened),) = run.recorder.of(PacketOpened)
    assert len(opened.inner) == len(sealed.inner)
    assert dropped(run) == []


@pytest.mark.conf("AH-07")
@pytest.mark.parametrize("version", ["4", "6"])
def test_ah_signs_whole_packets_and_checks_what_was_put_together(version):
    child = "mode: transport, ah_proposals: sha256"
    run = play(f"ip: {version}{HOSTS.replace('CHILD', child)}".replace("ping alice bob, ", ""))
    assert [ip.is_fragment(packet) for packet in frames(run, "far")] == [True] * 3
    assert dropped(run) == []
    ((_, opened),) = run.recorder.of(PacketOpened)
    assert ip.is_whole(opened.inner)


@pytest.mark.conf("AH-07")
def test_tunnel_mode_may_carry_fragments():
    run = play(GATEWAYS.replace("CHILD", "ah_proposals: sha256").replace("ping alice bob, ", ""))
    carried = [event.inner for _, event in run.recorder.of(PacketOpened)]
    assert len(carried) == 5  # three pieces, and two of them are cut once more to fit with the new header
    assert all(ip.is_fragment(inner) for inner in carried)
    assert [event.size for _, event in run.recorder.of(DatagramReceived)] == [3000]
    assert dropped(run) == []


# Anti-replay


def windows(run: Run, node: str) -> list[int]:
    gateway = run.world.simulator.nodes[node]
    assert isinstance(gateway, VpnGateway)
    return [
        sa.parameters.replay_window for sa in gateway.ipsec.sad.all() if sa.parameters.direction.value == "in"
    ]


@pytest.mark.conf("ESP-22", "ESP-32")
def test_anti_replay_is_on_for_ike_and_off_for_keys_by_hand_unless_the_file_says_otherwise():
    by_default = MIXED.replace("-esn, replay_window: 64", "")
    assert windows(play(by_default), "west") == [0, 32]
    assert windows(play(by_default, settings=[("tunnels.net.child.replay_window", "0")]), "west") == [0, 0]
    assert windows(play(MIXED, settings=[("tunnels.net.child.replay_window", "4096")]), "west") == [64, 4096]


@pytest.mark.conf("ESP-31")
def test_there_is_no_anti_replay_without_integrity():
    child = "mode: transport, esp_proposals: aes256"
    assert windows(play(HOSTS.replace("CHILD", child)), "bob") == [0]
    with pytest.raises(ConfigError, match=r"anti-replay needs an integrity check \(RFC 4303 3.4.3\)"):
        read(HOSTS.replace("CHILD", f"{child}, replay_window: 64"))


@pytest.mark.conf("ESP-32")
def test_the_counter_goes_on_where_the_file_says_it_was():
    """A restart with the same key: whoever forgets the counter is refused by a peer that did not."""
    child = "mode: transport, replay_window: 32"
    remembered = [("nodes.bob.ipsec.sas.hand-in.sequence", "100")]
    forgotten = play(HOSTS.replace("CHILD", child), settings=remembered)
    assert {reason for _, reason in dropped(forgotten)} == {DropReason.REPLAY_OLD}
    went_on = play(
        HOSTS.replace("CHILD", child),
        settings=[*remembered, ("nodes.alice.ipsec.sas.hand-out.sequence", "100")],
    )
    assert received(went_on) == 1


# Port 500 of others


@pytest.mark.conf("ARC-42")
def test_ike_is_shut_out_by_an_spd_that_does_not_name_it():
    spd = "protect src=10.1.0.0/24 dst=10.2.0.0/24 tunnel=net"
    west = f"  west:\n    kind: gateway\n    ipsec:\n      spd:\n        - {spd}\n"
    silent = MIXED.replace("  west: {kind: gateway}\n", west)
    assert [verdict.is_met for verdict in play(silent, expect=["tunnel net: down"]).verdicts()] == [True]
    spoken = silent.replace(
        f"        - {spd}", f"        - bypass src=west proto=udp sport=500|4500\n        - {spd}"
    )
    assert [verdict.is_met for verdict in play(spoken, expect=["tunnel net: up"]).verdicts()] == [True]


# Life


def test_an_sa_by_hand_ends_at_its_limit_and_nobody_is_asked_for_another():
    source = HOSTS.replace("CHILD", "mode: transport, life_packets: 2").replace(
        "ping alice bob", "ping alice bob count=4"
    )
    run = play(source.replace(", send alice bob size=3000", ""))
    assert received(run) == 2
    assert dropped(run) == [("alice", DropReason.SA_EXPIRED)] * 2


def test_the_life_of_ikes_children_is_what_the_file_says():
    run = play(MIXED, settings=[("tunnels.net.child.life_bytes", "100")], do=["ping alice bob count=2"])
    assert ("west", DropReason.SA_EXPIRED) in dropped(run)


def test_keys_are_fresh_in_each_run_and_the_same_for_one_seed():
    def sent(seed):
        return frames(Run(read(KEYED.replace("ping", "send")), seed=seed).run(), "lan")

    assert sent("1") == sent("1") != sent("2")


def test_both_kinds_of_tunnel_meet_at_one_gateway():
    run = play(MIXED)
    assert received(run) == 2
    assert {layers(packet)[-1] for packet in frames(run, "c")} == {"esp"}


def test_options_of_the_outer_header_reach_ikes_children():
    settings = [
        (f"tunnels.net.child.{key}", word) for key, word in (("copy_dscp", "no"), ("tfc_padding", "600"))
    ]
    run = play(MIXED, settings=settings)
    sizes = {event.carried for record, event in run.recorder.of(PacketSealed) if event.policy == "net"}
    assert sizes == {600}


# AH around ESP

AROUND = "ah_proposals: sha256, esp_proposals: aes256gcm16"


@pytest.mark.parametrize(("source", "mode"), [(HOSTS, "transport"), (HOSTS, "tunnel"), (GATEWAYS, "tunnel")])
@pytest.mark.parametrize("version", ["4", "6"])
def test_ah_stands_around_esp_where_each_has_its_rule(source, mode, version):
    size = "3000" if version == "4" else "1200"
    run = play(f"ip: {version}{source.replace('CHILD', f'mode: {mode}, {AROUND}')}".replace("3000", size))
    assert received(run) == 1
    assert [event.size for _, event in run.recorder.of(DatagramReceived)] == [int(size)]
    assert dropped(run) == []
    whole = [packet for packet in frames(run, "wan" if source is GATEWAYS else "far") if ip.is_whole(packet)]
    assert {layers(packet) for packet in whole} == {(f"ipv{version}", "ah", "esp")}


def around(*alice: str) -> Run:
    """Hosts with AH around ESP, of which alice has rules of her own."""
    source = HOSTS.replace("CHILD", f"mode: transport, {AROUND}").replace(", send alice bob size=3000", "")
    return play(source, settings=[("nodes.alice.ipsec.spd", f"[{', '.join(alice)}]")])


@pytest.mark.conf("ARC-45")
def test_esp_from_which_the_ah_was_taken_off_is_refused():
    run = around("protect dst=bob sa=hand-esp-out|hand-esp-in")
    assert dropped(run) == [("bob", DropReason.INBOUND_CLEAR_PROTECTED)]


@pytest.mark.conf("ARC-45")
def test_a_rule_that_protects_what_it_made_comes_to_an_end():
    rules = "protect proto=ah|esp sa=hand-ah-out|hand-ah-in", "protect sa=hand-esp-out|hand-esp-in"
    assert dropped(around(*rules)) == [("alice", DropReason.ENCAP_LOOP)]
