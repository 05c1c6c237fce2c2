"""Who made a seal untrue: the packet as it was sealed, compared with what arrived, step by step on its way."""

from collections.abc import Iterator

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import BitFlipped, BytesChanged
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.packets.changes import differences
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.turn_story.story import Culprit
from ipsecsim.wire.dissect import dissect
from ipsecsim.wire.layout import AUTHENTICATED, SEALED

_SEAL_BROKEN = (DropReason.ICV_FAIL, DropReason.AH_ICV_FAIL)


def culprit(drop: PacketDropped, life: Life | None, recorder: Recorder) -> Culprit | None:
    """The first change under the seal, if the drop is for a broken one and the recording saw who made it."""
    return None if life is None or drop.reason not in _SEAL_BROKEN else spoiler(life, recorder)


def spoiler(life: Life, recorder: Recorder) -> Culprit | None:
    """The first change that was made on the way to what a packet has under its seal, if the recording saw one."""
    for turn, by, before, after in _changes(life, recorder):
        changed = _sealed_difference(before, after)
        if changed is not None:
            return Culprit(*changed, by, turn)
    return None


def _changes(life: Life, recorder: Recorder) -> Iterator[tuple[int, str, bytes, bytes]]:
    """Turn, who, and the bytes before and after, in the order in which it happened."""
    found = [
        (step.turn, step.node, step.before, step.after) for step in life.steps if step.what == "rewritten"
    ]
    for hop in life.hops:
        if hop.arrived_packet is not None:
            by = _attacker(recorder, hop.left, hop.frame) or hop.link
            found.append((hop.left, by, hop.packet, hop.arrived_packet))
    yield from sorted(found, key=lambda change: change[0])


def _attacker(recorder: Recorder, turn: int, frame: int) -> str:
    events = (row.event for row in recorder.turn(turn))
    deeds = (each for each in events if isinstance(each, BitFlipped | BytesChanged))
    return next((each.attacker for each in deeds if each.frame == frame), "")


def _sealed_difference(before: bytes, after: bytes) -> tuple[str, str, str, str] | None:
    """Of the first field under a seal that differs: its layer, its name, and what it was and is."""
    root = dissect(before)
    for change in differences(before, after):
        was = root.find(*change.path[1:])
        if was is None or was.protection not in (AUTHENTICATED, SEALED):
            continue
        if was.protection == SEALED:
            at = next(
                (at for at in range(was.start, was.end) if before[at : at + 1] != after[at : at + 1]), None
            )
            if at is None:
                continue
            return (
                change.path[-2],
                "encrypted data",
                f"{before[at]:#04x} at byte {at}",
                f"0x{after[at : at + 1].hex()}",
            )
        return change.path[-2], was.name.lower(), change.old, change.new
    return None
