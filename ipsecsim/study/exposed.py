"""What an attacker came to have in a run though every check passed."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.exposures import Exposure
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.turn_story.culprit import spoiler


@dataclass(frozen=True, slots=True)
class Exposed:
    """What was given away, the rows that show it, and what to say about it, without a full stop."""

    exposure: Exposure
    rows: tuple[Record, ...]
    sentence: str


def exposed(run: Run) -> Iterator[Exposed]:
    """All that was given away in a run, one for each node and who has it."""
    yield from _forgeries(run)


def _forgeries(run: Run) -> Iterator[Exposed]:
    """Packets that a node opened after somebody had changed what was sealed (RFC 8221 4)."""
    found: dict[tuple[str, str], list[Record]] = {}
    for row, event in run.recorder.of(PacketOpened):
        came = None if event.is_authenticated else run.lives.in_turn(row.turn.number).came
        spoilt = None if came is None else spoiler(run.lives[came.packet], run.recorder)
        if spoilt is not None:
            found.setdefault((row.node, spoilt.by), []).append(row)
    for (node, by), rows in found.items():
        sentence = f"{node} opened {count(len(rows), 'packet')} after {by} had changed what was encrypted"
        yield Exposed(Exposure.FORGERY_BELIEVED, tuple(rows), sentence)
