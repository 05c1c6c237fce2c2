"""The invariants hold in every run, and notice it when a recording breaks them."""

import random
from dataclasses import replace

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import HoldEnded, PacketSealed
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.invariants.leaks import outside_links
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import FragmentStored, PacketForwarded, PacketOriginated, PacketReassembled
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.checksum import internet_checksum
from tests.support.builders import World, two_gateways
from tests.unit.observe.replayed import replayed, with_more, without

WORLDS = {
    "plain": {},
    "udp encapsulation": {"encap": True},
    "cbc": {"esp": "aes256-sha256", "ike": "aes256-sha256-modp2048"},
    "wrong secret": {"psk_east": b"another"},
    "small mtu": {"wan_mtu": 600},
    "slow link with a short queue": {"wan_rate": 64_000, "wan_queue": 2},
    "IPv6": {"inner": 6, "outer": 6},
    "IPv6 in IPv4": {"inner": 6, "wan_mtu": 1280},
    "IPv4 in IPv6": {"outer": 6, "wan_mtu": 1280},
    "IPv6, udp encapsulation": {"inner": 6, "outer": 6, "encap": True},
    "IPv6, small mtu": {"inner": 6, "outer": 6, "wan_mtu": 1280},
}


def busy(**options: object) -> World:
    """Traffic of every kind: through the tunnel, past it, to the gateways, too large, while it is not up."""
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b", count=5, size=1400, interval=10 * MILLISECOND)
    world.ping("b", "a", count=3, size=4000)
    world.send("a", "b", size=3000)
    world.ping("a", "east")
    world.send("a", "west", at=SECOND, size=100)
    world.send("a", "b", at=SECOND, destination_port=7)
    for source, to in (("east", "b"), ("west", "east"), ("a", "internet"), ("internet", "b"), ("a", "b")):
        world.ping(source, to, at=2 * SECOND)
    world.terminate("west", at=10 * SECOND)
    world.ping("a", "b", at=60 * SECOND)
    return world


def sentences(recorder: Recorder, world: World) -> list[str]:
    return [violation.sentence for violation in check(recorder, world.simulator)]


# -- they hold ------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-01", "ESP-01", "ESP-02", "ESP-12", "ESP-14")
@pytest.mark.conf("UDP-01", "UDP-02", "UDP-03", "UDP-11", "UDP-13")
@pytest.mark.parametrize("options", WORLDS.values(), ids=WORLDS)
def test_they_hold_in_runs_with_traffic_of_every_kind(options: dict[str, object]) -> None:
    world = busy(**options).run()
    assert check(world.recorder, world.simulator) == []


def test_they_hold_after_each_turn_while_frames_are_in_flight_and_packets_wait() -> None:
    world = busy(wan_mtu=600)
    most_waiting = most_fragments = 0
    while world.simulator.step():
        west, b = world.gateway("west"), world.nodes["b"]
        most_waiting = max(most_waiting, west.ipsec.held)
        most_fragments = max(most_fragments, b.stack.fragments_waiting)
        if world.simulator.turns % 7 == 0:
            assert check(world.recorder, world.simulator) == []
    assert most_waiting > 1
    assert most_fragments > 1


@pytest.mark.parametrize("seed", range(16))
def test_they_hold_when_damaged_packets_come_from_outside(seed: int) -> None:
    """Every check that ends a packet has to say so, whatever the packet looks like."""
    chance = random.Random(seed)  # noqa: S311 - chance of a test, not of a key
    options = {"encap": bool(seed % 2), "inner": 4 + seed // 2 % 2 * 2, "outer": 4 + seed // 4 % 2 * 2}
    clean = busy(**options).run()
    seen = [(row, event) for row, event in clean.recorder.of(FrameSent) if row.node in ("a", "b", "internet")]
    world = busy(**options)
    for row, sent in chance.sample(seen, min(60, len(seen))):
        late = chance.randrange(500 * MILLISECOND)
        inject(world, row.at + late, row.node, sent, damaged(sent.packet, chance))
    world.run()
    assert world.recorder.of(PacketDropped)
    assert check(world.recorder, world.simulator) == []


def inject(world: World, at: int, sender: str, like: FrameSent, packet: bytes) -> None:
    node, link = world.nodes[sender], world.simulator.links[like.link]

    def work() -> None:
        assert node.tap is not None
        node.tap(PacketOriginated(packet))
        link.carry(node, like.interface, like.next_hop, packet)

    world.simulator.plan(at, node, work)


def damaged(packet: bytes, chance: random.Random) -> bytes:
    """Some bytes changed or cut off; most of the time the IP header's length and checksum fit again."""
    changed = bytearray(packet)
    is_ipv6 = ip.version(packet) == 6
    shortest = ipv6.HEADER_LENGTH if is_ipv6 else ipv4.HEADER_LENGTH
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    if chance.random() < 0.3:
        del changed[chance.randrange(shortest, len(changed)) :]
    if is_ipv6 and chance.random() < 0.8:
        changed[4:6] = (len(changed) - shortest).to_bytes(2, "big")
    elif not is_ipv6 and chance.random() < 0.8:
        changed[2:4] = len(changed).to_bytes(2, "big")
        changed[10:12] = bytes(2)
        header_length = min(len(changed), max(ipv4.HEADER_LENGTH, ipv4.header_length(changed)))
        changed[10:12] = internet_checksum(bytes(changed[:header_length])).to_bytes(2, "big")
    return bytes(changed)


# -- conservation is noticed ----------------------------------------------------------------------


def test_a_forwarded_packet_that_vanishes_is_noticed(ping_world: World) -> None:
    forwarded = next(
        row.turn.number for row, event in ping_world.recorder.of(PacketForwarded) if row.node == "internet"
    )
    row = next(row for row in ping_world.recorder.turn(forwarded) if isinstance(row.event, FrameSent))
    found = check(without(ping_world.recorder, row.sequence), ping_world.simulator)
    assert found[0].turn == forwarded
    assert found[0].node == "internet"
    assert "neither sent, delivered, held nor dropped: 1" in str(found[0])
    assert any("where it was not in flight" in each.sentence for each in found)


def test_a_drop_without_an_event_is_noticed() -> None:
    world = two_gateways(psk_east=b"another")
    world.ping("a", "b")
    world.run()
    row, _ = next(
        (row, event)
        for row, event in world.recorder.of(PacketDropped)
        if event.reason is DropReason.NO_SA_YET
    )
    assert sentences(without(world.recorder, row.sequence), world) == [
        "packets in hand that were neither sent, delivered, held nor dropped: 1"
    ]


def test_a_packet_from_nowhere_is_noticed(ping_world: World) -> None:
    row, _ = ping_world.recorder.of(PacketOriginated)[0]
    assert sentences(without(ping_world.recorder, row.sequence), ping_world) == [
        "packets that came from nowhere: 1"
    ]


def test_a_frame_that_never_came_off_its_link_is_noticed(ping_world: World) -> None:
    last_turn = ping_world.recorder.turns
    arrived = [row for row in ping_world.recorder.turn(last_turn) if isinstance(row.event, FrameArrived)]
    recording = replayed(ping_world.recorder, lambda row: [] if row.turn.number == last_turn else [row.event])
    assert arrived
    (sentence,) = sentences(recording, ping_world)
    assert sentence.startswith("frames in flight: 0, and by the books 1 (")


def test_a_frame_that_changed_on_its_link_is_noticed(ping_world: World) -> None:
    row, event = ping_world.recorder.of(FrameArrived)[0]
    other = replace(event, packet=event.packet[:-1] + b"!")
    recording = replayed(ping_world.recorder, lambda each: [other if each is row else each.event])
    assert sentences(recording, ping_world) == [f"frame {event.frame} changed on {event.link}"]


def test_a_lost_frame_without_a_drop_is_noticed() -> None:
    world = two_gateways(wan_rate=64_000, wan_queue=1)
    world.ping("a", "b", count=8, interval=MILLISECOND)
    world.run()
    lost, _ = world.recorder.of(FrameLost)[0]
    recording = without(world.recorder, lost.sequence + 1)
    assert sentences(recording, world) == [
        "packets in hand that were neither sent, delivered, held nor dropped: 1"
    ]


def test_a_packet_that_waits_for_an_sa_and_is_forgotten_is_noticed(ping_world: World) -> None:
    """From HoldEnded to FrameSent nothing was told: the turn is balanced, but nobody waits in the engine."""
    ended, _ = ping_world.recorder.of(HoldEnded)[0]
    sent = next(row.sequence for row, _ in ping_world.recorder.of(FrameSent) if row.sequence > ended.sequence)
    untold = range(ended.sequence, sent + 1)
    recording = replayed(ping_world.recorder, lambda row: [] if row.sequence in untold else [row.event])
    assert "packets that wait for an SA: 0, and by the books 1" in sentences(recording, ping_world)


def test_fragments_that_are_forgotten_are_noticed(ping_world: World) -> None:
    stored, _ = ping_world.recorder.of(FragmentStored)[0]
    whole, event = ping_world.recorder.of(PacketReassembled)[0]
    more = replace(event, pieces=event.pieces + 1)
    recording = replayed(ping_world.recorder, lambda row: [more if row is whole else row.event])
    assert sentences(recording, ping_world)[0] == "more packets stopped waiting than ever waited"
    again = with_more(ping_world.recorder, stored.sequence, stored.event, PacketOriginated(bytes(20)))
    assert any(
        each.startswith("fragments that wait: 0, and by the books ") for each in sentences(again, ping_world)
    )


# -- leaks are noticed ----------------------------------------------------------------------------


def test_a_gateway_that_forgets_its_boundary_is_noticed() -> None:
    world = two_gateways()
    west = world.gateway("west")
    boundary, west.unprotected = west.unprotected, frozenset()
    world.ping("a", "b")
    world.run()
    west.unprotected = boundary
    found = check(world.recorder, world.simulator)
    assert [violation.node for violation in found] == ["west", "west"]
    assert found[0].sentence.startswith(
        "sent in clear on wan_west though the rule net says PROTECT: 10.1.0.2 > "
    )
    assert found[1].sentence.startswith("sent without asking policy on wan_west: 10.1.0.2 > ")


def test_clear_text_without_any_rule_is_noticed(ping_world: World) -> None:
    row, sent = _sent_by(ping_world, "west", "wan_west")
    packet = ipv4.build(pack("10.1.0.2"), pack("203.0.113.9"), 17, bytes(8))
    recording = _planted(ping_world.recorder, row.sequence, sent, packet)
    assert sentences(recording, ping_world)[0].startswith("sent in clear on wan_west though no rule lets it")


def test_a_sealed_payload_that_shows_up_outside_is_noticed(ping_world: World) -> None:
    """Not by the gateway, which the rules would tell of, but by somebody after it."""
    sealed_row, sealed = ping_world.recorder.of(PacketSealed)[0]
    row, sent = _sent_by(ping_world, "internet", "wan_east", after=sealed_row.sequence)
    recording = _planted(ping_world.recorder, row.sequence, sent, sealed.inner)
    (violation,) = check(recording, ping_world.simulator)
    assert violation.node == "internet"
    assert f"a packet sealed in turn {sealed_row.turn.number} can be read on wan_east" in violation.sentence


def test_a_payload_that_shows_up_inside_or_before_it_was_sealed_is_no_leak(ping_world: World) -> None:
    sealed_row, sealed = ping_world.recorder.of(PacketSealed)[0]
    row, sent = _sent_by(ping_world, "east", "lan_b", after=sealed_row.sequence)
    assert check(_planted(ping_world.recorder, row.sequence, sent, sealed.inner), ping_world.simulator) == []
    row, sent = _sent_by(ping_world, "internet", "wan_east")
    assert row.sequence < sealed_row.sequence
    assert check(_planted(ping_world.recorder, row.sequence, sent, sealed.inner), ping_world.simulator) == []


def test_traffic_that_a_rule_lets_pass_in_clear_is_no_leak_even_in_fragments() -> None:
    everywhere = (bytes(4), b"\xff" * 4)
    world = two_gateways(wan_mtu=600)
    echo_and_discard = (
        Policy(
            "discard port in clear",
            PolicyAction.BYPASS,
            (Selector(everywhere, everywhere, 17, remote_ports=(9, 9)),),
        ),
        *world.gateway("west").ipsec.spd.policies,
    )
    world.gateway("west").ipsec.spd.replace(echo_and_discard)
    world.ping("a", "b")
    world.send("a", "b", at=SECOND, size=1300)
    world.run()
    in_clear = [
        event
        for row, event in world.recorder.of(FrameSent)
        if event.link == "wan_west" and event.packet[9] == 17
    ]
    assert len(in_clear) > 4
    assert check(world.recorder, world.simulator) == []


def test_links_are_outside_when_only_unprotected_interfaces_lead_to_them(ping_world: World) -> None:
    assert outside_links(ping_world.simulator) == {"wan_west", "wan_east"}


def _sent_by(world: World, node: str, link: str, after: int = -1):
    return next(
        (row, event)
        for row, event in world.recorder.of(FrameSent)
        if row.node == node and event.link == link and row.sequence > after
    )


def _planted(recorder: Recorder, sequence: int, like: FrameSent, packet: bytes) -> Recorder:
    """One more packet beside a recorded one, and lost with it, so that all other books are in order."""
    more = (
        PacketOriginated(packet),
        replace(like, frame=10_000, packet=packet),
        FrameLost(10_000, like.link),
        PacketDropped(DropReason.LINK_DOWN, packet),
    )
    return with_more(recorder, sequence, *more)


# -- order is noticed -----------------------------------------------------------------------------


def test_time_that_goes_back_and_causes_that_come_late_are_noticed(ping_world: World) -> None:
    def early(turn):
        return replace(turn, at=0) if turn.number == 9 else turn

    def late(turn):
        return replace(turn, cause=turn.number) if turn.number == 9 else turn

    for change, words in ((early, "time went back"), (late, "is no earlier turn")):
        other = Recorder()
        for row in ping_world.recorder.rows:
            other.observe(change(row.turn), row.event)
        assert any(words in sentence for sentence in sentences(other, ping_world))
