"""The ladder: one row for each message or packet between the two nodes that it was for on this part of its way."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.address import unpack
from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.observe.lives.life import Hop, Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.turn_story import naming
from ipsecsim.wire import ip


@dataclass(frozen=True, slots=True)
class Rung:
    """A row. `chips` are what is inside, in clear or, if `sealed`, for those who have keys."""

    sent: int
    arrived: int | None
    source: str
    to: str
    name: str
    chips: tuple[str, ...]
    sealed: bool
    kind: str
    reason: str


def rungs(recorder: Recorder, lives: Lives) -> list[Rung]:
    """All rows, in the order in which they were sent."""
    found = [rung for life in lives.all for rung in _of(life, recorder, lives)]
    return sorted(found, key=lambda rung: rung.sent)


def _of(life: Life, recorder: Recorder, lives: Lives) -> Iterator[Rung]:
    """A packet that was sealed on the way has a row before and one behind that."""
    for part in _parts(life):
        first, last = part[0], part[-1]
        kind = naming.layer(first.packet)
        copy = " (copy)" if life.copy_of is not None else ""
        chips, sealed = _inside(life, kind, first, recorder, lives)
        reason = last.reason
        if reason is None and life.ended is not None and life.ended == last.arrived:
            reason = life.reason
        yield Rung(
            first.left,
            last.arrived,
            first.source,
            last.to or _aimed_at(last, life),
            naming.name(first.packet) + copy,
            chips,
            sealed,
            kind,
            "" if reason is None else reason.name,
        )


def _parts(life: Life) -> Iterator[list[Hop]]:
    """The crossings between two seals: where one does not begin in the turn in which the last one ended."""
    part: list[Hop] = []
    for hop in life.hops:
        if part and part[-1].arrived != hop.left:
            yield part
            part = []
        part.append(hop)
    if part:
        yield part


def _aimed_at(hop: Hop, life: Life) -> str:
    """Nobody got it: it ends where it was sent from, on its way to nowhere."""
    return hop.source if len(life.hops) > 1 else ""


def _inside(
    life: Life, kind: str, first: Hop, recorder: Recorder, lives: Lives
) -> tuple[tuple[str, ...], bool]:
    if kind == "ike":
        return _payloads(first, recorder)
    if kind in ("esp", "ah"):
        inner = _carried(life, lives)
        if inner:
            ends = f"IPv{ip.version(inner)} {unpack(ip.source(inner))} > {unpack(ip.destination(inner))}"
            return (ends, naming.name(inner)), kind == "esp"
    return (), False


def _payloads(first: Hop, recorder: Recorder) -> tuple[tuple[str, ...], bool]:
    name = naming.name(first.packet)
    for row in recorder.turn(first.left):
        event = row.event
        if isinstance(event, IkeMessageSent):
            direction = "response" if event.is_response else "request"
            if name.startswith(f"{event.exchange} {direction}"):
                return tuple(_counted(event.payloads)), event.sealed
    return (), False


def _counted(payloads: tuple[str, ...]) -> Iterator[str]:
    """Equal ones side by side are told once; both hashes of the addresses have one name."""
    short = [_short(each) for each in payloads]
    for each in dict.fromkeys(short):
        times = short.count(each)
        yield each if times == 1 else f"{each} x{times}"


def _short(payload: str) -> str:
    return "N(NAT-D)" if payload.startswith("N(NAT_DETECTION_") else payload.replace("_SUPPORTED", "")


def _carried(life: Life, lives: Lives) -> bytes:
    while life.copy_of is not None:
        life = lives[life.copy_of]
    if not life.carries:
        return b""
    inner = lives[life.carries[0]]
    sealing = (step for step in inner.steps if step.what == "sealed" and step.other == life.number)
    step = next(sealing, None)
    return b"" if step is None else step.before
