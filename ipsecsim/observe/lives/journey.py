"""The journey of a packet: every link it crossed and every node that did something to it, whoever carried it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import Instant
from ipsecsim.ipsec.events import PacketHeld, PacketOpened, PacketSealed
from ipsecsim.observe.lives.fate import because
from ipsecsim.observe.lives.life import Hop, Life, Step
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.headers import ports
from ipsecsim.wire.layers import kind, layers
from ipsecsim.wire.numbers import IpProtocol

MOST_LEGS = 10_000  # a packet that is cut into pieces which are sealed and cut again has long journeys


@dataclass(frozen=True, slots=True)
class Leg:
    """One stop: a link, where `way` says from whom to whom, or a node. `packet` is the one that was there.

    `depth` counts the cuts: pieces go their own ways. `frame` is the crossing, 0 on a node.
    """

    turn: int
    at: Instant
    place: str
    way: str
    packet: int
    words: str
    depth: int
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Journey:
    """All stops of a packet in order."""

    packet: int
    legs: tuple[Leg, ...]


def journey(lives: Lives, life: Life) -> Journey:
    """Follow one datagram through all that changed or carried it."""
    legs: list[Leg] = []
    for leg in _legs(lives, life, life, 0):
        before = legs[-1] if legs else None
        if before is not None and not leg.frame and not before.frame and _is_same_stop(before, leg):
            words = ", ".join(each for each in (before.words, leg.words) if each)
            legs[-1] = Leg(leg.turn, leg.at, leg.place, "", leg.packet, words, leg.depth)
        else:
            legs.append(leg)
        if len(legs) >= MOST_LEGS:
            break
    return Journey(life.number, tuple(legs))


def _is_same_stop(one: Leg, other: Leg) -> bool:
    return (one.turn, one.place, one.depth) == (other.turn, other.place, other.depth)


def _legs(lives: Lives, life: Life, followed: Life, depth: int) -> Iterator[Leg]:
    hops = iter(life.hops)
    hop = next(hops, None)
    for step in life.steps:
        # what happens on a node before it sends is told before the hop, and a loss with it
        while hop is not None and (hop.left < step.turn or step.what == "lost"):
            yield _crossing(lives, life, followed, hop, depth)
            hop = next(hops, None)
        words = _said(lives, life, step)
        if words:
            row = lives.recorder.rows[step.row]
            yield Leg(step.turn, row.at, step.node, "", life.number, words, depth)
        if step.what == "sealed" and step.other is not None:
            yield from _legs(lives, lives[step.other], followed, depth)
        elif step.what == "cut":
            for number in life.pieces:
                if lives[number].born == step.turn:
                    yield from _legs(lives, lives[number], followed, depth + 1)
    while hop is not None:
        yield _crossing(lives, life, followed, hop, depth)
        hop = next(hops, None)


def _crossing(lives: Lives, life: Life, followed: Life, hop: Hop, depth: int) -> Leg:
    is_first = hop is life.hops[0]
    words = f"as #{life.number}" if life is not followed else "as sent" if is_first else ""
    if hop.arrived is None:
        rest = "still on its way" if hop.reason is None else f"lost: {because(hop.reason)}"
        words = f"{words}, {rest}" if words else rest
    elif hop.arrived_packet is not None:
        words = f"{words}, and comes with other bytes" if words else "comes with other bytes"
    to = hop.to or "?"
    return Leg(hop.left, hop.at, hop.link, f"{hop.source} > {to}", life.number, words, depth, hop.frame)


def _said(lives: Lives, life: Life, step: Step) -> str:
    """What a step adds; nothing where another line says it already."""
    words = _WORDS.get(step.what)
    return "" if words is None else words(lives, life, step, lives.recorder.rows[step.row].event)


def _sealed(lives: Lives, _life: Life, step: Step, event: PacketSealed) -> str:
    outer = lives[step.other or 0]
    verb = "signed" if event.protocol == "AH" else "protected"
    return (
        f"{verb} by rule {event.policy}: becomes #{outer.number} {form(outer.first)} "
        f"({len(outer.first)} B), SA {event.spi:08x}"
    )


def _opened(lives: Lives, life: Life, step: Step, event: PacketOpened) -> str:
    window = "" if event.window_top is None else f", window moved to {event.window_top}"
    inner = lives[step.other or 0]
    again = (
        f"#{inner.number} again" if len(inner.steps) > 1 and inner.born < step.turn else f"#{inner.number}"
    )
    return f"#{life.number} opened{window}: {again}"


def _forwarded(_lives: Lives, _life: Life, step: Step, _event: Any) -> str:
    name, at = ("ttl", ipv4.TTL) if step.after[0] >> 4 == 4 else ("hop limit", ipv6.HOP_LIMIT)
    return f"{name} {step.before[at]} > {step.after[at]}"


def _rewritten(_lives: Lives, life: Life, step: Step, _event: Any) -> str:
    """Which ends of the packet are others now."""
    changes = [
        f"{name} {before} becomes {after}"
        for name, before, after in zip(
            ("source", "destination"), ends(step.before), ends(step.after), strict=True
        )
        if before != after
    ]
    return f"rewrites #{life.number}: {'; '.join(changes) or 'what it quotes'}, checksums mended"


def _held(_lives: Lives, _life: Life, _step: Step, event: PacketHeld) -> str:
    return f"waits for an SA of rule {event.policy}"


def _cut(_lives: Lives, life: Life, step: Step, _event: Any) -> str:
    return f"too long: cut into {', '.join(f'#{number}' for number in life.pieces)}"


def _reassembled(_lives: Lives, life: Life, _step: Step, event: Any) -> str:
    pieces = "" if event.pieces == 1 else f" of {event.pieces} pieces"
    return f"put together{pieces}: #{life.number}"


def _delivered(_lives: Lives, life: Life, _step: Step, event: Any) -> str:
    answers = ", ".join(f"#{number}" for number in life.answered_by)
    return f"delivered to {event.to}" + (f", answered by {answers}" if answers else "")


def _dropped(_lives: Lives, life: Life, _step: Step, event: Any) -> str:
    answers = ", ".join(f"#{number}" for number in life.answered_by)
    return f"dropped: {because(event.reason)}" + (f", and {answers} says so" if answers else "")


_WORDS: dict[str, Callable[[Lives, Life, Step, Any], str]] = {
    "doubled": lambda _lives, _life, step, _event: f"the link makes a second one of #{step.other}",
    "replayed": lambda _lives, life, step, _event: (
        f"sends again what was #{step.other}: #{life.number}" if step.other else "sends what somebody changed"
    ),
    "forwarded": _forwarded,
    "rewritten": _rewritten,
    "held": _held,
    "let go": lambda *_: "waits no more",
    "sealed": _sealed,
    "opened": _opened,
    "cut": _cut,
    "stored": lambda *_: "kept until the other pieces come",
    "reassembled": _reassembled,
    "delivered": _delivered,
    "dropped": _dropped,
    "refused": lambda _lives, _life, _step, event: f"IKE refuses it: {because(event.reason)}",
}
"""By the word of a step. 'came out' and 'joined' are told by the packet at the other end of them."""


def form(packet: bytes) -> str:
    """'esp in udp', else the one word for a packet."""
    shown = layers(packet)
    return "esp in udp" if "udp" in shown and "esp" in shown else kind(packet)


def ends(packet: bytes) -> tuple[str, str]:
    """'192.168.1.10:4500' and the same of the destination; without ports where there are none."""
    source, destination = (unpack(address) for address in ip.addresses(packet))
    protocol, at = ip.upper_layer(packet)
    if protocol not in (IpProtocol.UDP, IpProtocol.TCP) or ip.fragment_offset(packet):
        return source, destination
    port, peer_port = ports(packet[at:])
    return f"{source}:{port}", f"{destination}:{peer_port}"
