"""Which recorded frames a selection of `key=value` words means: `packets layer=esp link=wan src=alice`.

What can be read off a packet is asked by `stack.match`, as by a firewall or an attacker. A recording knows more:
where the frame was.
"""

from collections.abc import Callable, Iterable, Sequence

from ipsecsim.net.events import FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.record import Record
from ipsecsim.scenario.matching import of_frames
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.selection import SHOWN

Selects = Callable[[Record, FrameSent], bool]


class NotMeasurable(Exception):
    """Nothing here looks at this key."""


def selection(conditions: Sequence[Condition], simulator: Simulator) -> Selects:
    """The question to a frame, made once of all words. Raises NotMeasurable."""
    tests = [_recorded(each) for each in conditions if each.key not in SHOWN]
    of_packet = [each for each in conditions if each.key in SHOWN]
    if of_packet:
        tests.append(_of_packet(of_packet, simulator))
    return lambda record, sent: all(test(record, sent) for test in tests)


def is_one_of(condition: Condition, value: str) -> bool:
    """Is the value among those written, or with != among none of them?"""
    return (value in condition.values) is (condition.operator == "=")


def _of_packet(conditions: Sequence[Condition], simulator: Simulator) -> Selects:
    """What the outermost IP header and the ports behind it say. A broken header says nothing at all."""

    def addresses_of(name: str) -> Iterable[bytes] | None:
        node = simulator.nodes.get(name)
        return None if node is None else node.stack.addresses

    fits = of_frames(conditions, addresses_of)
    return lambda _, sent: fits(sent.packet)


def _recorded(condition: Condition) -> Selects:
    match condition.key:
        case "link":
            return lambda _, sent: is_one_of(condition, sent.link)
        case "node":
            return lambda record, _: is_one_of(condition, record.node)
    raise NotMeasurable(condition.key)
