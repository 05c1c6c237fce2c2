"""The tables of `schema` as one JSON Schema, for editors: `# yaml-language-server: $schema=...`."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from ipsecsim.scenario.schema import TOP

_WORTH_SHARING = 300
_BY_NAME = ("properties", "patternProperties")  # their members are schemas, they themselves are none


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a topology file. It accepts every good one, and refuses what a schema can see."""
    shape = TOP.json()
    shape["required"] = ["name"]  # the rest may come by `extends`
    counts: Counter[str] = Counter()
    _count(shape, counts)
    shared: dict[str, Any] = {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ipsecsim topology",
        **_share(shape, counts, shared),
        "$defs": shared,
    }


def _count(shape: dict[str, Any], counts: Counter[str]) -> None:
    counts[json.dumps(shape)] += 1

    def count(member: dict[str, Any]) -> dict[str, Any]:
        _count(member, counts)
        return member

    _members(shape, count)


def _share(shape: dict[str, Any], counts: Counter[str], shared: dict[str, Any]) -> dict[str, Any]:
    """The same schema, with large parts that occur twice written once, under $defs."""
    made = _members(shape, lambda member: _share(member, counts, shared))
    text = json.dumps(shape)
    if len(text) < _WORTH_SHARING or counts[text] < 2:
        return made
    name = next((name for name, known in shared.items() if known == made), f"shape{len(shared) + 1}")
    shared[name] = made
    return {"$ref": f"#/$defs/{name}"}


def _members(shape: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A schema with `change` made to each schema directly inside it."""
    made: dict[str, Any] = {}
    for key, member in shape.items():
        if key in _BY_NAME:
            made[key] = {name: change(each) for name, each in member.items()}
        elif isinstance(member, dict):
            made[key] = change(member)
        elif isinstance(member, list):
            made[key] = [change(each) if isinstance(each, dict) else each for each in member]
        else:
            made[key] = member
    return made
