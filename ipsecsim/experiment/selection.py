"""Which recorded frames and drops a selection of `key=value` words means: `packets layer=esp link=wan src=alice`.

What can be read off a packet is asked by `stack.match`, as by a firewall or an attacker. A recording knows more:
where and when it was, what became of it, and on whose account.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.lives.life import Hop, Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.record import Record
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
    """A packet on a link, a drop or an event. A drop inside a tunnel shows two: what came, and what was in it.

    `packet` is its number, 0 where it is about none; `reason` is why it ended, there or when it had arrived;
    `traffic` that on whose account it happened.
    """

    turn: int
    at: Instant
    node: str
    link: str
    packet: int
    packets: tuple[bytes, ...]
    reason: DropReason | None
    traffic: frozenset[str]


Selects = Callable[[Sight], bool]


def crossing(life: Life, hop: Hop) -> Sight:
    """One packet on one link."""
    return Sight(hop.left, hop.at, hop.source, hop.link, life.number, (hop.packet,), hop.reason, life.traffic)


def frames(lives: Lives) -> Iterator[Sight]:
    """Every frame that was put onto a link, but for those that a link made itself."""
    for _, event in lives.recorder.of(FrameSent):
        yield crossing(*lives.crossing(event.frame))


def drops(lives: Lives) -> Iterator[Sight]:
    """Every drop: of a packet that a link lost, else of one that came off a link or was in it."""
    for rows in lives.recorder.all_turns():
        on_link: tuple[str, tuple[bytes, ...]] = ("", ())
        for row in rows:
            event = row.event
            if isinstance(event, FrameArrived):
                on_link = event.link, (event.packet,)
            elif isinstance(event, PacketDropped):
                yield _drop(lives, row, event, on_link)


def _drop(lives: Lives, row: Record, event: PacketDropped, on_link: tuple[str, tuple[bytes, ...]]) -> Sight:
    life, turn = lives.ended_by.get(row.sequence), row.turn
    link, packets = on_link
    if life is not None and life.ends == "lost":
        link, packets = life.hops[-1].link, (life.hops[-1].packet,)
    else:
        packets = (event.packet, *packets)
    number, traffic = lives.about[row.sequence], lives.behind[row.sequence]
    return Sight(turn.number, turn.at, turn.node, link, number, packets, event.reason, traffic)


def events(lives: Lives) -> Iterator[tuple[Record, Sight]]:
    """Every row of the recording, with the packet it speaks of, else the one it is about as it was made."""
    for row, number, traffic in zip(lives.recorder.rows, lives.about, lives.behind, strict=True):
        turn, event = row.turn, row.event
        spoken_of = getattr(event, "packet", None)
        if isinstance(spoken_of, bytes):
            packets: tuple[bytes, ...] = (spoken_of,)
        else:
            packets = (lives[number].first,) if number else ()
        reason = event.reason if isinstance(event, PacketDropped) else None
        link = getattr(event, "link", "")
        yield row, Sight(turn.number, turn.at, turn.node, link, number, packets, reason, traffic)


def selection(conditions: Sequence[Condition], simulator: Simulator, traffic: Traffic) -> Selects:
    """The question to a sight, made once of all words."""
    tests = [_recorded(each, traffic) for each in conditions if each.key not in SHOWN]
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


def _recorded(condition: Condition, traffic: Traffic) -> Selects:
    match condition.key:
        case "link":
            return lambda sight: is_one_of(condition, sight.link)
        case "node":
            return lambda sight: is_one_of(condition, sight.node)
        case "packet":
            return lambda sight: _is_number(condition, sight.packet, units.whole)
        case "turn":
            return lambda sight: _is_number(condition, sight.turn, units.whole)
        case "at":
            return lambda sight: _is_number(condition, sight.at, units.duration)
        case "exchange":
            return lambda sight: is_one_of(condition, _exchange(sight))
        case "reason":
            return lambda sight: is_one_of(condition, "" if sight.reason is None else sight.reason.name)
        case _:  # flow
            return _on_account(condition, traffic)


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


def _exchange(sight: Sight) -> str:
    message = ike_of(sight.packets[0]) if sight.packets else None
    return "" if message is None else name_of(ExchangeType, message.exchange)


def _on_account(condition: Condition, traffic: Traffic) -> Selects:
    """Is it about traffic of this name, or made by this verb? What IKE does on its account counts too."""
    meant = {
        name for name, (verb, *_) in traffic.items() if name in condition.values or verb in condition.values
    }
    return lambda sight: bool(sight.traffic & meant) is (condition.operator == "=")
