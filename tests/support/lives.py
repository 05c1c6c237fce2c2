"""What holds of the lives of packets in every recording."""

from collections.abc import Iterator

from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameDoubled, FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.lives.life import ON_ITS_WAY, Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.wire import ip

ENDS = ("delivered", "dropped", "lost", "opened", "joined", "sealed", "cut", "held", "stored")
BIRTHS = ("originated", "doubled", "replayed", "came out", "reassembled")
BOTH_WAYS = (("carries", "carried_by"), ("pieces", "piece_of"))


def faults(recorder: Recorder, simulator: Simulator) -> list[str]:
    """Every sentence that says what does not hold."""
    lives = Lives(recorder)
    found = [f"packet {life.number}: {sentence}" for life in lives.all for sentence in _of_one(lives, life)]
    sent = [row.event.frame for row in recorder.rows if isinstance(row.event, FrameSent | FrameDoubled)]
    crossings = [hop.frame for life in lives.all for hop in life.hops]
    if sorted(sent) != sorted(crossings):
        found.append("a frame is in no life, or in two")
    for row, dropped in recorder.of(PacketDropped):
        if dropped.reason.layer != "ike" and row.sequence not in lives.ended_by:
            found.append(f"turn {row.turn.number}: a drop that ended no packet")
    ended = [life.number for life in lives.ended_by.values()]
    if len(ended) != len(set(ended)):
        found.append("a packet was dropped twice")
    flying = [life for life in lives.all if life.ends == ON_ITS_WAY]
    if len(flying) != simulator.in_flight:
        found.append(f"{len(flying)} packets on their way, and {simulator.in_flight} on links")
    return found


def _of_one(lives: Lives, life: Life) -> Iterator[str]:
    for there, back in BOTH_WAYS:
        for first, second in ((there, back), (back, there)):
            if any(life.number not in getattr(lives[other], second) for other in getattr(life, first)):
                yield f"one that it {first} does not say so"
    if life.steps[0].what not in BIRTHS:
        yield f"its life begins with {life.steps[0].what}"
    if life.ends != ON_ITS_WAY and life.ends not in (life.steps[-1].what, "delivered"):
        yield f"it is {life.ends}, and the last step is {life.steps[-1].what}"
    if life.ends not in (*ENDS, ON_ITS_WAY):
        yield f"{life.ends} is no end"
    if (life.ends in ("dropped", "lost")) is not (life.reason is not None) and life.ends != "delivered":
        yield f"it is {life.ends} with reason {life.reason}"
    if life.ends == ON_ITS_WAY and (not life.hops or life.hops[-1].arrived is not None):
        yield "it is on its way, and on no link"
    for before, after in zip(life.hops, life.hops[1:], strict=False):
        if before.arrived is None or before.arrived > after.left:
            yield f"it left as frame {after.frame} before it arrived as {before.frame}"
    if life.image and not all(step.before and step.after for step in life.steps):
        yield "its bytes are not known between two steps"
    if len(life.hops) > 1 and _is_unspoilt(lives, life) and len({_data(hop.packet) for hop in life.hops}) > 1:
        yield "what it carries is not the same on every hop"


def _is_unspoilt(lives: Lives, life: Life) -> bool:
    """Nobody was to change what is behind its IP header: no NAT, no link."""
    family = [life, *(lives[number] for number in (*life.carried_by, *life.pieces))]
    is_rewritten = any(step.what == "rewritten" for each in family for step in each.steps)
    return not is_rewritten and all(hop.arrived_packet is None for each in family for hop in each.hops)


def _data(packet: bytes) -> bytes:
    return packet[ip.upper_layer(packet)[1] :]
