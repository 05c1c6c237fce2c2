"""What comes out of an SA went into it, once: a recording that says otherwise is noticed."""

from dataclasses import replace

from ipsecsim.ipsec.events import PacketOpened, PacketSealed, SaInstalled
from ipsecsim.observe.invariants.invariants import check
from tests.support.builders import World
from tests.unit.observe.replayed import replayed, with_more, without


def told(recorder, world: World) -> list[str]:
    return [
        each.sentence for each in check(recorder, world.simulator) if each.sentence.startswith("took packet")
    ]


def first(world: World, kind: type):
    return world.recorder.of(kind)[0]


def test_a_packet_that_is_taken_in_twice_is_noticed(ping_world: World) -> None:
    row, opened = first(ping_world, PacketOpened)
    found = told(with_more(ping_world.recorder, row.sequence, opened), ping_world)
    assert f"took packet 1 of ESP SA {opened.spi:08x} in a second time" in found


def test_where_nobody_looks_for_replays_twice_is_no_violation(ping_world: World) -> None:
    row, opened = first(ping_world, PacketOpened)
    careless = replace(opened, window_top=None)
    found = told(with_more(ping_world.recorder, row.sequence, careless), ping_world)
    assert not any("second time" in each for each in found)


def test_a_number_may_come_again_on_a_new_sa_with_the_same_spi(ping_world: World) -> None:
    row, opened = first(ping_world, PacketOpened)
    installed = next(event for _, event in ping_world.recorder.of(SaInstalled) if event.spi == opened.spi)
    new = replace(installed, direction="in")
    found = told(with_more(ping_world.recorder, row.sequence, new, opened), ping_world)
    assert not any("second time" in each for each in found)


def test_a_packet_that_nobody_sealed_is_noticed(ping_world: World) -> None:
    row, _ = first(ping_world, PacketSealed)
    found = told(without(ping_world.recorder, row.sequence), ping_world)
    assert any("took packet 1 of ESP SA" in each and each.endswith("nobody sealed it so") for each in found)


def test_a_packet_that_was_changed_inside_is_noticed(ping_world: World) -> None:
    row, opened = first(ping_world, PacketOpened)
    changed = replace(opened, inner=opened.inner[:-1] + bytes([opened.inner[-1] ^ 1]))
    tampered = replayed(
        ping_world.recorder, lambda each: [changed if each.sequence == row.sequence else each.event]
    )
    assert any(each.endswith("nobody sealed it so") for each in told(tampered, ping_world))


def test_a_packet_that_a_node_sealed_itself_does_not_count(ping_world: World) -> None:
    """Sent back to who made it: another node must have sealed what comes out of an SA."""
    row, sealed = first(ping_world, PacketSealed)
    back = PacketOpened(
        sealed.spi, sealed.sequence, sealed.policy, sealed.inner, 1, "ESP", is_authenticated=True
    )
    found = told(with_more(ping_world.recorder, row.sequence, back), ping_world)
    assert any(each.endswith("nobody sealed it so") for each in found)
