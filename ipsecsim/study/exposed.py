"""What an attacker came to have in a run though every check passed."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.exposures import Exposure
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import Diagnosed, IkeKeysDerived
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.turn_story.culprit import spoiler
from ipsecsim.study.guessing import COMMON, Claim, claim, guess
from ipsecsim.wire.in_udp import ike_message, ike_of


@dataclass(frozen=True, slots=True)
class Exposed:
    """What was given away and to whom, the rows that show it, and what to say about it, without a full stop."""

    exposure: Exposure
    by: str
    rows: tuple[Record, ...]
    sentence: str


def exposed(run: Run) -> Iterator[Exposed]:
    """All that was given away in a run, one for each node and who has it."""
    yield from _forgeries(run)
    yield from _guesses(run)


def _forgeries(run: Run) -> Iterator[Exposed]:
    """Packets that a node opened after an attacker had changed what was sealed (RFC 8221 4)."""
    found: dict[tuple[str, str], list[Record]] = {}
    for row, event in run.recorder.of(PacketOpened):
        came = None if event.is_authenticated else run.lives.in_turn(row.turn.number).came
        spoilt = None if came is None else spoiler(run.lives[came.packet], run.recorder)
        if spoilt is not None and spoilt.by in run.topology.nodes:
            found.setdefault((row.node, spoilt.by), []).append(row)
    for (node, by), rows in found.items():
        sentence = f"{node} opened {count(len(rows), 'packet')} after {by} had changed what was encrypted"
        yield Exposed(Exposure.FORGERY_BELIEVED, by, tuple(rows), sentence)


def _guesses(run: Run) -> Iterator[Exposed]:
    """Proofs of initiators that a responder without the key could find the key to (RFC 7296 2.15)."""
    for row, event in run.recorder.of(Diagnosed):
        if event.diagnosis is not Diagnosis.AUTH_PSK_MISMATCH:
            continue
        claimed = _claim(run, row)
        word = guess(claimed) if claimed is not None else ""
        if word:
            sentence = f"the proof that {row.node} was given fits '{word}', one of {len(COMMON)} words to try"
            yield Exposed(Exposure.SECRET_GUESSED, row.node, (row,), sentence)


def _claim(run: Run, row: Record) -> Claim | None:
    """What the responder of this turn holds of the proof that it did not believe."""
    arrived = [
        each.event.packet
        for each in run.recorder.turn(row.turn.number)
        if isinstance(each.event, FrameArrived)
    ]
    header = ike_of(arrived[0]) if arrived else None
    keys = next(
        (
            event
            for each, event in run.recorder.of(IkeKeysDerived)
            if header is not None and each.node == row.node and event.spi_i == header.spi_i
        ),
        None,
    )
    if keys is None:
        return None
    heard = [
        (each.event.packet, found)
        for each in run.recorder.rows
        if each.node == row.node and isinstance(each.event, FrameArrived | FrameSent)
        if (found := ike_of(each.event.packet)) is not None
        and found.spi_i == keys.spi_i
        and not found.message_id
    ]
    requests = [packet for packet, found in heard if not found.is_response]
    responses = [packet for packet, found in heard if found.is_response and found.spi_r == keys.spi_r]
    if not requests or not responses:
        return None
    messages = [ike_message(packet) for packet in (requests[-1], responses[-1], arrived[0])]
    return claim(messages, keys.sk_pi, run.keys.of_node(row.node))
