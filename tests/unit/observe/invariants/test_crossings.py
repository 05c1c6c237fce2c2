"""Policy is asked about each packet that crosses a boundary; a recording in which it was not is noticed."""

from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import HoldEnded, PacketOpened, PolicyMatched
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.invariants.crossings import check_crossings
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketForwarded
from ipsecsim.wire.in_udp import ike_of
from tests.support.builders import World, two_gateways
from tests.unit.observe.replayed import replayed, with_more, without

EVERYWHERE = (bytes(4), b"\xff" * 4)


@pytest.fixture(scope="module")
def world() -> World:
    """Through the tunnel, whole and in pieces; in clear, whole and in pieces."""
    world = two_gateways(wan_mtu=600)
    for name in ("west", "east"):
        spd = world.gateway(name).ipsec.spd
        clear = Selector(EVERYWHERE, EVERYWHERE, 17, local_ports=(40000, 0xFFFF), remote_ports=(9, 9))
        back = Selector(EVERYWHERE, EVERYWHERE, 17, (9, 9))
        spd.replace((Policy("clear", PolicyAction.BYPASS, (clear, back)), *spd.policies))
    world.ping("a", "b", count=2)
    world.ping("a", "b", at=2 * SECOND, size=3000)
    world.send("a", "b", at=3 * SECOND, size=100)
    world.send("a", "east", at=4 * SECOND, size=1300)
    return world.run()


def sentences(world: World, recorder: Recorder | None = None) -> list[str]:
    return [each.sentence for each in check_crossings(recorder or world.recorder, world.simulator)]


def asked(world: World, node: str, direction: str, verdict: str) -> list[Record]:
    return [
        row
        for row, event in world.recorder.of(PolicyMatched)
        if (row.node, event.direction, event.verdict) == (node, direction, verdict)
    ]


@pytest.mark.conf("ARC-01")
def test_policy_is_asked_about_every_packet(world: World) -> None:
    assert sentences(world) == []
    assert asked(world, "west", "out", "protect")
    assert asked(world, "west", "out", "bypass")
    assert asked(world, "east", "in", "bypass")


@pytest.mark.conf("ARC-01")
@pytest.mark.parametrize(
    ("node", "direction", "verdict"), [("west", "out", "bypass"), ("east", "in", "bypass")]
)
def test_each_packet_in_clear_that_nobody_asked_about_is_noticed(
    world: World, node: str, direction: str, verdict: str
) -> None:
    for row in asked(world, node, direction, verdict):
        found = list(check_crossings(without(world.recorder, row.sequence), world.simulator))
        assert [(each.turn, each.node) for each in found] == [(row.turn.number, node)]


@pytest.mark.conf("ARC-01")
def test_ike_that_nobody_asked_about_is_noticed(world: World) -> None:
    """On its way out IKE asks as all others do (RFC 4301 4.4.1)."""
    row = asked(world, "west", "out", "bypass")[0]
    sent = next(
        event
        for each, event in world.recorder.of(FrameSent)
        if each.turn is row.turn and ike_of(event.packet)
    )
    (sentence,) = sentences(world, without(world.recorder, row.sequence))
    assert sentence.startswith(f"sent without asking policy on {sent.link}: 192.0.2.1 > 198.51.100.2, IKE_SA")


@pytest.mark.conf("ARC-01")
def test_a_packet_sealed_without_asking_is_noticed(world: World) -> None:
    # the first ones had to wait for their SA: what they asked lies in an earlier turn
    waited = {row.turn.number for row, _ in world.recorder.of(HoldEnded)}
    rows = [row for row in asked(world, "east", "out", "protect") if row.turn.number not in waited]
    for row in rows:
        (sentence,) = sentences(world, without(world.recorder, row.sequence))
        assert " ESP" in sentence
    assert rows


def test_a_packet_that_waited_is_not_asked_about_again(world: World) -> None:
    row, _ = world.recorder.of(HoldEnded)[0]
    (sentence,) = sentences(world, without(world.recorder, row.sequence))
    assert sentence.startswith("sent without asking policy on wan_west")


def test_a_packet_taken_out_of_its_protection_is_not_asked_about_again(world: World) -> None:
    row, _ = world.recorder.of(PacketOpened)[0]
    assert sentences(world, without(world.recorder, row.sequence)) == [
        "took in a packet without asking policy"
    ]


def test_a_second_packet_on_one_question_is_noticed(world: World) -> None:
    opened, _ = world.recorder.of(PacketOpened)[0]
    row, forwarded = next(
        (row, event) for row, event in world.recorder.of(PacketForwarded) if row.turn is opened.turn
    )
    recording = with_more(world.recorder, row.sequence, forwarded)
    assert sentences(world, recording) == ["took in a packet without asking policy"]


def test_what_policy_refused_does_not_pay_for_another_packet(world: World) -> None:
    for row in asked(world, "west", "out", "bypass"):
        no = replace(row.event, verdict="discard")  # type: ignore[type-var]
        assert (
            len(
                sentences(
                    world,
                    replayed(
                        world.recorder, lambda each, no=no, row=row: [no if each is row else each.event]
                    ),
                )
            )
            == 1
        )
        dropped = PacketDropped(DropReason.NO_SA_YET, b"")
        assert len(sentences(world, with_more(world.recorder, row.sequence, dropped))) == 1
