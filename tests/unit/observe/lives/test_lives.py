"""The lives of packets through everything that may happen to them."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.net.nodes.attacker import Attacker, Deed, Order
from ipsecsim.observe.lives.fate import outcome
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario import read
from ipsecsim.wire import ip
from ipsecsim.wire.layers import kind
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install
from tests.support.lives import faults


def lives_of(world: World) -> Lives:
    assert faults(world.recorder, world.simulator) == []
    return Lives(world.recorder)


def made_by(lives: Lives, node: str, word: str) -> list[Life]:
    return [life for life in lives.all if life.node == node and kind(life.first) == word]


def whats(life: Life) -> list[str]:
    return [step.what for step in life.steps]


def links(life: Life) -> list[str]:
    return [hop.link for hop in life.hops]


def test_a_ping_is_held_sealed_and_comes_out_as_itself(ping_world: World) -> None:
    lives = lives_of(ping_world)
    request = made_by(lives, "a", "icmp")[0]
    assert whats(request) == [
        *("originated", "forwarded", "held", "let go", "sealed", "came out", "forwarded", "delivered")
    ]
    assert links(request) == ["lan_a", "lan_b"]
    (number,) = request.carried_by
    outer = lives[number]
    assert (outer.carries, outer.ends, links(outer)) == ([request.number], "opened", ["wan_west", "wan_east"])
    (answer,) = request.answered_by
    assert (lives[answer].node, lives[answer].answers) == ("b", request.number)


def test_what_a_step_did_to_the_bytes_is_known(ping_world: World) -> None:
    request = made_by(lives_of(ping_world), "a", "icmp")[0]
    assert [(step.what, ip.hop_limit(step.before), ip.hop_limit(step.after)) for step in request.steps][
        1
    ] == (
        *("forwarded",),
        64,
        63,
    )
    assert all(
        one.after == other.before for one, other in zip(request.steps, request.steps[1:], strict=False)
    )


def test_pieces_are_packets_of_their_own_and_the_whole_comes_back(ping_world: World) -> None:
    lives = lives_of(ping_world)
    large = next(life for life in lives.all if len(life.first) == 3028 and life.node == "a")
    pieces = [lives[number] for number in large.pieces]
    assert (len(pieces), large.ends) == (3, "delivered")
    assert whats(large) == ["originated", "cut", "reassembled", "delivered"]
    assert all(piece.piece_of == [large.number] for piece in pieces)
    assert [piece.ends for piece in pieces] == ["cut", "cut", "joined"], (
        "the gateway has cut the long ones again"
    )
    smaller = [lives[number] for piece in pieces for number in piece.pieces]
    assert {(piece.ends, len(piece.carried_by)) for piece in smaller} == {("joined", 1)}
    assert large.hops == [], "as a whole it was never on a link"


def test_what_is_cut_on_the_way_is_put_together_before_it_is_opened() -> None:
    world = two_gateways(wan_mtu=1400)
    world.ping("a", "b", size=1350)
    lives = lives_of(world.run())
    cut = next(life for life in lives.all if life.pieces and kind(life.first) == "esp")
    assert whats(cut)[-2:] == ["reassembled", "opened"]
    assert {lives[number].node for number in cut.pieces} == {"internet"}
    assert lives[cut.carries[0]].ends == "delivered"


@pytest.mark.parametrize("words", ["sha256", "aes256gcm16"])
def test_every_transform_in_tunnel_mode(words: str) -> None:
    protocol = IpProtocol.AH if words == "sha256" else IpProtocol.ESP
    world = install(two_gateways(), protocol, words)
    world.ping("a", "b")
    lives = lives_of(world.run())
    request = made_by(lives, "a", "icmp")[0]
    (outer,) = (lives[number] for number in request.carried_by)
    assert (kind(outer.first), outer.ends) == (protocol.name.lower(), "opened")
    assert whats(request)[-4:] == ["sealed", "came out", "forwarded", "delivered"]


@pytest.mark.parametrize("name", ["ah_transport", "transport_esp"])
def test_in_transport_mode_the_inner_packet_is_on_no_link(name: str) -> None:
    lives = Run(read(name)).run().lives
    (carried, *_) = (life for life in lives.all if life.carried_by)
    (outer,) = (lives[number] for number in carried.carried_by)
    assert (carried.hops, carried.ends, outer.ends) == ([], "delivered", "opened")
    assert outer.hops


def test_esp_in_ah_comes_out_of_both() -> None:
    run = Run(read("ah_and_esp")).run()
    ping, esp, ah = run.lives.all[:3]
    assert (ping.carried_by, esp.carries, esp.carried_by, ah.carries) == ([2], [1], [3], [2])
    assert (whats(ah)[-1], whats(esp)[-2:], ping.ends) == ("opened", ["came out", "opened"], "delivered")


def test_a_nat_rewrites_a_packet_which_stays_the_same() -> None:
    lives = Run(read("double_nat")).run().lives
    outer = next(life for life in lives.all if kind(life.first) == "esp")
    steps = [step for step in outer.steps if step.what == "rewritten"]
    assert len(steps) == 2
    assert all(ip.source(step.before) != ip.source(step.after) for step in steps)
    assert len({ip.source(hop.packet) for hop in outer.hops}) == 3


def with_link(world: World, **changes: object) -> World:
    link = world.simulator.links["wan_east"]
    for name, value in changes.items():
        link.change(name, value)
    return world


def test_what_a_link_doubles_is_a_packet_of_its_own_a_copy() -> None:
    world = with_link(install(two_gateways(replay_window=32), IpProtocol.ESP, "aes256gcm16"), duplicate=100.0)
    world.ping("a", "b")
    lives = lives_of(world.run())
    (first, *_) = made_by(lives, "west", "esp")
    copy = lives[first.copies[0]]
    assert (copy.copy_of, whats(copy)[0], links(copy)) == (first.number, "doubled", ["wan_east"])
    assert (first.ends, copy.ends, copy.reason) == ("opened", "dropped", DropReason.REPLAY_SEEN)


def test_where_nobody_looks_for_replays_a_copy_brings_out_another_one_of_what_is_in_it() -> None:
    world = install(two_gateways(), IpProtocol.ESP, "aes256gcm16", replay_window=0)
    with_link(world, duplicate=100.0).ping("a", "b")
    lives = lives_of(world.run())
    request = made_by(lives, "a", "icmp")[0]
    again = lives[request.copies[0]]
    assert (request.ends, again.ends, whats(again)[0]) == ("delivered", "delivered", "came out")
    assert lives[again.carried_by[0]].copy_of == request.carried_by[0]
    assert lives[lives[request.carried_by[0]].copies[0]].carries == [again.number]


def test_an_attacker_sends_a_copy_which_may_bring_out_what_was_lost() -> None:
    """The original is taken out on the link, the copy arrives first: the inner packet is itself again."""
    world = install(two_gateways(), IpProtocol.ESP, "aes256gcm16")
    mallory = Attacker("mallory", world.simulator, [])
    mallory.tap_link(world.simulator.links["wan_east"])
    with_link(world, loss=100.0)
    world.ping("a", "b")
    world.simulator.plan(SECOND, mallory, lambda: with_link(world, loss=0.0) and None)
    world.simulator.plan(2 * SECOND, mallory, lambda: mallory.replay(lambda _link, _packet: True, None, 0))
    lives = lives_of(world.run())
    request = made_by(lives, "a", "icmp")[0]
    lost, copy = (lives[number] for number in request.carried_by)
    assert (lost.ends, lost.reason) == ("lost", DropReason.LINK_LOSS)
    assert (copy.node, copy.copy_of, copy.ends) == ("mallory", lost.number, "opened")
    assert request.ends == "delivered"


def test_a_wrong_bit_is_seen_where_it_arrives() -> None:
    world = with_link(install(two_gateways(), IpProtocol.ESP, "aes256gcm16"), corrupt=100.0)
    world.ping("a", "b")
    lives = lives_of(world.run())
    (spoilt, *_) = made_by(lives, "west", "esp")
    hop = spoilt.hops[-1]
    assert hop.arrived_packet is not None
    assert hop.arrived_packet != hop.packet
    assert hop.reason is spoilt.reason is not None
    assert spoilt.hops[0].reason is None


def test_packets_on_the_way_held_and_stored_are_not_over() -> None:
    world = two_gateways()
    world.ping("a", "b")
    world.simulator.step()
    (flying,) = lives_of(world).all
    assert (flying.ends, flying.ended) == ("on its way", None)
    world.simulator.step()
    held = lives_of(world)[1]
    assert (held.ends, held.ended, held.reason) == ("held", None, None)


def test_fragments_that_lost_one_end_where_they_waited_and_the_sender_hears_of_it() -> None:
    world = two_gateways(wan_mtu=1400)
    mallory = Attacker("mallory", world.simulator, [])
    mallory.tap_link(world.simulator.links["wan_east"])
    order = Order(Deed.DROP, lambda _link, packet: ip.fragment_offset(packet) > 0)
    world.simulator.plan(0, mallory, lambda: mallory.order(order, "later fragments"))
    world.ping("a", "b", size=1350)
    world.run().simulator.run_until(60 * SECOND)
    lives = lives_of(world)
    cut = next(life for life in lives.all if life.pieces)
    first, second = (lives[number] for number in cut.pieces)
    assert (second.ends, second.reason) == ("lost", DropReason.ADVERSARY_DROP)
    assert (whats(first)[-2:], first.reason) == (["stored", "dropped"], DropReason.FRAG_TIMEOUT)
    assert cut.ends == "cut"
    assert outcome(lives, lives[cut.carries[0]]).reason is DropReason.FRAG_TIMEOUT
    assert lives[first.answered_by[0]].answers == first.number


def test_a_node_that_crashes_ends_what_it_held_and_what_comes_to_it() -> None:
    world = two_gateways()
    world.ping("a", "b")
    west = world.gateway("west")
    world.simulator.plan(1_000_000, west, west.crash)
    world.ping("a", "b", at=SECOND)
    lives = lives_of(world.run())
    held, late = made_by(lives, "a", "icmp")
    assert (whats(held)[-2:], held.reason) == (["let go", "dropped"], DropReason.NODE_DOWN)
    assert (late.ends, late.reason) == ("dropped", DropReason.NODE_DOWN)


def test_a_message_that_ike_refuses_was_delivered_all_the_same() -> None:
    world = two_gateways(psk_east=b"another")
    world.ping("a", "b")
    lives = lives_of(world.run())
    refused = next(life for life in lives.all if "refused" in whats(life))
    assert (refused.ends, refused.reason) == ("delivered", DropReason.AUTH_FAILED)
    assert refused.hops[-1].reason is DropReason.AUTH_FAILED


def test_errors_and_responses_answer_and_requests_do_not(ping_world: World) -> None:
    lives = lives_of(ping_world)
    ike = [life for life in lives.all if kind(life.first) == "ike"]
    assert [life.answers is not None for life in ike] == [False, True] * (len(ike) // 2)
    world = two_gateways()
    world.send("a", "b", destination_port=7)
    lives = lives_of(world.run())
    error = made_by(lives, "b", "icmp")[0]
    assert lives[error.answers or 0].reason is DropReason.PORT_CLOSED


def test_rows_and_turns_know_their_packets(ping_world: World) -> None:
    lives = lives_of(ping_world)
    request = made_by(lives, "a", "icmp")[0]
    about = {
        lives.recorder.rows[at].node for at, number in enumerate(lives.about) if number == request.number
    }
    assert about == {"a", "west", "east", "b"}
    passed = lives.in_turn(request.hops[0].arrived or 0)
    assert passed.came is not None
    assert (passed.came.packet, passed.came.frame) == (request.number, request.hops[0].frame)
    assert [kind(lives[each.packet].first) for each in passed.went] == ["ike"]


def test_a_recording_that_begins_in_the_middle_does_no_harm(ping_world: World) -> None:
    rows = ping_world.recorder.rows
    for first in range(0, len(rows), 7):
        cut = Recorder()
        for row in rows[first:]:
            cut.observe(row.turn, row.event)
        Lives(cut)
