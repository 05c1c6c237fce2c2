"""The story of a run in plain words: turn after turn, what came in, what was decided, what went out."""

from collections.abc import Iterator, Sequence

from ipsecsim.base.instant import format_seconds
from ipsecsim.base.trace import TraceEvent
from ipsecsim.base.visible import visible
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PolicyMatched
from ipsecsim.net.events import FrameArrived, FrameSent, TurnBegan
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.telling.explain import clause, explain
from ipsecsim.scenario.build_ipsec import IKE_RULE
from ipsecsim.scenario.model import Topology
from ipsecsim.stack.events import PacketDelivered, PacketOriginated

NEW_LINE = "\n"
_INDENT = "    "
STARTS = {
    "timer": "a timer rings",
    "script": "the script speaks",
    "start": "the node starts",
    "look": "the script looks",
}
"""What begins a turn that no packet begins."""

# Said by other lines of the same turn already.
_SILENT = (TurnBegan, FrameArrived, FrameSent, PacketOriginated)


def opening(topology: Topology, seed: str) -> str:
    """Name, seed and story, before anything happens."""
    lines = [f"{visible(topology.name)}   seed {seed}   {', '.join(size(topology))}"]
    if topology.story:
        lines.append(f"  {visible(topology.story.strip(), keep=NEW_LINE)}")
    lines += [f"  look for: {visible(each, keep=NEW_LINE)}" for each in topology.look_for]
    return "\n".join(lines)


def whole(run: Run) -> str:
    """Opening and story, as a golden file holds them."""
    return "\n".join([opening(run.topology, run.seed), *story(run.recorder)]) + "\n"


def size(topology: Topology) -> list[str]:
    """'4 nodes', '3 links', '1 tunnel'."""
    return [
        _plural(len(topology.nodes), "node"),
        _plural(len(topology.links), "link"),
        _plural(len(topology.tunnels), "tunnel"),
    ]


def story(recorder: Recorder, since: int = 1) -> Iterator[str]:
    """Each turn from `since` on as a block of lines."""
    for number in range(since, recorder.turns + 1):
        yield turn(recorder.turn(number))


def turn(rows: Sequence[Record]) -> str:
    """One turn: a headline, then a line for each thing decided, with its clause."""
    first = rows[0].turn
    cause = f"   (from turn {first.cause})" if first.cause else ""
    lines = [
        visible(
            f"turn {first.number}   {format_seconds(first.at)}   {first.node}   {_stimulus(rows)}{cause}"
        ),
        *(visible(line) for row in rows for line in _lines(row.event)),
    ]
    return "\n".join(lines)


def _stimulus(rows: Sequence[Record]) -> str:
    """What reached the node."""
    for row in rows:
        if isinstance(row.event, FrameArrived):
            return f"got from {row.event.link}: {summary(row.event.packet)}"
    return STARTS[rows[0].turn.stimulus]


def _lines(event: TraceEvent) -> Iterator[str]:
    if isinstance(event, FrameSent):
        yield f"{_INDENT}> {event.link}: {summary(event.packet)}"
        return
    if isinstance(event, _SILENT) or _is_housekeeping(event):
        return
    where = clause(event)
    yield f"{_INDENT}{explain(event)}" + (f"   [{where}]" if where else "")


def _is_housekeeping(event: TraceEvent) -> bool:
    """IKE's own bypass rule and its delivery happen on every message and teach nothing the second time."""
    if isinstance(event, PolicyMatched):
        return event.policy == IKE_RULE
    return isinstance(event, PacketDelivered) and event.to == "ike"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
