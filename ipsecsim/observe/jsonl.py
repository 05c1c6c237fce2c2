"""The recording as JSON lines: one object a row, its keys always in the same order."""

import json
from collections.abc import Iterable
from dataclasses import fields
from enum import Enum
from typing import TextIO

from ipsecsim.base.address import unpack
from ipsecsim.observe.record import Record

ADDRESS_FIELDS = frozenset(("source", "destination", "next_hop"))
"""Names of event fields whose bytes are a packed address."""


def write(rows: Iterable[Record], file: TextIO) -> None:
    """Write each row as it comes; nothing is gathered, so a long run needs no memory for it."""
    for row in rows:
        file.write(to_json(row))
        file.write("\n")


def to_json(row: Record) -> str:
    """One row on one line. Time in nanoseconds, bytes in hexadecimal, addresses as people write them.

    The event's own fields stand under `fields`, because some are called like the row's (`sequence`).
    """
    event = row.event
    row_fields: dict[str, object] = {
        "sequence": row.sequence,
        "time": row.at,
        "turn": row.turn.number,
        "cause": row.turn.cause,
        "node": row.node,
        "event": type(event).__name__,
    }
    if row.frame is not None:
        row_fields["frame"] = row.frame
    row_fields["fields"] = {
        field.name: _plain(field.name, getattr(event, field.name)) for field in fields(event)
    }
    return json.dumps(row_fields, separators=(",", ":"), ensure_ascii=False)


def _plain(name: str, value: object) -> object:
    if isinstance(value, bytes):
        is_address = name in ADDRESS_FIELDS and len(value) in (4, 16)
        return unpack(value) if is_address else value.hex()
    if isinstance(value, Enum) and not isinstance(value, int):
        return value.name  # an IntEnum is a number on the wire and stays one
    if isinstance(value, tuple | list):
        return [_plain(name, each) for each in value]
    return value
