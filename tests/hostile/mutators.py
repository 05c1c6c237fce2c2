"""Ways to spoil bytes and values: blind ones for any bytes, and ones that know the fields of a value.

All chance comes from the `random.Random` in the first argument, so that a seed says everything.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass
from random import Random
from typing import Any

INTERESTING = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 254, 255)
WIDE = (
    *INTERESTING,
    256,
    512,
    1023,
    1024,
    4096,
    0x7FFF,
    0x8000,
    0xFFFE,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
LARGEST = 65_507  # the payload of the largest UDP datagram over IPv4

Mutator = Callable[[Random, bytes], bytes]


# -- any bytes ----------------------------------------------------------------------------------


def flip_bits(chance: Random, data: bytes) -> bytes:
    """One to eight bits are the other way round."""
    if not data:
        return data
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def overwrite(chance: Random, data: bytes) -> bytes:
    """A few bytes hold numbers at which programs stumble."""
    if not data:
        return data
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        spoiled[chance.randrange(len(spoiled))] = chance.choice(INTERESTING)
    return bytes(spoiled)


def truncate(chance: Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: chance.randrange(len(data))] if data else data


def behead(chance: Random, data: bytes) -> bytes:
    """The beginning is missing."""
    return data[chance.randrange(len(data)) :] if data else data


def extend(chance: Random, data: bytes) -> bytes:
    """Something follows: zeros, noise, or the same again."""
    count = chance.choice((1, 2, 3, 4, 8, 16, 100))
    more = (bytes(count), chance.randbytes(count), data[:count], b"\xff" * count)
    return data + chance.choice(more)


def swell(chance: Random, data: bytes) -> bytes:
    """Far longer than anybody expects."""
    target = chance.choice((1800, 4096, 20_000, 60_000))
    part = data[: chance.randint(1, 64)] or b"\0"
    return (data + part * (target // len(part)))[:LARGEST]


def insert(chance: Random, data: bytes) -> bytes:
    """A few bytes too many somewhere."""
    at = chance.randint(0, len(data))
    return data[:at] + chance.randbytes(chance.choice((1, 2, 4, 8))) + data[at:]


def cut_out(chance: Random, data: bytes) -> bytes:
    """A few bytes too few somewhere."""
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 2, 4, 8, 16)) :]


def repeat_part(chance: Random, data: bytes) -> bytes:
    """A stretch stands there twice or more."""
    if not data:
        return data
    at = chance.randrange(len(data))
    part = data[at : at + chance.randint(1, 40)]
    return data[:at] + part * chance.choice((2, 3, 20)) + data[at + len(part) :]


def lie_about_length(chance: Random, data: bytes) -> bytes:
    """Two bytes that may well be a length say something else."""
    places = [at for at in range(len(data) - 1) if 4 <= (data[at] << 8 | data[at + 1]) <= len(data) - at + 4]
    if not places:
        return overwrite(chance, data)
    at = chance.choice(places)
    true = data[at] << 8 | data[at + 1]
    return data[:at] + another_length(chance, true).to_bytes(2, "big") + data[at + 2 :]


def another_length(chance: Random, true: int) -> int:
    """A length that is not the true one: a little off, tiny, or huge."""
    return chance.choice((true - 1, true + 1, true - 4, true + 4, 0, 1, 3, 4, 8, 0xFFFF, 0x8000)) & 0xFFFF


BLIND: tuple[Mutator, ...] = (
    flip_bits,
    overwrite,
    truncate,
    behead,
    extend,
    insert,
    cut_out,
    repeat_part,
    lie_about_length,
)


def spoil(chance: Random, data: bytes) -> bytes:
    """One blind change, seldom more, very seldom a huge one."""
    if chance.random() < 0.004:
        return swell(chance, data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(BLIND)(chance, data)
    return data


def splice(chance: Random, one: bytes, other: bytes) -> bytes:
    """The beginning of one and the end of another."""
    return one[: chance.randint(0, len(one))] + other[chance.randint(0, len(other)) :]


def noise(chance: Random) -> bytes:
    """Nothing but chance, mostly short."""
    return chance.randbytes(chance.choice((0, 1, 3, 4, 8, 27, 28, 29, 40, 64, 200, 1400)))


def number(chance: Random, known: Sequence[int] = ()) -> int:
    """A number that is worth trying."""
    if known and chance.random() < 0.6:
        return chance.choice(known)
    return chance.choice(WIDE) if chance.random() < 0.8 else chance.randrange(0x10000)


# -- values with fields -------------------------------------------------------------------------


def change_field(chance: Random, value: Any) -> Any:
    """A copy of a dataclass in which one field, at any depth, is something else.

    What comes out may be impossible to emit; then the mutation is void.
    """
    changed = deepcopy(value)
    _change(chance, changed)
    return changed


def _change(chance: Random, value: Any) -> None:
    names = [field.name for field in fields(value) if field.name != "critical"]
    if not names:
        return
    name = chance.choice(names)
    setattr(value, name, _another(chance, getattr(value, name)))


def _another(chance: Random, old: Any) -> Any:
    if isinstance(old, bool):
        return not old
    if isinstance(old, int) or old is None:
        return number(chance)
    if isinstance(old, bytes):
        return _other_bytes(chance, old)
    if isinstance(old, tuple) and not all(isinstance(each, tuple) for each in old):
        at = chance.randrange(len(old))  # a record: it keeps its length
        return (*old[:at], _another(chance, old[at]), *old[at + 1 :])
    if isinstance(old, list | tuple):
        return type(old)(_other_items(chance, list(old)))
    if is_dataclass(old):
        _change(chance, old)
    return old


def _other_bytes(chance: Random, old: bytes) -> bytes:
    choice = chance.random()
    if choice < 0.1:
        return b""
    if choice < 0.3:
        return bytes(len(old))
    if choice < 0.4:
        return b"\xff" * len(old)
    if choice < 0.5:
        return chance.randbytes(chance.choice((1, 2, 4, 16, 64, 255, 256, 257)))
    if choice < 0.53:
        return swell(chance, old)
    return spoil(chance, old)


def _other_items(chance: Random, items: list[Any]) -> list[Any]:
    choice = chance.random()
    if not items or choice < 0.05:
        return []
    if choice < 0.15:
        items.pop(chance.randrange(len(items)))
    elif choice < 0.3:
        items.insert(chance.randint(0, len(items)), deepcopy(chance.choice(items)))
    elif choice < 0.4:
        chance.shuffle(items)
    elif choice < 0.46:
        return _many(chance, items)
    else:
        at = chance.randrange(len(items))
        items[at] = _another(chance, items[at])
    return items


def _many(chance: Random, items: list[Any]) -> list[Any]:
    """As many as a byte counts, and one more; all of them different where they have a number to tell them apart."""
    count = chance.choice((16, 64, 254, 255, 256))
    made = [deepcopy(items[index % len(items)]) for index in range(count)]
    pick = chance.randrange(8)
    for index, item in enumerate(made):
        if is_dataclass(item):
            whole = [field.name for field in fields(item) if type(getattr(item, field.name)) is int]
            if whole:
                setattr(item, whole[pick % len(whole)], index)
    return made
