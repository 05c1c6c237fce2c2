"""The chapters of a run: what each stretch of turns is about, few enough to be read at a glance."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.net import events as net
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder

MOST_CHAPTERS = 14


@dataclass(frozen=True, slots=True)
class Chapter:
    """It begins at a turn. `coarse` is a name that it shares with others of its kind, '' if it is not worth one.

    A `mark` is something that happens to the world, which the story is about.
    """

    turn: int
    name: str
    coarse: str
    mark: bool = False


_MARKS: dict[type, Callable[..., str]] = {
    net.NoteTaken: lambda event, _: event.words,
    net.NodeCrashed: lambda _, node: f"{node} crashes",
    net.NodeStarted: lambda _, node: f"{node} is back",
    net.PassingSelected: lambda event, _: event.words,
    net.PacketReplayed: lambda _event, _node: "replay",
    net.SettingChanged: lambda event, _: f"{event.path} = {event.value}",
    net.AddressChanged: lambda _, node: f"{node} has a new address",
    net.InterfaceChanged: lambda event, node: f"{node}: {event.interface} {'up' if event.is_up else 'down'}",
}
_NUMBERED = re.compile(r" \d+$")  # "ping 4" is the fourth ping of the script: all of them are one matter
_EXCHANGES = {"CREATE_CHILD_SA": ("new keys", "new keys"), "INFORMATIONAL": ("INFORMATIONAL", "")}


def chapters(recorder: Recorder) -> list[Chapter]:
    """All of them, in order; of many those that say most."""
    found = topics(recorder, 1)
    if len(found) > MOST_CHAPTERS:
        found = _merged(
            [Chapter(each.turn, each.coarse, each.coarse, each.mark) for each in found if each.coarse]
        )
    while len(found) > MOST_CHAPTERS:
        found = _without_least(found, recorder.turns)
    if found and found[0].turn > 1:
        found[0] = Chapter(1, found[0].name, found[0].coarse)
    return found


def topics(recorder: Recorder, since: int) -> list[Chapter]:
    """Wherever the matter changes, from a turn on."""
    told: list[Chapter] = []
    marked = 0  # the last turn with a mark: what follows at once is part of it
    for number in range(since, recorder.turns + 1):
        topic = _topic(number, recorder.turn(number))
        if topic is None:
            continue
        follows, marked = marked == number - 1, number if topic.mark else marked
        if (told and told[-1].name == topic.name) or (topic.mark and follows and marked > 1):
            continue
        told.append(topic)
    return told


def _topic(number: int, rows: list[Record]) -> Chapter | None:
    node = rows[0].turn.node
    for row in rows:
        words = _MARKS.get(type(row.event))
        if words is not None:
            said = words(row.event, node)
            return Chapter(number, said, said, mark=True)
    for row in rows:
        if isinstance(row.event, IkeMessageSent | IkeMessageReceived):
            exchange = row.event.exchange
            name, coarse = _EXCHANGES.get(exchange, (exchange, "IKE"))
            return Chapter(number, name, coarse)
    for row in rows:
        if isinstance(row.event, net.EchoRequestSent):
            name, sequence = row.event.name, row.event.sequence
            which = f"no. {sequence}" if _NUMBERED.search(name) else f"{sequence}"
            return Chapter(number, f"{name} {which}", _NUMBERED.sub("", name))
        if isinstance(row.event, net.TrafficSent):
            return Chapter(number, row.event.name, _NUMBERED.sub("", row.event.name))
    return None


def _merged(found: list[Chapter]) -> list[Chapter]:
    return [each for at, each in enumerate(found) if at == 0 or found[at - 1].name != each.name]


def _without_least(found: list[Chapter], turns: int) -> list[Chapter]:
    """The shortest one but the first becomes part of the one before it; marks go last."""
    ends = [each.turn for each in found[1:]] + [turns + 1]
    lengths = [end - each.turn for each, end in zip(found, ends, strict=True)]
    at = min(range(1, len(found)), key=lambda number: (found[number].mark, lengths[number], number))
    return _merged([*found[:at], *found[at + 1 :]])
