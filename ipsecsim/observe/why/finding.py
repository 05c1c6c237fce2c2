"""A finding, and the case that finders look at: a recording, and the world in which it was made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder

Event = TypeVar("Event", bound=TraceEvent)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, the rows that show it, and what to say about it, without a full stop.

    `rules` are the SPD rules it concerns, by node and name, where no row names them.
    """

    diagnosis: Diagnosis
    rows: tuple[Record, ...]
    sentence: str
    rules: tuple[tuple[str, str], ...] = ()


class Case:
    """All that there is to be looked at. The simulator must stand where the recording ends."""

    def __init__(self, recorder: Recorder, simulator: Simulator) -> None:
        self.recorder = recorder
        self.simulator = simulator
        self._by_kind: dict[type[TraceEvent], list[tuple[Record, Any]]] = {}
        for row in recorder.rows:
            self._by_kind.setdefault(type(row.event), []).append((row, row.event))

    @property
    def gateways(self) -> dict[str, VpnGateway]:
        """The nodes that have IPsec."""
        return {name: each for name, each in self.simulator.nodes.items() if isinstance(each, VpnGateway)}

    def of(self, kind: type[Event]) -> list[tuple[Record, Event]]:
        """Every event of just this class with its row. All finders share one walk through the recording."""
        return self._by_kind.get(kind, [])

    def drops(self, *reasons: DropReason) -> list[tuple[Record, PacketDropped]]:
        """Every drop for one of these reasons."""
        return [(row, event) for row, event in self.of(PacketDropped) if event.reason in reasons]

    def before(self, row: Record) -> list[Record]:
        """What was told in the same turn before this row."""
        rows = self.recorder.turn(row.turn.number)
        return rows[: row.sequence - rows[0].sequence]

    def after(self, row: Record) -> list[Record]:
        """What was told in the same turn after this row."""
        rows = self.recorder.turn(row.turn.number)
        return rows[row.sequence - rows[0].sequence + 1 :]


Finder = Callable[[Case], Iterator[Finding]]
"""Looks for one diagnosis: a finding for each cause, not for each packet."""
