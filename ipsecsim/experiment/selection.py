"""Which recorded frames a selection of `key=value` words means: `packets layer=esp link=wan src=alice`.

What anybody can read off a packet is asked by `stack.match`, as by a firewall. A recording knows more: where the
frame was, and every header in clear.
"""

from collections.abc import Callable, Iterable, Sequence

from ipsecsim.base.errors import RemoteError
from ipsecsim.net.events import FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.record import Record
from ipsecsim.scenario.matching import compiled
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.selection import PACKET
from ipsecsim.stack.match import Seen
from ipsecsim.wire import ip
from ipsecsim.wire.headers import securities
from ipsecsim.wire.layers import layers

Selects = Callable[[Record, FrameSent], bool]


class NotMeasurable(Exception):
    """Nothing here looks at this key."""


def selection(conditions: Sequence[Condition], simulator: Simulator) -> Selects:
    """The question to a frame, made once of all words. Raises NotMeasurable."""
    tests = [_recorded(each) for each in conditions if each.key not in PACKET]
    of_packet = [each for each in conditions if each.key in PACKET]
    if of_packet:
        tests.append(_of_packet(of_packet, simulator))
    return lambda record, sent: all(test(record, sent) for test in tests)


def is_one_of(condition: Condition, value: str) -> bool:
    """Is the value among those written, or with != among none of them?"""
    return _any_of(condition, (value,))


def _any_of(condition: Condition, values: Iterable[str]) -> bool:
    found = any(value in condition.values for value in values)
    return found is (condition.operator == "=")


def _of_packet(conditions: Sequence[Condition], simulator: Simulator) -> Selects:
    """What the outermost IP header and the ports behind it say. A broken header says nothing at all."""

    def addresses_of(name: str) -> Iterable[bytes] | None:
        node = simulator.nodes.get(name)
        return None if node is None else node.stack.addresses

    match = compiled(conditions, addresses_of)
    fits_nothing = all(each.operator == "!=" for each in conditions)

    def fits(_: Record, sent: FrameSent) -> bool:
        try:
            ip.check(sent.packet)
        except RemoteError:
            return fits_nothing
        return match.fits(Seen(sent.packet))

    return fits


def _recorded(condition: Condition) -> Selects:
    match condition.key:
        case "link":
            return lambda _, sent: is_one_of(condition, sent.link)
        case "node":
            return lambda record, _: is_one_of(condition, record.node)
        case "layer":
            return lambda _, sent: _any_of(condition, layers(sent.packet))
        case "spi":
            wanted = {int(text, 16) for text in condition.values}
            return lambda _, sent: _has_spi(sent.packet, wanted) is (condition.operator == "=")
    raise NotMeasurable(condition.key)


def _has_spi(packet: bytes, wanted: set[int]) -> bool:
    """Is it the SPI of any ESP or AH in clear?"""
    return any(each.spi in wanted for each in securities(packet))
