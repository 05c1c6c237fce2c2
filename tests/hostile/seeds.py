"""The seeds that everything hostile grows from: published and recorded packets, and all that was ever wrong."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ipsecsim.wire.ike.numbers import PayloadType

_HERE = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Seed:
    """Some bytes with a name. `kind` is what they are: an IKE message, a payload body, an IPv4 packet."""

    kind: str
    name: str
    data: bytes
    type: int = 0  # of a payload body


@dataclass(frozen=True, slots=True)
class Finding:
    """Bytes that once did harm, one input or a few in a row, and the target that they did it to.

    `first` is the type of the first payload when the bytes go under a good seal. `where` says more about
    the target, in its own words: the state of an IKE SA, for instance.
    """

    name: str
    target: str
    inputs: tuple[bytes, ...]
    where: str = ""
    first: int = 0


@cache
def seeds(kind: str) -> tuple[Seed, ...]:
    """All seeds of a kind."""
    listed = json.loads((_HERE / "seeds.json").read_text(encoding="utf-8"))
    return tuple(
        Seed(each["kind"], each["name"], bytes.fromhex(each["hex"]), each.get("type", 0))
        for each in listed
        if each["kind"] == kind
    )


@cache
def bodies() -> tuple[tuple[int, bytes], ...]:
    """Payload bodies with their types: the seeds, and those of the messages that are not sealed."""
    found = [(seed.type, seed.data) for seed in seeds("body")]
    for seed in seeds("ike"):
        number, at, data = seed.data[16], 28, seed.data
        while number and number != PayloadType.SK and at + 4 <= len(data):
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if not 4 <= length <= len(data) - at:
                break
            found.append((number, data[at + 4 : at + length]))
            number, at = data[at], at + length
    return tuple(found)


@cache
def findings() -> tuple[Finding, ...]:
    """Everything that once went wrong."""
    listed = json.loads((_HERE / "found.json").read_text(encoding="utf-8"))
    return tuple(
        Finding(
            each["name"],
            each["target"],
            tuple(bytes.fromhex(text) for text in each["hex"]),
            each.get("where", ""),
            each.get("first", 0),
        )
        for each in listed
    )
