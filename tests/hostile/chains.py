"""Payload chains that lie: every link of the chain as it would be, and what is put in its place.

A `Link` holds what a payload says about itself, whether or not it is true.
"""

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from ipsecsim.base.errors import LocalError, RemoteError
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import NotifyType, PayloadType, TsType
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator
from tests.hostile import mutators
from tests.hostile.seeds import bodies

_TYPES = (*sorted(PAYLOADS), 1, 2, 32, 49, 54, 128, 200, 255, 0)
_NOTIFIES = tuple(int(number) for number in NotifyType)


@dataclass(frozen=True, slots=True)
class Link:
    """One payload. `length` and `next_number` are what is written instead of the truth, if not None."""

    number: int
    body: bytes
    flags: int = 0
    length: int | None = None
    next_number: int | None = None


Links = list[Link]


def links_of(payloads: Sequence[Payload]) -> Links:
    """A chain that tells the truth."""
    return [Link(payload.type, payload.emit(), 0x80 if payload.critical else 0) for payload in payloads]


def read_links(first: int, data: bytes) -> Links:
    """The links of a chain as far as it makes sense; what does not is left out."""
    links: Links = []
    number, at = first, 0
    while number and at + 4 <= len(data) and len(links) < 100:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if not 4 <= length <= len(data) - at:
            break
        links.append(Link(number, data[at + 4 : at + length], data[at + 1]))
        number, at = data[at], at + length
    return links


def emit_links(links: Links) -> tuple[int, bytes]:
    """The type of the first payload, and the bytes of all."""
    parts = []
    for index, link in enumerate(links):
        following = links[index + 1].number if index + 1 < len(links) else 0
        next_number = following if link.next_number is None else link.next_number
        length = 4 + len(link.body) if link.length is None else link.length
        parts.append(
            bytes((next_number & 0xFF, link.flags)) + (length & 0xFFFF).to_bytes(2, "big") + link.body
        )
    return (links[0].number if links else 0), b"".join(parts)


# -- changes to the chain -----------------------------------------------------------------------


def _omit(chance: Random, links: Links) -> Links:
    at = chance.randrange(len(links))
    return links[:at] + links[at + 1 :]


def _double(chance: Random, links: Links) -> Links:
    return [*links, chance.choice(links)]


def _shuffle(chance: Random, links: Links) -> Links:
    return chance.sample(links, len(links))


def _many(chance: Random, links: Links) -> Links:
    """About as many payloads as a message may have."""
    room = chance.choice((62, 63, 64, 65, 200))
    one = chance.choice(links)
    if len(one.body) > 1000 or chance.random() < 0.5:
        one = Link(200, b"")
    return links + [one] * max(0, room - len(links))


def _add_unknown(chance: Random, links: Links) -> Links:
    number = chance.choice((1, 13, 32, 49, 54, 128, 200, 255))
    new = Link(number, chance.randbytes(chance.choice((0, 1, 8))), chance.choice((0, 0x80)))
    return _put(chance, links, new)


def _add_known(chance: Random, links: Links) -> Links:
    number, body = chance.choice(bodies())
    return _put(chance, links, Link(number, body, chance.choice((0, 0, 0x80))))


def _add_notify(chance: Random, links: Links) -> Links:
    kind = chance.choice(_NOTIFIES) if chance.random() < 0.8 else mutators.number(chance) & 0xFFFF
    protocol, spi = chance.choice(((0, b""), (1, b""), (3, b"\1\2\3\4"), (2, bytes(8)), (3, b"")))
    data = chance.choice((b"", b"\0", b"\0\x13", b"\0\x1f", bytes(20), chance.randbytes(64), bytes(65)))
    if chance.random() < 0.05:
        data = mutators.swell(chance, data)
    body = bytes((protocol, len(spi))) + kind.to_bytes(2, "big") + spi + data
    return _put(chance, links, Link(int(PayloadType.NOTIFY), body))


def _other_selectors(chance: Random, links: Links) -> Links:
    """Other traffic selectors at one end or both: of some protocol, very many, or of no known kind."""
    changed = [
        replace(link, body=TsInitiator(_selectors(chance, link)).emit())
        if link.number in (PayloadType.TSi, PayloadType.TSr) and chance.random() < 0.8
        else link
        for link in links
    ]
    return changed if changed != links else _double(chance, links)


def _selectors(chance: Random, link: Link) -> list[TrafficSelector]:
    """What the payload says, made many and each a little different; or anything at all."""
    first = TrafficSelector(TsType.IPV4_ADDR_RANGE, 0, 0, 0xFFFF, bytes(4), b"\xff" * 4)
    if chance.random() < 0.6:
        with suppress(RemoteError, IndexError):
            first = TsInitiator.parse(link.body).selectors[0]
    if not first.is_known or chance.random() < 0.1:
        return [TrafficSelector(chance.choice((0, 6, 9, 129, 255)), 0, 0, 0, b"", b"", chance.randbytes(8))]
    count = chance.choice((1, 1, 1, 2, 3, 33, 64, 254, 255))
    protocol = chance.choice((0, 0, 1, 6, 17, 17, 255))
    low = chance.choice((0, 0, 53, 0xFFFF))
    return [
        replace(first, protocol=protocol, start_port=min(low + number, 0xFFFF), end_port=0xFFFF - number)
        for number in range(count)
    ]


def _put(chance: Random, links: Links, new: Link) -> Links:
    at = chance.randint(0, len(links))
    return [*links[:at], new, *links[at:]]


# -- changes to one payload ---------------------------------------------------------------------


def _renumber(chance: Random, link: Link) -> Link:
    return replace(link, number=chance.choice(_TYPES))


def _point_elsewhere(chance: Random, link: Link) -> Link:
    return replace(link, next_number=chance.choice(_TYPES))


def _lie_about_length(chance: Random, link: Link) -> Link:
    return replace(link, length=mutators.another_length(chance, 4 + len(link.body)))


def _flag(chance: Random, link: Link) -> Link:
    return replace(link, flags=chance.choice((0x80, 0x01, 0x7F, 0xFF, 0)))


def _empty(chance: Random, link: Link) -> Link:
    return replace(link, body=b"")


def _spoil_body(chance: Random, link: Link) -> Link:
    return replace(link, body=mutators.spoil(chance, link.body))


def _other_body(chance: Random, link: Link) -> Link:
    """The body of another payload of the same type, or of any."""
    same = [body for number, body in bodies() if number == link.number]
    if same and chance.random() < 0.7:
        return replace(link, body=chance.choice(same))
    return replace(link, body=chance.choice(bodies())[1])


def _change_field(chance: Random, link: Link) -> Link:
    """Read the payload, change one of its fields, write it again: right in form, odd in content."""
    payload_class = PAYLOADS.get(link.number)
    if payload_class is None:
        return _spoil_body(chance, link)
    with suppress(
        RemoteError, LocalError, struct.error, OverflowError, ValueError
    ):  # void: cannot be emitted
        return replace(link, body=mutators.change_field(chance, payload_class.parse(link.body)).emit())
    return _spoil_body(chance, link)


_ON_CHAIN: tuple[Callable[[Random, Links], Links], ...] = (
    _omit,
    _double,
    _shuffle,
    _many,
    _add_unknown,
    _add_known,
    _add_notify,
    _add_notify,
    _other_selectors,
)
_ON_LINK: tuple[Callable[[Random, Link], Link], ...] = (
    _renumber,
    _point_elsewhere,
    _lie_about_length,
    _flag,
    _empty,
    _spoil_body,
    _other_body,
    *[_change_field] * 5,
)


def spoil_links(chance: Random, links: Links) -> Links:
    """One change to the chain or to one of its payloads; now and then a few."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if not links:
            links = [Link(*chance.choice(bodies()))]
        elif chance.random() < 0.35:
            links = chance.choice(_ON_CHAIN)(chance, links)
        else:
            at = chance.randrange(len(links))
            links = [*links[:at], chance.choice(_ON_LINK)(chance, links[at]), *links[at + 1 :]]
    return links


def any_chain(chance: Random) -> Links:
    """A few payloads that need not go together."""
    return [Link(*chance.choice(bodies())) for _ in range(chance.randint(0, 6))]


def spoil_chain(chance: Random, links: Links) -> tuple[int, bytes]:
    """A spoiled chain as bytes: mostly changed as a chain, sometimes as bytes."""
    choice = chance.random()
    if choice < 0.75:
        first, data = emit_links(spoil_links(chance, links))
    elif choice < 0.8:
        first, data = emit_links(spoil_links(chance, any_chain(chance)))
    else:
        first, data = emit_links(links)
        data = mutators.spoil(chance, data)
        if chance.random() < 0.1:
            first = chance.choice(_TYPES)
    return first, data[: mutators.LARGEST - 200]


# -- whole messages -----------------------------------------------------------------------------


def spoil_message(chance: Random, message: bytes, others: Sequence[bytes]) -> bytes:
    """An IKE message gone wrong: header, chain, or bytes."""
    choice = chance.random()
    if choice < 0.4 and len(message) > 28:
        links = read_links(message[16], message[28:])
        first, body = emit_links(spoil_links(chance, links))
        spoiled = message[:16] + bytes((first,)) + message[17:24] + (28 + len(body)).to_bytes(4, "big") + body
    elif choice < 0.55:
        spoiled = spoil_header(chance, message)
    elif choice < 0.65:
        spoiled = mutators.splice(chance, message, chance.choice(others))
    elif choice < 0.7:
        spoiled = chance.choice(others)
    elif choice < 0.74:
        spoiled = mutators.noise(chance)
    else:
        spoiled = mutators.spoil(chance, message)
    if chance.random() < 0.3 and len(spoiled) >= 28:
        # the header's length fits, so that what else is wrong is reached
        spoiled = spoiled[:24] + len(spoiled).to_bytes(4, "big") + spoiled[28:]
    return spoiled[: mutators.LARGEST]


def spoil_header(chance: Random, message: bytes) -> bytes:
    """One field of the header is another one."""
    if len(message) < 28:
        return mutators.spoil(chance, message)
    spoiled = bytearray(message)
    field = chance.choice(("spi_i", "spi_r", "next", "version", "exchange", "flags", "id", "length"))
    if field in ("spi_i", "spi_r"):
        start = 0 if field == "spi_i" else 8
        spoiled[start : start + 8] = chance.choice((bytes(8), chance.randbytes(8), bytes(message[8:16])))
    elif field == "next":
        spoiled[16] = chance.choice(_TYPES)
    elif field == "version":
        spoiled[17] = chance.choice((0x00, 0x10, 0x21, 0x2F, 0x30, 0xF0, 0xFF))
    elif field == "exchange":
        spoiled[18] = chance.choice((0, 2, 4, 5, 33, 34, 35, 36, 37, 38, 43, 240, 255))
    elif field == "flags":
        spoiled[19] = chance.choice((0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x38, 0xFF))
    elif field == "id":
        spoiled[20:24] = (mutators.number(chance) & 0xFFFFFFFF).to_bytes(4, "big")
    else:
        spoiled[24:28] = (mutators.number(chance, (0, 27, 28, len(message) - 1)) & 0xFFFFFFFF).to_bytes(
            4, "big"
        )
    return bytes(spoiled)
