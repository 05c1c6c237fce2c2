"""The fate of every frame: whether it came off its link, and what the node there did with the packet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import HoldEnded, PacketHeld, PacketOpened, PacketSealed
from ipsecsim.net.events import FrameArrived, FrameDoubled, FrameLost, FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import FragmentStored, PacketDelivered, PacketForwarded, PacketReassembled


@dataclass(slots=True)
class Fate:
    """`turn` and `node` are those of the arrival, 0 and '' when there was none; `drop` says why it ended.

    `words` end the sentence "the packet was ...".
    """

    turn: int = 0
    node: str = ""
    drop: DropReason | None = None
    words: str = "still on its way when the recording ended"


def fates(recorder: Recorder) -> dict[int, Fate]:
    """Every frame's fate, by its number."""
    found: dict[int, Fate] = {}
    lost: int | None = None
    for row in recorder.rows:
        event = row.event
        if isinstance(event, FrameSent | FrameDoubled):
            found[event.frame] = Fate()
        elif isinstance(event, FrameLost):
            lost = event.frame
        elif isinstance(event, PacketDropped) and lost is not None:
            found[lost] = Fate(drop=event.reason, words=f"lost: {because(event)}")
            lost = None
        elif isinstance(event, FrameArrived):
            rest = recorder.turn(row.turn.number)
            found[event.frame] = _after_arrival(row, rest[rest.index(row) + 1 :])
    return found


def because(event: PacketDropped) -> str:
    """'this sequence number was already received (REPLAY_SEEN)'."""
    return f"{event.reason.sentence} ({event.reason.name})"


def _after_arrival(arrival: Record, rest: list[Record]) -> Fate:
    """Follow the packet through its turn, up to the event with which the node is done with it."""
    fate = Fate(arrival.turn.number, arrival.node)
    steps: list[str] = []
    for at, row in enumerate(rest):
        event = row.event
        if isinstance(event, PacketDropped):
            fate.drop = event.reason
            steps.append(f"dropped: {because(event)}")
            break
        if isinstance(event, PacketDelivered):
            steps.append(f"delivered to {event.to}")
            refused = _refusal(rest[at + 1 :]) if event.to == "ike" else None
            if refused is not None:
                fate.drop = refused.reason
                steps.append(f"refused there: {because(refused)}")
            break
        if isinstance(event, FrameSent | HoldEnded):
            break
        step = _STEPS.get(type(event))
        if (
            step is not None and step(event) not in steps[-1:]
        ):  # a packet that is cut first is sealed piece by piece
            steps.append(step(event))
        if isinstance(event, PacketHeld | FragmentStored):
            break
    fate.words = " and ".join(steps) or "taken"
    return fate


def _refusal(rest: list[Record]) -> PacketDropped | None:
    """The IKE engine's reason for not accepting the message it was given."""
    dropped = (row.event for row in rest if isinstance(row.event, PacketDropped))
    return next((event for event in dropped if event.reason.layer == "ike"), None)


_STEPS: dict[type, Callable[[Any], str]] = {
    PacketReassembled: lambda _: "put together from its fragments",
    PacketOpened: lambda opened: f"taken out of {opened.protocol}",
    PacketForwarded: lambda _: "forwarded",
    PacketSealed: lambda sealed: f"{'signed' if sealed.protocol == 'AH' else 'sealed'} in {sealed.protocol}",
    PacketHeld: lambda _: "held until there is an SA",
    FragmentStored: lambda _: "kept until its other fragments come",
}
