"""What an adversary does with the packets that it sees."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.net.nodes.attacker import Attacker, Deed, Fits, Order
from ipsecsim.net.tampering import Mask
from ipsecsim.scenario import units
from ipsecsim.scenario.matching import of_frames
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.model_script import Attack, Drop, Flip, Replay
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.selection import ON_PATH, conditions
from ipsecsim.scenario.sentence import Sentence, quote
from ipsecsim.scenario.taps import tapped
from ipsecsim.scenario.verbs.verb import Options, Performer, Reader, Verb, count, packet_rate
from ipsecsim.scenario.world import World

_HOW_MANY = {"count": count, "rate": packet_rate}


def _mask(text: str) -> Mask:
    """'20:c1014300': from byte 20 behind the IP header these bits. Raises Mistake."""
    at, colon, bits = text.partition(":")
    if not colon or len(bits) % 2 or not re.fullmatch("[0-9a-fA-F]{2,128}", bits):
        raise Mistake(
            f"'{text}' is no mask; write for example 20:ff00 (from byte 20 behind the IP header, hexadecimal)"
        )
    return Mask(units.whole(at, 0, 65535), bytes.fromhex(bits))


_FLIPPING = {**_HOW_MANY, "xor": _mask}


def _attack(make: type[Attack]) -> Reader:
    """A reader for NODE and what selects packets: an action for each attacker that the name stands for."""

    def read(sentence: Sentence, options: Options, names: Names) -> Iterator[Attack]:
        verb, node = sentence.words
        selecting = [pair for pair in sentence.pairs if pair.key.text not in _FLIPPING]
        where = conditions(selecting, ON_PATH, f"'{verb.text}'", names)
        written = [
            f"{pair.key.text}{pair.operator}{'|'.join(quote(each.text) for each in pair.values)}"
            for pair in sentence.pairs
        ]
        for name in names.members(node):
            if not tapped(names, name):
                raise Mistake(f"'{name}' taps no link; it needs  kind: attacker, tap: LINK", node.offset)
            number, rate = options.get("count"), options.get("rate")
            yield make(
                name,
                where,
                number if isinstance(number, int) else None,
                round(SECOND / rate) if isinstance(rate, float) else 0,
                text=" ".join([verb.text, name, *written]),
                place=sentence.source.place,
            )

    return read


def _flips(sentence: Sentence, options: Options, names: Names) -> Iterator[Attack]:
    """A bit by chance, or those of the mask."""
    mask = options.get("xor")
    for flip in _attack(Flip)(sentence, options, names):
        assert isinstance(flip, Flip)  # noqa: S101 - what was asked for
        yield replace(flip, mask=mask if isinstance(mask, Mask) else None)


def _fits(world: World, where: Sequence[Condition]) -> Fits:
    """The question to a packet on a link. What names of nodes stand for is looked up now."""
    nodes = world.simulator.nodes
    links = [each for each in where if each.key == "link"]
    fits = of_frames(
        [each for each in where if each.key != "link"],
        lambda name: nodes[name].stack.addresses if name in nodes else None,
    )

    def answer(link: str, packet: bytes) -> bool:
        is_there = all((link in each.values) is (each.operator == "=") for each in links)
        return is_there and fits(packet)

    return answer


def _plan_replay(world: World, action: Replay, at: Instant) -> None:
    def begin() -> None:
        _attacker(world, action).replay(_fits(world, action.where), action.count, action.interval)

    world.simulator.plan(at, world.simulator.nodes[action.node], begin)


def _plan(deed: Deed) -> Performer:
    """From the moment on, what passes is treated so."""

    def plan(world: World, action: Attack, at: Instant) -> None:
        def begin() -> None:
            mask = action.mask if isinstance(action, Flip) else None
            order = Order(deed, _fits(world, action.where), action.count, action.interval, mask)
            _attacker(world, action).order(order, action.text)

        world.simulator.plan(at, world.simulator.nodes[action.node], begin)

    return plan


def _attacker(world: World, action: Attack) -> Attacker:
    node = world.simulator.nodes[action.node]
    assert isinstance(node, Attacker)  # noqa: S101 - references were checked
    return node


ADVERSARY_VERBS: dict[str, Verb] = {
    "replay": Verb(
        ("NODE",),
        _HOW_MANY,
        "replay mallory layer=esp count=10",
        Replay,
        _attack(Replay),
        _plan_replay,
        selects=True,
    ),
    "flip": Verb(
        ("NODE",), _FLIPPING, "flip mallory layer=esp", Flip, _flips, _plan(Deed.FLIP), selects=True
    ),
    "drop": Verb(
        ("NODE",), _HOW_MANY, "drop mallory layer=ike", Drop, _attack(Drop), _plan(Deed.DROP), selects=True
    ),
    "inject": Verb(
        ("NODE",), {**_HOW_MANY, "seq": units.whole}, "inject mallory layer=esp seq=9", selects=True
    ),
    "flood": Verb(("NODE", "TO"), _HOW_MANY, "flood mallory east rate=10000/s", selects=True),
}
