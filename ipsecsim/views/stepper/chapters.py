"""The chapters of a run: what each stretch of turns is about, few enough to be read at a glance."""

from collections.abc import Callable

from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.net import events as net
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder

MOST_CHAPTERS = 14
Chapter = tuple[int, str]

_EVENTS: dict[type, Callable[..., str]] = {
    net.NoteTaken: lambda event, _: event.words,
    net.NodeCrashed: lambda _, node: f"{node} crashes",
    net.NodeStarted: lambda _, node: f"{node} is back",
    net.PassingSelected: lambda event, _: event.words,
    net.PacketReplayed: lambda _event, _node: "replay",
    net.AddressChanged: lambda _, node: f"{node} has a new address",
    net.InterfaceChanged: lambda event, node: f"{node}: {event.interface} {'up' if event.is_up else 'down'}",
    net.SettingChanged: lambda event, _: f"{event.path} = {event.value}",
}
_EXCHANGES = {"CREATE_CHILD_SA": "new keys", "INFORMATIONAL": "INFORMATIONAL"}


def chapters(recorder: Recorder) -> list[Chapter]:
    """The turn at which each begins, and its name."""
    told = topics(recorder, 1)
    found = [(turn, name) for turn, name, _ in told]
    if len(found) > MOST_CHAPTERS:
        found = _merged([(turn, coarse) for turn, _, coarse in told])
    while len(found) > MOST_CHAPTERS:
        found = _without_shortest(found, recorder.turns)
    if found and found[0][0] > 1:
        found[0] = (1, found[0][1])
    return found


def topics(recorder: Recorder, since: int) -> list[tuple[int, str, str]]:
    """Where the matter changes, from a turn on: turn, name, and a coarser name."""
    told: list[tuple[int, str, str]] = []
    for number in range(since, recorder.turns + 1):
        rows = recorder.turn(number)
        topic = _topic(rows)
        if topic is not None and (not told or told[-1][1] != topic[0]):
            told.append((number, *topic))
    return told


def _topic(rows: list[Record]) -> tuple[str, str] | None:
    node = rows[0].turn.node
    for row in rows:
        words = _EVENTS.get(type(row.event))
        if words is not None:
            said = words(row.event, node)
            return said, said
    for row in rows:
        if isinstance(row.event, IkeMessageSent | IkeMessageReceived):
            name = _EXCHANGES.get(row.event.exchange, row.event.exchange)
            return name, "IKE"
    for row in rows:
        if isinstance(row.event, net.EchoRequestSent):
            return f"{row.event.name} {row.event.sequence}", row.event.name
        if isinstance(row.event, net.TrafficSent):
            return row.event.name, row.event.name
    return None


def _merged(found: list[Chapter]) -> list[Chapter]:
    return [each for at, each in enumerate(found) if at == 0 or found[at - 1][1] != each[1]]


def _without_shortest(found: list[Chapter], turns: int) -> list[Chapter]:
    """The shortest one but the first becomes part of the one before it."""
    ends = [turn for turn, _ in found[1:]] + [turns + 1]
    lengths = [end - turn for (turn, _), end in zip(found, ends, strict=True)]
    at = min(range(1, len(found)), key=lambda number: (lengths[number], number))
    return _merged([*found[:at], *found[at + 1 :]])
