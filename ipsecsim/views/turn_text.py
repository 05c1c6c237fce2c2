"""One turn as a page of text: what came, the sentence and why, what each check saw, and what changed."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from ipsecsim.base.instant import format_seconds
from ipsecsim.base.visible import visible
from ipsecsim.experiment.run import Run
from ipsecsim.observe.inventory import Change
from ipsecsim.observe.turn_story import TurnStory, naming
from ipsecsim.views.text import STARTS
from ipsecsim.wire.headers import headers, ports
from ipsecsim.wire.numbers import IpProtocol

_WIDTH = 108
_MARKS = {"pass": "+", "skip": ".", "fail": "X", "unreached": " "}
MOST_CHANGES = 8


def page(run: Run, story: TurnStory, total: int | None) -> str:
    """All that is to be said of a turn. `total` is how many there are, None while that is not known."""
    lines = [headline(run, story, total), *_indented(story.say, story.clause), *_indented(story.deeper)]
    lines += hooks(story)
    lines += _drop(story)
    lines += changed(
        [each for each in run.inventory.changes(story.turn) if "keys" not in each.path], MOST_CHANGES
    )
    return "\n".join(map(visible, lines))


def headline(run: Run, story: TurnStory, total: int | None) -> str:
    """'turn 12 of 41   0.024110 s   east   got IKE_AUTH request (UDP 500 > 500, 317 B)'."""
    of = "" if total is None else f" of {total}"
    return f"turn {story.turn}{of}   {format_seconds(story.at)}   {story.node}   {_stimulus(run, story)}"


def hooks(story: TurnStory) -> Iterator[str]:
    """A line for each check: + it let the packet pass, . it had nothing to do, X it ended the packet."""
    width = max((len(hook.name) for hook in story.hooks), default=0)
    for hook in story.hooks:
        detail = hook.detail if hook.verdict != "unreached" else "not reached"
        yield f"    {_MARKS[hook.verdict]} {hook.name:<{width}}   {detail}".rstrip()


def changed(changes: Sequence[Change], most: int | None = None) -> Iterator[str]:
    """A line for each value that is another one now; of many the first `most`."""
    for change in changes[:most]:
        old = "" if change.old is None else f"{change.old} > "
        new = "gone" if change.new is None else change.new
        yield f"    ^ {' '.join(change.path)}: {old}{new}"
    if most is not None and len(changes) > most:
        yield f"    ^ and {len(changes) - most} more"


def _stimulus(run: Run, story: TurnStory) -> str:
    if story.came_in is None:
        return STARTS[run.recorder.turn(story.turn)[0].turn.stimulus]
    life, hop = run.lives.crossing(story.came_in)
    packet = hop.arrived_packet or hop.packet
    found = headers(packet)
    udp = next((each for each in found if each.protocol == IpProtocol.UDP and not each.fault), None)
    words = "" if udp is None else "UDP {} > {}, ".format(*ports(packet[udp.start : udp.end]))
    return f"got {naming.name(packet)} ({words}{len(packet)} B), packet {life.number}, from {hop.source}"


def _drop(story: TurnStory) -> Iterator[str]:
    if story.drop is None:
        return
    parts = (("reason", story.drop.code), ("knows", story.drop.knows), ("does not", story.drop.blind))
    for label, text in (*parts, ("look at", story.drop.look)):
        if text:
            yield f"    {label:<9} {text}"


def _indented(text: str, clause: str = "") -> list[str]:
    words = f"{text}   [{clause}]" if clause else text
    return [f"  {line}" for line in wrap(words, _WIDTH, break_long_words=False)]
