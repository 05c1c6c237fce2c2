"""Which recorded frames and drops a selection of `key=value` words means: `packets layer=esp link=wan src=alice`.

What can be read off a packet is asked by `stack.match`, as by a firewall or an attacker. A recording knows more:
where and when it was, what became of it, and on whose account.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.fate import fates
from ipsecsim.observe.lives import Lives
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario import units
from ipsecsim.scenario.matching import of_frames
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.selection import SHOWN
from ipsecsim.wire.ike.numbers import ExchangeType, name_of
from ipsecsim.wire.in_udp import ike_of

Traffic = Mapping[str, tuple[str, ...]]
"""What each name of traffic stands for: its verb and the two nodes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame that was sent, or a drop. A drop inside a tunnel shows two packets: what came, and what was in it."""

    record: Record
    packets: tuple[bytes, ...]
    link: str = ""
    frame: int = 0


Selects = Callable[[Sight], bool]


def frames(recorder: Recorder) -> Iterator[Sight]:
    """Every frame that was put onto a link."""
    for row, event in recorder.of(FrameSent):
        yield Sight(row, (event.packet,), event.link, event.frame)


def drops(recorder: Recorder) -> Iterator[Sight]:
    """Every drop: of a packet that a link lost, else of one that came off a link or was in it."""
    for rows in recorder.all_turns():
        on_link: tuple[str, tuple[bytes, ...]] = ("", ())
        sent: dict[int, FrameSent] = {}
        lost: FrameSent | None = None
        for row in rows:
            event = row.event
            if isinstance(event, FrameArrived):
                on_link = event.link, (event.packet,)
            elif isinstance(event, FrameSent):
                sent[event.frame] = event
            elif isinstance(event, FrameLost):
                lost = sent.get(event.frame)
            elif isinstance(event, PacketDropped):
                if lost is not None:
                    yield Sight(row, (lost.packet,), lost.link)
                    lost = None
                else:
                    link, packets = on_link
                    yield Sight(row, (event.packet, *packets), link)


def selection(
    conditions: Sequence[Condition], recorder: Recorder, simulator: Simulator, traffic: Traffic
) -> Selects:
    """The question to a sight, made once of all words."""
    tests = [_recorded(each, recorder, traffic) for each in conditions if each.key not in SHOWN]
    of_packet = [each for each in conditions if each.key in SHOWN]
    if of_packet:
        tests.append(_of_packet(of_packet, simulator))
    return lambda sight: all(test(sight) for test in tests)


def is_one_of(condition: Condition, value: str) -> bool:
    """Is the value among those written, or with != among none of them?"""
    return (value in condition.values) is (condition.operator == "=")


def _of_packet(conditions: Sequence[Condition], simulator: Simulator) -> Selects:
    """What the outermost IP header and the ports behind it say. A broken header says nothing at all."""

    def addresses_of(name: str) -> Iterable[bytes] | None:
        node = simulator.nodes.get(name)
        return None if node is None else node.stack.addresses

    fits = of_frames(conditions, addresses_of)
    return lambda sight: any(map(fits, sight.packets))


def _recorded(condition: Condition, recorder: Recorder, traffic: Traffic) -> Selects:
    match condition.key:
        case "link":
            return lambda sight: is_one_of(condition, sight.link)
        case "node":
            return lambda sight: is_one_of(condition, sight.record.node)
        case "turn":
            return lambda sight: _is_number(condition, sight.record.turn.number, units.whole)
        case "at":
            return lambda sight: _is_number(condition, sight.record.at, units.duration)
        case "exchange":
            return lambda sight: is_one_of(condition, _exchange(sight.packets[0]))
        case "reason":
            return _ended(condition, recorder)
        case _:  # flow
            return _on_account(condition, recorder, traffic)


def _is_number(condition: Condition, number: int, read: Callable[[str], int]) -> bool:
    """Does a number satisfy one of those written, as in 'turn=7', 'at=5s-6s', 'at>10s'?"""
    found = any(_fits(condition.operator, text, number, read) for text in condition.values)
    return found is (condition.operator != "!=")


def _fits(operator: str, text: str, number: int, read: Callable[[str], int]) -> bool:
    low, _, high = text.partition("-")
    first, last = read(low), read(high or low)
    if operator in ("=", "!="):
        return first <= number <= last
    return {"<": number < first, "<=": number <= first, ">": number > first, ">=": number >= first}[operator]


def _exchange(packet: bytes) -> str:
    message = ike_of(packet)
    return "" if message is None else name_of(ExchangeType, message.exchange)


def _ended(condition: Condition, recorder: Recorder) -> Selects:
    """Did the packet end for this reason? Of a frame its fate is asked."""
    ends: dict[int, DropReason | None] = {frame: fate.drop for frame, fate in fates(recorder).items()}

    def test(sight: Sight) -> bool:
        event = sight.record.event
        reason = event.reason if isinstance(event, PacketDropped) else ends.get(sight.frame)
        return is_one_of(condition, "" if reason is None else reason.name)

    return test


def _on_account(condition: Condition, recorder: Recorder, traffic: Traffic) -> Selects:
    """Is it about traffic of this name, or made by this verb? What IKE does on its account counts too."""
    behind = Lives(recorder).behind
    meant = {
        name for name, (verb, *_) in traffic.items() if name in condition.values or verb in condition.values
    }
    return lambda sight: bool(behind[sight.record.sequence] & meant) is (condition.operator == "=")
